"""What is known of a network before it is trained, from one build of nothing but shapes."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_flop_count, shape_wrapper

from bakeoff.data.dataset import Dataset
from bakeoff.networks.catalogue import network
from bakeoff.networks.given import MisfitError, anew, hold_still
from bakeoff.networks.known import network_of
from bakeoff.networks.network import Network
from bakeoff.networks.randomness import OwnGenerator
from bakeoff.networks.trouble import told
from bakeoff.study.study import Study

_SMALL = 1 << 30
"""Bytes."""


@dataclass(frozen=True)
class NetworkSize:
    """How large a network is."""

    parameters: int
    """Numbers that training can adjust."""
    state_bytes: int
    """Bytes of its weights and buffers."""
    multiply_adds_per_image: int
    """Of one forward pass; activations, pooling, normalising and biases are not counted."""
    trained: int | None = None
    """Those parameters that training moves, where the study holds others still."""
    anew: tuple[str, ...] = ()
    """Weights that start anew where the others were given."""


def network_sizes(study: Study, dataset: Dataset) -> dict[str, NetworkSize]:
    """Return how large the network of each entrant is, by the entrant's name.

    Raises NetworkError, in one line, where a network cannot take an image of the data.
    """
    shape, classes = dataset.image_shape, len(dataset.classes)
    networks = {each.name: network_of(*each.network) for each in study.entrants}
    sizes: dict[Hashable, NetworkSize] = {}
    for each in networks.values():
        if _key(each) not in sizes:  # Entrants may differ in their recipes alone.
            with told(f"{each.name} fails on an image {list(shape)}", each.source):
                sizes[_key(each)] = measured(each, shape, classes)
    return {name: sizes[_key(each)] for name, each in networks.items()}


def _key(made_from: Network) -> Hashable:
    given = made_from.given
    return made_from.make, made_from.trainable, given and given.sha256


def size_of(name: str, image_shape: tuple[int, int, int], classes: int) -> NetworkSize:
    """Return the size of the network called `name`, of which nothing but shapes is made.

    PyTorch's global generator is not drawn from. Raises StudyError where there is no such network.
    """
    return measured(network(name), image_shape, classes)


def measured(made_from: Network, image_shape: tuple[int, int, int], classes: int) -> NetworkSize:
    """Return the size of a network, of which nothing but shapes is made where that will do.

    PyTorch's global generator is not drawn from. Raises MisfitError where given weights, or the
    patterns of what is trained, are not of this network.
    """
    with OwnGenerator(0):
        try:
            with torch.device("meta"):
                model = made_from.make(image_shape, classes)
            # Before it has memory, which is one for each place where a tied weight stands.
            size = _numbers(made_from, model, classes)
            if size.state_bytes <= _SMALL:
                # With memory, though no numbers in it: else torch imports its compiler, a second.
                # `to_empty` would import the algebra of that compiler, nearly another one.
                model._apply(_empty)  # noqa: SLF001
            operations = _counted(model, image_shape, _Shapes())
        except MisfitError:
            raise
        except Exception:  # Code of other people may fail in any way where there are no numbers.
            model = made_from.make(image_shape, classes)
            size = _numbers(made_from, model, classes)
            operations = _counted(model, image_shape, _Operations())
    return replace(size, multiply_adds_per_image=operations)


def _numbers(made_from: Network, model: nn.Module, classes: int) -> NetworkSize:
    """Return what is known before an image is seen; the model moves as it does in training."""
    parameters, given = _moving(model), made_from.given
    fresh = () if given is None else anew(made_from.name, model, given, classes)
    trained = None
    if made_from.trainable is not None:
        hold_still(made_from.name, model, made_from.trainable)
        trained = _moving(model)
    state_bytes = sum(each.nbytes for each in model.state_dict().values())
    return NetworkSize(parameters, state_bytes, 0, trained, fresh)


def _moving(model: nn.Module) -> int:
    """Return how many numbers training adjusts."""
    return sum(each.numel() for each in model.parameters() if each.requires_grad)


def _empty(tensor: torch.Tensor) -> torch.Tensor:
    """Return memory, with no numbers in it, for a tensor that has none."""
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="cpu")


def _counted(model: nn.Module, image_shape: tuple[int, int, int], counted: _Operations) -> int:
    """Return the multiply-adds of one image."""
    device = next((each.device for each in model.parameters()), None)
    image = torch.zeros(1, *image_shape, device=device)
    with torch.no_grad(), _in_parts(), counted:
        model.eval()(image)
    return counted.operations // 2  # torch counts a multiply-add as two operations.


@contextmanager
def _in_parts() -> Iterator[None]:
    """Let PyTorch compute recurrent layers and encoders by products of matrices, not in one."""
    fused = torch.backends.mha.get_fastpath_enabled(), torch._C._get_mkldnn_enabled()  # noqa: SLF001
    torch.backends.mha.set_fastpath_enabled(False)
    # Alone: `torch.backends.mkldnn.flags` sets more, and warns of it.
    torch._C._set_mkldnn_enabled(False)  # noqa: SLF001
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused[0])
        torch._C._set_mkldnn_enabled(fused[1])  # noqa: SLF001


def attention_operations(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """Count the operations of attention over such shapes as a CPU computes it.

    torch's own counter leaves that operator out.
    """
    return int(sdpa_flop_count(query, key, value))


ATTENTION = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu  # noqa: SLF001
_COUNTS = {**flop_registry, ATTENTION: shape_wrapper(attention_operations)}


class _Operations(TorchDispatchMode):
    """Counts what torch's own counter does, for which it would import its compiler: a second."""

    supports_higher_order_operators = True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        kwargs = kwargs or {}
        count = _COUNTS.get(func.overloadpacket)
        if count is None:
            with self:  # It may be made of what can be counted.
                made = func.decompose(*args, **kwargs)
            if made is not NotImplemented:
                return made
        out = func(*args, **kwargs)
        if count is not None:
            self.operations += count(*args, **kwargs, out_val=out)
        return out


class _Shapes(_Operations):
    """Counts where there are no numbers; raises TypeError where the way depends on them."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        if {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape} & set(func.tags):
            raise TypeError(f"{func} depends on numbers")
        return super().__torch_dispatch__(func, types, args, kwargs)
