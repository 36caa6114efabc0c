"""Code of other people, run so that nothing of it is felt elsewhere, and told in one line.

While a network is imported and made, its code sees an empty command line and an empty input; what
it prints goes to standard error; what it draws, sets or changes in this process is set back; and it
is stopped where it trains or does not return.
"""

from __future__ import annotations

import io
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from functools import partial
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch._C import _current_graph_task_id
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode

from bakeoff.networks.randomness import states_as_they_were
from bakeoff.networks.stopping import StoppedError, limited

LIMIT = 30.0
"""Seconds in which a network has to be imported, or made."""


_TRAINS = "it trains before it is asked to"


@contextmanager
def guest(argument: str, seconds: float = LIMIT) -> Iterator[None]:
    """Keep what runs inside from the rest of the process.

    argument: all that it finds in `sys.argv`. Raises `StoppedError` inside where it takes longer.
    """
    with ExitStack() as lasting:
        lasting.enter_context(_process_as_it_was(argument))
        lasting.enter_context(_torch_as_it_was())
        lasting.enter_context(states_as_they_were())
        lasting.enter_context(redirect_stdout(sys.stderr))
        lasting.enter_context(limited(seconds))
        yield


@contextmanager
def untrained() -> Iterator[None]:
    """Stop what this thread does inside if it takes a gradient or the step of an optimizer.

    A thread that it starts is stopped at the step, and told when this one comes to its end.
    """
    thread, begun = threading.current_thread(), set[threading.Thread]()
    watch, start = _NoGradient(), threading.Thread.start

    def started(other: threading.Thread) -> None:
        if threading.current_thread() is thread:
            begun.add(other)
        start(other)

    def stop(*_: Any) -> None:
        if threading.current_thread() is thread:
            watch.stop()
        if threading.current_thread() in begun:
            watch.stopped = StoppedError(_TRAINS)
            raise SystemExit  # Which ends a thread without a word.

    hook = register_optimizer_step_pre_hook(stop)
    try:
        with watch, mock.patch.object(threading.Thread, "start", started):
            yield
    finally:
        hook.remove()
    if watch.stopped is not None:  # It was caught inside.
        raise watch.stopped


class _NoGradient(TorchDispatchMode):
    """Raises `StoppedError` in a backward pass."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.stopped: StoppedError | None = None

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def stop(self) -> None:
        self.stopped = StoppedError(_TRAINS)
        raise self.stopped

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        if _current_graph_task_id() >= 0:
            self.stop()
        return func(*args, **(kwargs or {}))


@contextmanager
def _process_as_it_was(argument: str) -> Iterator[None]:
    folder, path, limit = _folder(), list(sys.path), sys.getrecursionlimit()
    with (
        warnings.catch_warnings(),
        np.errstate(),
        mock.patch.object(sys, "argv", [argument]),
        mock.patch.object(sys, "stdin", io.StringIO()),
        mock.patch.dict(os.environ),
        mock.patch.object(os, "_exit", partial(_end, os.getpid(), os._exit)),
    ):
        try:
            yield
        finally:
            sys.path[:] = path
            sys.setrecursionlimit(limit)
            if folder is not None and _folder() != folder:
                os.chdir(folder)


def _end(process: int, end: Callable[[int], Any], status: int) -> None:
    """Let code that ends this process without a word be told of; raise SystemExit."""
    ours = str(sys._getframe(1).f_globals.get("__name__")).startswith("bakeoff.")  # noqa: SLF001
    if ours or os.getpid() != process:  # A second Ctrl-C; a child of fork.
        end(status)
    raise SystemExit(status)


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109
    except OSError:  # It was removed.
        return None


_SETTINGS: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
)
"""How each is read, and set."""


def shared_settings() -> tuple[Any, ...]:
    """Return what is set for all code of this process, in an order that stays."""
    return tuple(read() for read, _ in _SETTINGS)


@contextmanager
def _torch_as_it_was() -> Iterator[None]:
    settings = [(read(), read, write) for read, write in _SETTINGS]
    device, cudnn = torch.get_default_device(), torch.backends.cudnn
    with cudnn.flags(cudnn.enabled, cudnn.benchmark, cudnn.benchmark_limit, cudnn.deterministic,
                     cudnn.allow_tf32):  # fmt: skip
        try:
            yield
        finally:
            if torch.get_default_device() != device:
                # None rather than the CPU: naming a device slows every call.
                torch.set_default_device(None if device.type == "cpu" else device)
            for before, read, write in settings:
                if read() != before:
                    write(before)
