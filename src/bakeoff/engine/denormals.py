"""Numbers so small that processors are slow with them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch

from bakeoff.engine.team import in_each_thread


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Take numbers below 1.2e-38 as zero while this lasts, in this thread and those of PyTorch.

    Adam's first moment of a unit that has died shrinks by a tenth in every step and ends among
    these numbers, each of which takes many processors a hundred cycles: after two epochs of
    `cnn-1conv` they were three quarters of all, and the optimizer took twenty times as long. No
    weight is near enough to zero to see the difference.
    """
    before = sys.float_info.min / 2 == 0.0
    in_each_thread(partial(torch.set_flush_denormal, True))
    try:
        yield
    finally:
        in_each_thread(partial(torch.set_flush_denormal, before))
