"""Streams of random numbers are taken back to where they stood, and nowhere else."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from bakeoff.networks.positions import NUMPY, PYTHON, Stream
from bakeoff.networks.randomness import OwnGenerator, states_as_they_were

OWN = OwnGenerator(5)


def from_python() -> list[float]:
    return [random.random(), random.gauss(0, 1), random.random()]  # noqa: S311


def from_numpy() -> list[float]:
    return [np.random.rand(), np.random.randn(), np.random.rand()]  # noqa: NPY002


def from_torch() -> list[float]:
    with OWN:
        drawn: list[float] = torch.randn(3).tolist()
    return drawn


@pytest.fixture(autouse=True)
def shared_as_it_was() -> Iterator[None]:
    with states_as_they_were():
        yield


@pytest.mark.parametrize(
    ("stream", "draw"),
    [(PYTHON, from_python), (NUMPY, from_numpy), (OWN.stream, from_torch)],
    ids=["python", "numpy", "torch"],
)
def test_a_stream_goes_on_where_it_stood(stream: Stream, draw: Callable[[], list[float]]) -> None:
    for _ in range(3):  # A normal number is in hand after an odd number of them.
        position = stream.position().clone()
        expected = [draw(), draw()]
        draw()
        stream.go_to(position)
        assert [draw(), draw()] == expected


@pytest.mark.parametrize(
    ("stream", "place", "value"),
    [
        (PYTHON, 0, -1.0),
        (PYTHON, 0, 2.0**32),
        (PYTHON, 0, 0.5),
        (PYTHON, 0, float("nan")),
        (PYTHON, 624, 625.0),
        (NUMPY, 3, -1.0),
        (NUMPY, 624, 625.0),  # NumPy would read past the end of its words.
        (NUMPY, 624, 0.5),
        (NUMPY, 625, 2.0),
        (NUMPY, 626, float("inf")),
    ],
)
def test_no_stream_stands_where_none_can(stream: Stream, place: int, value: float) -> None:
    position = stream.position()
    position[place] = value
    with pytest.raises(ValueError, match=r"^(not words of 32 bits|no place|no normal)"):
        stream.go_to(position)


def test_torch_refuses_what_is_no_state() -> None:
    with pytest.raises(RuntimeError):
        OWN.stream.go_to(torch.full_like(OWN.stream.position(), 255))
