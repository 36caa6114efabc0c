"""The data sets by name."""

from __future__ import annotations

from collections.abc import Callable

from bakeoff.data.dataset import Dataset
from bakeoff.data.readers.digits import load_digits
from bakeoff.data.readers.mnist import load_mnist
from bakeoff.errors import StudyError, did_you_mean

SOURCES: dict[str, Callable[[], Dataset]] = {
    "mnist": load_mnist,
    "digits": load_digits,
}


def load_dataset(name: str) -> Dataset:
    """Return the data set called `name`; raise StudyError, with the nearest name, if unknown."""
    if name not in SOURCES:
        raise StudyError(f"unknown data set {name!r}; {did_you_mean(name, SOURCES)}")
    return SOURCES[name]()
