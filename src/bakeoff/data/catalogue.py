"""The data sets by name, each as what is known of it before it is loaded."""

from __future__ import annotations

from bakeoff.data.dataset import Dataset, Source
from bakeoff.data.readers.digits import DIGITS
from bakeoff.data.readers.mnist import MNIST
from bakeoff.errors import StudyError, look_up

SOURCES: dict[str, Source] = {source.name: source for source in (MNIST, DIGITS)}


def load_dataset(name: str) -> Dataset:
    """Return the data set called `name`; raise StudyError, with the nearest name, if unknown."""
    return look_up(name, SOURCES, "unknown data set", StudyError).load()
