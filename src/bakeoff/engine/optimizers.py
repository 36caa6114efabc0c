"""PyTorch's optimizers, without the question whether `torch.compile` looks on.

The first optimizer of a process asks it as it is made, and for an answer imports `torch._dynamo`: a
second or more, in each process that trains, of which nothing here has any use.
"""

from __future__ import annotations

import inspect
from typing import TypeVar

import torch
from torch.optim import Optimizer

_Kind = TypeVar("_Kind", bound=type[Optimizer])


def _never_compiled(kind: _Kind) -> _Kind:
    """Let a class of optimizers do the same as ever, by the functions that PyTorch has wrapped."""
    for name in ("add_param_group", "load_state_dict", "state_dict", "zero_grad"):
        setattr(kind, name, inspect.unwrap(getattr(kind, name)))
    kind.step = torch.no_grad()(inspect.unwrap(kind.step))  # type: ignore[method-assign]
    return kind


@_never_compiled
class SGD(torch.optim.SGD):
    """Stochastic gradient descent."""


@_never_compiled
class Adam(torch.optim.Adam):
    """Adam."""


@_never_compiled
class AdamW(torch.optim.AdamW):
    """Adam, with weights that decay beside it."""
