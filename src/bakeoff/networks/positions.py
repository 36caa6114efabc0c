"""Where a stream of random numbers stands, as a tensor, and how it is taken there again."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

_WORDS = 624
"""Of the Mersenne Twister that Python and NumPy share."""


@dataclass(frozen=True)
class Stream:
    """Random numbers that are drawn one after the other."""

    position: Callable[[], torch.Tensor]
    """Returns where it stands; its shape and type are always the same."""
    go_to: Callable[[torch.Tensor], None]
    """Takes it there; raises ValueError or RuntimeError where no stream can stand there."""


def _python_position() -> torch.Tensor:
    """Return float64 [626]: words, place, and the number that `gauss` has in hand, NaN for none."""
    _, words, in_hand = random.getstate()
    return torch.tensor([*words, math.nan if in_hand is None else in_hand], dtype=torch.float64)


def _python_go_to(position: torch.Tensor) -> None:
    words, in_hand = _whole(position[:-1]), position[-1].item()
    random.setstate((3, tuple(words), None if math.isnan(in_hand) else in_hand))


def _numpy_position() -> torch.Tensor:
    """Return float64 [627]: words, place, and the normal number in hand: whether, and which."""
    _, words, place, has_normal, normal = np.random.get_state()  # noqa: NPY002
    numbers = [*np.asarray(words).tolist(), place, has_normal, normal]
    return torch.tensor(numbers, dtype=torch.float64)


def _numpy_go_to(position: torch.Tensor) -> None:
    *words, place = _whole(position[:-2])
    has_normal, normal = position[-2:].tolist()
    if has_normal not in (0, 1) or not math.isfinite(normal):
        raise ValueError("no normal number can be in hand")
    state = ("MT19937", np.array(words, dtype=np.uint32), place, int(has_normal), normal)
    np.random.set_state(state)  # noqa: NPY002


def _whole(numbers: torch.Tensor) -> list[int]:
    """Return the words of a Mersenne Twister and its place; NumPy would read past the end."""
    *words, place = numbers.tolist()
    if not all(0 <= word < 1 << 32 and word == int(word) for word in words):
        raise ValueError("not words of 32 bits")
    if place not in range(_WORDS + 1):
        raise ValueError("no place in the words")
    return [*map(int, words), int(place)]


PYTHON = Stream(_python_position, _python_go_to)
"""Of the module `random`."""

NUMPY = Stream(_numpy_position, _numpy_go_to)
"""What NumPy's module-level functions draw from."""
