"""Everything random inside a network, from a generator that no other thread draws from."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch._C import _current_graph_task_id
from torch.nn.modules.dropout import _DropoutNd
from torch.utils._python_dispatch import TorchDispatchMode

from bakeoff.errors import UsageError
from bakeoff.networks.positions import NUMPY, PYTHON, Stream

_DRAWING = (_DropoutNd, nn.FractionalMaxPool2d, nn.FractionalMaxPool3d, nn.RReLU)
_DRAWING_IF_ASKED = (nn.RNNBase, nn.MultiheadAttention)
"""Layers of PyTorch's that draw numbers where their `dropout` is not 0."""


class OwnGenerator(TorchDispatchMode):
    """Lets what this thread draws on the CPU come from a generator of its own, while this lasts.

    They are the numbers that PyTorch's own generator would give after `torch.manual_seed(seed)`.
    But that one is the whole process's: another thread that drew from it would move a training, and
    find its own numbers changed by it. A draw that names a generator keeps it.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._generator = torch.Generator().manual_seed(seed)
        self.stream = Stream(self._generator.get_state, self._go_to)

    def _go_to(self, position: torch.Tensor) -> None:
        self._generator.set_state(position)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Say no: else torch imports its compiler, which takes a second, only to skip this."""
        return False

    def __torch_dispatch__(
        self,
        operator: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the operator, with the generator if it draws; raise UsageError in a second pass.

        A checkpointed layer (torch.utils.checkpoint) draws again in the backward pass, when the
        generator is elsewhere: its gradients would be those of another network.
        """
        named = kwargs or {}
        if not _can_be_given_one(operator) or not _wants_one(args, named):
            return operator(*args, **named)
        if _current_graph_task_id() >= 0 and torch.is_grad_enabled():
            raise UsageError(
                "a checkpointed layer draws random numbers: "
                "let it draw none, or do not checkpoint it"
            )
        return operator.overloadpacket(*args, **{**named, "generator": self._generator})


@cache
def _can_be_given_one(operator: Any) -> bool:
    """Return whether an operator draws, and some overload of it takes a generator."""
    overloads = operator.overloadpacket
    schemas = [getattr(overloads, name)._schema for name in overloads.overloads()]  # noqa: SLF001
    takes = any(argument.name == "generator" for each in schemas for argument in each.arguments)
    return takes and torch.Tag.nondeterministic_seeded in operator.tags


def _wants_one(args: Sequence[Any], named: Mapping[str, Any]) -> bool:
    """Return whether a draw is on the CPU and names no generator."""
    given = (*args, *named.values())
    tensors = [value for value in given if isinstance(value, torch.Tensor)]
    device = named.get("device") or (tensors[0].device if tensors else torch.device("cpu"))
    return device.type == "cpu" and not any(isinstance(each, torch.Generator) for each in given)


@contextmanager
def states_as_they_were() -> Iterator[None]:
    """Set back, afterwards, what all code of this process shares to draw from."""
    python, numpy, here = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    there = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        torch.set_rng_state(here)
        if there is not None:
            torch.cuda.set_rng_state_all(there)


@contextmanager
def own_numbers(seed: int) -> Iterator[dict[str, Stream]]:
    """Let everything that is drawn inside follow from `seed` alone; yield the streams by name.

    From PyTorch on the CPU as `OwnGenerator` does it, which code inside cannot seed anew, and
    outside of `torch.inference_mode`, where dropout would draw past it. Python's `random` and
    NumPy's shared state are seeded, and set back: those a thread has to share.
    """
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    try:
        with _own_tensors(seed) as stream:
            yield {"torch": stream, "python": PYTHON, "numpy": NUMPY}
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


@contextmanager
def _own_tensors(seed: int) -> Iterator[Stream]:
    with ExitStack() as lasting:
        if torch.is_inference_mode_enabled():
            lasting.enter_context(torch.inference_mode(mode=False))
            lasting.enter_context(torch.no_grad())
        yield lasting.enter_context(OwnGenerator(seed)).stream


@contextmanager
def seeded(model: nn.Module, seed: int) -> Iterator[dict[str, Stream]]:
    """Let what a network draws follow from `seed` alone, while this lasts; yield the streams.

    Under `OwnGenerator` every operator passes through Python, some ten microseconds each, so only
    networks with layers that may draw are: those known to, and all that are not PyTorch's.
    """
    streams: dict[str, Stream] = {}
    with ExitStack() as lasting:
        if not all(_is_known(layer) for layer in model.modules()):
            streams |= lasting.enter_context(own_numbers(seed))
        elif any(map(_may_draw, model.modules())):
            streams["torch"] = lasting.enter_context(_own_tensors(seed))
        for device in {parameter.device for parameter in model.parameters()}:
            if device.type == "cuda":
                streams[str(device)] = lasting.enter_context(_seeded_device(device, seed))
        yield streams


def _is_known(layer: nn.Module) -> bool:
    """Return whether a layer is PyTorch's or ours, which draw by PyTorch's operators alone."""
    return type(layer).__module__.startswith(("bakeoff.", "torch.nn.modules."))


def _may_draw(layer: nn.Module) -> bool:
    """Return whether a layer may draw by PyTorch's operators: all but those known not to."""
    home = type(layer).__module__
    # The dropout of twins and stacks has streams of its own; networks that ship draw by layers.
    if home.startswith("bakeoff."):
        return False
    hooked = layer._forward_hooks or layer._forward_pre_hooks  # noqa: SLF001
    draws = isinstance(layer, _DRAWING)
    if isinstance(layer, _DRAWING_IF_ASKED):
        draws = layer.dropout > 0
    return bool(hooked or draws or not home.startswith("torch.nn.modules."))


@contextmanager
def _seeded_device(device: torch.device, seed: int) -> Iterator[Stream]:
    """Seed the generator of a GPU, and set it back: its fused dropout takes no other."""
    before = torch.cuda.get_rng_state(device)
    with torch.cuda.device(device):
        torch.cuda.manual_seed(seed)
    try:
        go_to = partial(torch.cuda.set_rng_state, device=device)
        yield Stream(partial(torch.cuda.get_rng_state, device), go_to)
    finally:
        torch.cuda.set_rng_state(before, device)
