"""Which images train and which test, and what the classes are called and numbered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import LONGEST_NAME
from bakeoff.data.readers.stock import Stock
from bakeoff.errors import DataError
from bakeoff.text import counted, shortened, visible

_SHOWN = 5


@dataclass(frozen=True, eq=False)
class Arranged:
    """The images of a stock with the numbers of their classes."""

    classes: tuple[str, ...]
    """In natural order."""
    labels: NDArray[np.int64]
    """[n]."""
    groups: NDArray[np.int64] | None
    """[n]."""
    tests: NDArray[np.bool_] | None
    """[n], which are test images; None where the source has no parts."""
    notes: tuple[str, ...]


def arranged(stock: Stock) -> Arranged:
    """Return classes and parts; raise DataError, before a pixel is read, where they are wrong."""
    tests, notes = _tests(stock)
    classes = _classes(stock, tests)
    numbers = {name: number for number, name in enumerate(classes)}
    labels = np.array([numbers[label] for label in stock.labels], dtype=np.int64)
    groups = None
    if stock.groups is not None:
        # As text: of several types numpy would make one.
        groups = np.unique(np.array(stock.groups, dtype=str), return_inverse=True)[1]
        groups = groups.astype(np.int64)
    if tests is not None:
        notes += _without_test_images(classes, labels[tests])
        if groups is not None:
            notes += _divided_groups(stock, groups, tests)
    return Arranged(classes, labels, groups, tests, tuple(notes))


def _tests(stock: Stock) -> tuple[NDArray[np.bool_] | None, list[str]]:
    """Return which images the source sets aside to test on, and what becomes of other parts."""
    parts = np.array(stock.parts, dtype=str)
    validates = np.flatnonzero(parts == "validation")
    if not np.any(parts != ""):
        return None, []
    if np.all(parts == "test"):
        raise DataError(f"{stock.where}: images to train on are missing; add a training part")
    if not np.any(parts == "test"):
        if not validates.size or not np.any(parts == "train"):
            only = " and ".join(sorted({part or "no part" for part in stock.parts}))
            raise DataError(
                f"{stock.where}: images to test on are missing, there is {only} alone; add a test "
                "part, or give the images without parts, so that one is taken from them"
            )
        return parts == "validation", [
            f"without a test part, the {counted(len(validates), 'validation image')} are it; each "
            "seed draws its own validation part from the training images"
        ]
    if not validates.size:
        return parts == "test", []
    return parts == "test", [
        f"{counted(len(validates), 'validation image')} joined the training images, from which "
        "each seed draws its own validation part"
    ]


def _classes(stock: Stock, tests: NDArray[np.bool_] | None) -> tuple[str, ...]:
    trains = np.ones(len(stock.labels), dtype=np.bool_) if tests is None else ~tests
    known = {stock.labels[index] for index in np.flatnonzero(trains).tolist()}
    for index in np.flatnonzero(~trains).tolist():
        if stock.labels[index] not in known:
            raise DataError(
                f"{stock.where}: {stock.names[index]}: class {stock.labels[index]} has test images "
                f"and no training images (there are {_listed(natural_order(known))}); add some, or "
                "leave it out"
            )
    if len(known) < 2:
        only = f"one class ({known.pop()}) only" if known else "no images to train on"
        raise DataError(f"{stock.where}: {only}, at least two are needed; add another class")
    for index, name in enumerate(stock.labels):
        if not 0 < len(name) <= LONGEST_NAME or visible(name) != name:
            raise DataError(
                f"{stock.where}: {stock.names[index]}: class {shortened(name)!r}: a name has 1 to "
                f"{LONGEST_NAME} characters, all of them visible; rename it"
            )
    return tuple(natural_order(known))


def natural_order(names: set[str]) -> list[str]:
    """Return names as a person orders them: 0, 1, 2, 10, 11."""
    return sorted(names, key=lambda name: (_pieces(name), name))


def _pieces(name: str) -> list[tuple[int, int, str]]:
    """Return texts and numbers in turn, so that like is compared with like."""
    number = re.fullmatch(r"-\d{1,64}", name)
    if number:
        return [(0, int(name), "")]
    pieces = re.split(r"(\d{1,64})", name.casefold())
    return [(1, int(each), "") if each.isdecimal() else (2, 0, each) for each in pieces if each]


def _without_test_images(classes: Sequence[str], labels: NDArray[np.int64]) -> list[str]:
    tested = np.bincount(labels, minlength=len(classes))
    missing = [name for name, count in zip(classes, tested, strict=True) if not count]
    if not missing:
        return []
    noun, verb = ("class", "has") if len(missing) == 1 else ("classes", "have")
    return [
        f"{noun} {_listed(missing)} {verb} no test images; balanced accuracy is the mean over the "
        "others"
    ]


def _divided_groups(stock: Stock, groups: NDArray[np.int64], tests: NDArray[np.bool_]) -> list[str]:
    both = np.intersect1d(groups[tests], groups[~tests])
    if not both.size:
        return []
    first = int(np.flatnonzero(groups == both[0])[0])
    name = (stock.groups or [])[first]
    return [
        f"{counted(len(both), 'group')} with images both in training and in test (first: {name})"
    ]


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest:,} more" if rest > 0 else "")
