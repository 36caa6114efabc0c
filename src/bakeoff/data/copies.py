"""Images that stand in the data twice: across parts, inside one, under two labels, nearly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.data.finding import LISTED, Example, Finding, finding, listed
from bakeoff.data.held_back import Digests
from bakeoff.data.likeness import Looks, near_pairs
from bakeoff.data.readers.stock import Stock
from bakeoff.text import counted

PARTS = ("", "train", "validation", "test")
"""In this order: what stands in an earlier part too tells nothing new in a later one."""

Found = TypeVar("Found")


def copy_findings(stock: Stock, looks: Looks) -> list[Finding]:
    """Return what is found of equal and nearly equal images, the gravest first."""
    numbers = _numbered(looks.digests)
    sets = _equal_sets(numbers)
    near = _near(stock, looks, numbers, sets)
    return _equal_across(stock, sets) + near + _repeated(stock, sets)


def leaks(dataset: Dataset) -> tuple[str, ...]:
    """Return a line where test images of a data set are also among those for training, else none.

    Every image is read once, and those that might be equal once more.
    """
    sums_of_train, sums_of_test = _sums(dataset.train_images), _sums(dataset.test_images)
    train = np.flatnonzero(np.isin(sums_of_train, sums_of_test))
    test = np.flatnonzero(np.isin(sums_of_test, sums_of_train))
    first: dict[bytes, int] = {}
    for each in train.tolist():
        first.setdefault(dataset.train_images[each].tobytes(), each)
    found = [(each, first.get(dataset.test_images[each].tobytes())) for each in test.tolist()]
    pairs = [(each, equal) for each, equal in found if equal is not None]
    if not pairs:
        return ()
    leaked = [each for each, _ in pairs]
    shown = [f"test image {a} = training image {b}" for a, b in pairs[:LISTED]]
    other = sum(dataset.test_labels[a] != dataset.train_labels[b] for a, b in pairs)
    labelled = f", {other:,} of them with another label" if other else ""
    are = "is" if len(leaked) == 1 else "are"
    tests = counted(len(dataset.test_labels), "test image")
    return (
        f"{len(leaked):,} of {tests} {are} also in training{labelled}: "
        f"{listed(shown, len(leaked))}",
    )


_BLOCK = 4096
"""Images that are summed up at once."""


def _sums(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return a weighted sum of each image's bytes, the same for equal ones: uint64 [n].

    Eight bytes at a time, so that it takes a tenth of what digests do.
    """
    words = -(-images[0].size // 8) if len(images) else 0
    weights = np.random.default_rng(0).integers(1 << 63, size=words, dtype=np.uint64) | np.uint64(1)
    sums = np.empty(len(images), np.uint64)
    for start in range(0, len(images), _BLOCK):
        rows = images[start : start + _BLOCK].reshape(-1, images[0].size)
        if missing := 8 * words - rows.shape[1]:
            rows = np.pad(rows, ((0, 0), (0, missing)))
        sums[start : start + _BLOCK] = np.ascontiguousarray(rows).view(np.uint64) @ weights
    return sums


def _numbered(digests: Digests) -> NDArray[np.int64]:
    """Return a number for each image, int64 [n], the same for equal ones."""
    numbers: NDArray[np.int64] = np.unique(digests, axis=0, return_inverse=True)[1].reshape(-1)
    return numbers


def _equal_sets(numbers: NDArray[np.int64]) -> list[list[int]]:
    """Return the indices of images that are equal, those of each kind together, ascending."""
    sets: dict[int, list[int]] = defaultdict(list)
    for index in np.flatnonzero(np.bincount(numbers)[numbers] > 1).tolist():
        sets[int(numbers[index])].append(index)
    return list(sets.values())


def _equal_across(stock: Stock, sets: Sequence[Sequence[int]]) -> list[Finding]:
    """Return what is found of equal images in two parts, and under two labels."""
    leaked: dict[tuple[str, str], list[Example]] = defaultdict(list)
    contradicting: list[Example] = []
    for equal in sets:
        first_in: dict[str, int] = {}
        for index in sorted(equal, key=lambda each: PARTS.index(stock.parts[each])):
            part = stock.parts[index]
            for earlier, first in first_in.items():
                if earlier != part:
                    leaked[part, earlier].append((index, first))
            first_in.setdefault(part, index)
        other = [each for each in equal if stock.labels[each] != stock.labels[equal[0]]]
        contradicting += [(equal[0], each) for each in other]
    found = [
        finding("leak", _said(len(pairs), part, f"also in {earlier}"), pairs, stock.names, "=")
        for (part, earlier), pairs in _latest_first(leaked)
    ]
    if contradicting:
        said = _said(len(contradicting), "", "equal to one of another class")
        found.append(finding("contradiction", said, contradicting, _labelled(stock), "="))
    return found


def _repeated(stock: Stock, sets: Sequence[Sequence[int]]) -> list[Finding]:
    """Return what is found of equal images inside a part."""
    repeated: dict[str, list[Example]] = defaultdict(list)
    for equal in sets:
        for part in PARTS:
            here = [each for each in equal if stock.parts[each] == part]
            repeated[part] += [(each, here[0]) for each in here[1:]]
    return [
        finding(
            "repeated",
            _said(len(pairs), part, "a copy of another", "copies of others"),
            pairs,
            stock.names,
            "=",
        )
        for part, pairs in repeated.items()
        if pairs
    ]


def _near(
    stock: Stock, looks: Looks, numbers: NDArray[np.int64], sets: Sequence[Sequence[int]]
) -> list[Finding]:
    """Return what is found of nearly equal images: across parts, and under two labels.

    Without parts any two may come to stand on both sides, but for those of one group.
    """
    copied = {index: {stock.parts[each] for each in equal} for equal in sets for index in equal}
    leaked: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    contradicting: list[Example] = []
    for a, b in near_pairs(looks, _one_of_each(stock, sets)).tolist():
        if numbers[a] == numbers[b]:
            continue
        earlier, later = sorted((a, b), key=lambda each: PARTS.index(stock.parts[each]))
        part, before = stock.parts[later], stock.parts[earlier]
        apart = stock.groups is None or stock.groups[a] != stock.groups[b]
        known = part != before and before in copied.get(later, ())
        if (part != before or (not part and apart)) and not known:
            leaked[part, before].setdefault(later, earlier)
        if stock.labels[a] != stock.labels[b]:
            contradicting.append((a, b))
    found = [
        finding(
            "near-leak" if earlier else "near",
            _said(len(pairs), part, *_near_what(earlier)),
            [*pairs.items()],
            stock.names,
            "~",
        )
        for (part, earlier), pairs in _latest_first(leaked)
    ]
    if contradicting:
        number = len(contradicting)
        are = "is" if number == 1 else "are"
        said = f"{counted(number, 'pair')} of nearly equal images {are} of two classes"
        found.append(finding("near-contradiction", said, contradicting, _labelled(stock), "~"))
    return found


def _one_of_each(stock: Stock, sets: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Return the indices of all images but copies inside a part, int64 [m], ascending."""
    kept: NDArray[np.bool_] = np.ones(len(stock.labels), dtype=np.bool_)
    for equal in sets:
        kept[equal] = False
        kept[[*{stock.parts[each]: each for each in reversed(equal)}.values()]] = True
    return np.flatnonzero(kept)


def _latest_first(found: Mapping[tuple[str, str], Found]) -> list[tuple[tuple[str, str], Found]]:
    """Return what is found by (part, earlier part), the test part first, then by the earlier."""
    order = [(part, earlier) for part in reversed(PARTS) for earlier in PARTS]
    return sorted(found.items(), key=lambda each: order.index(each[0]))


def _said(number: int, part: str, one: str, several: str = "") -> str:
    """Return "1 test image is ...", "2 test images are ...", of which `several` may read apart."""
    noun = f"{part} image".lstrip()
    return f"{counted(number, noun)} " + (f"is {one}" if number == 1 else f"are {several or one}")


def _near_what(earlier: str) -> tuple[str, str]:
    if earlier:
        return f"nearly equal to one in {earlier}", ""
    return "nearly equal to another", "nearly equal to others"


def _labelled(stock: Stock) -> list[str]:
    return [f"{name} ({label})" for name, label in zip(stock.names, stock.labels, strict=True)]
