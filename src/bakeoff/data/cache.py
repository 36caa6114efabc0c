"""From what a reader found to a data set: parts, classes, and pixels that are decoded once."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.data.held_back import Digests, digests_of, drawn_test_part
from bakeoff.data.kept import Draft, discard, drafted, kept_folder, marked, opened, remember
from bakeoff.data.parts import Arranged, arranged
from bakeoff.data.readers.stock import Stock
from bakeoff.errors import DataError
from bakeoff.files.memory import usable_memory
from bakeoff.study.protocol import Protocol
from bakeoff.text import counted

_FORMAT = 1
"""Counts up where the same source and protocol come to other arrays or other files."""
_KEYS = ("image_size", "fit", "colour", "test", "group")
"""Of the protocol: what the arrays depend on."""

_MOMENT = 2 * 10**9
"""Nanoseconds within which a file system may give two changes the same time."""

Say = Callable[[str], None]


def dataset_of(stock: Stock, protocol: Protocol, say: Say, mark: str = "") -> Dataset:
    """Return the images of a stock as a data set, decoded once and kept for the next time.

    mark: what `remembered` will know the source by, if anything. `say` hears, a line each, what was
    passed over, converted or decided. The images are mapped from the user's cache; where that
    cannot be written, they are in memory. Raises DataError where classes, parts or pixels are
    wrong, and StudyError where the protocol does not suit them.
    """
    plan = arranged(stock)
    folder, key = kept_folder(), _key(stock, protocol)
    dataset = _opened(folder, key, protocol, say) if folder else None
    if folder and dataset and mark:
        remember(folder, mark, key)
    return dataset or _made(stock, plan, protocol, key, say, mark)


def remembered(mark: str, protocol: Protocol, say: Say) -> Dataset | None:
    """Return the data set that came of a source with this mark, without reading the source."""
    folder = kept_folder()
    key = marked(folder, mark) if folder and mark else ""
    return _opened(folder, key, protocol, say) if folder and key else None


def mark_of(path: Path, protocol: Protocol) -> str:
    """Return what a source is known by without reading it; nothing where that is not safe.

    It is made of the names, lengths, times of last change and numbers of all files below `path`.
    What was changed a moment ago may change again in the same moment; and a link to a folder leads
    to files that are not looked at.
    """
    digest = hashlib.sha256(json.dumps([_FORMAT, _asked(protocol)]).encode())
    newest = 0
    try:
        for file in _files_of(path):
            status = os.stat(file)  # noqa: PTH116  Of 100,000 files each step counts.
            times = (status.st_mtime_ns, status.st_ctime_ns)
            digest.update(repr((file, status.st_size, status.st_ino, times)).encode())
            newest = max(newest, *times)
    except OSError:
        return ""
    return digest.hexdigest() if newest < time.time_ns() - _MOMENT else ""


def _files_of(path: Path) -> Iterator[str]:
    """Yield a file, or all files below a folder. Raises OSError where a folder is linked."""
    if not path.is_dir():
        yield os.fspath(path)
        return

    def refuse(error: OSError) -> NoReturn:
        raise error

    for folder, folders, files in os.walk(os.fspath(path), onerror=refuse):
        folders.sort()
        if any(Path(folder, each).is_symlink() for each in folders):
            raise OSError(f"{folder}: a link to a folder")
        yield from (f"{folder}/{name}" for name in sorted(files))


def _asked(protocol: Protocol) -> list[Any]:
    return [getattr(protocol, key) for key in _KEYS]


def _key(stock: Stock, protocol: Protocol) -> str:
    text = json.dumps([_FORMAT, stock.sha256, stock.image_shape, _asked(protocol)])
    return hashlib.sha256(text.encode()).hexdigest()


def _opened(folder: Path, key: str, protocol: Protocol, say: Say) -> Dataset | None:
    """Return the data set that is kept under this key; None where it is not what it was."""
    entry = opened(folder, key)
    if entry is None:
        return None
    about = entry.about
    dataset = replace(
        _dataset(
            entry.images,
            entry.labels,
            entry.groups,
            about["trains"],
            tuple(about["classes"]),
            protocol.dataset,
        ),
        mapped=True,
        known_sha256="" if entry.changed else about["sha256"],
    )
    if dataset.sha256 != about["sha256"]:
        discard(folder, key)
        return None
    for note in about["notes"]:
        say(f"{protocol.dataset}: {note}")
    return dataset


def _dataset(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64] | None,
    trains: int,
    classes: tuple[str, ...],
    name: str,
) -> Dataset:
    """Return the data set of images of which the first `trains` train."""
    return Dataset(
        name=name,
        classes=classes,
        train_images=images[:trains],
        train_labels=labels[:trains],
        test_images=images[trains:],
        test_labels=labels[trains:],
        train_groups=None if groups is None else groups[:trains],
        test_groups=None if groups is None else groups[trains:],
    )


def _made(
    stock: Stock, plan: Arranged, protocol: Protocol, key: str, say: Say, mark: str
) -> Dataset:
    """Decode the images, into the cache where that is possible."""
    shape = (len(plan.labels), *stock.image_shape)
    folder, reason = kept_folder(), "there is no folder for caches"
    try:
        if folder:
            with drafted(folder, key, shape) as draft:
                _keep(draft, stock, plan, protocol)
            dataset = _opened(folder, key, protocol, say)
            if dataset:
                if mark:
                    remember(folder, mark, key)
                return dataset
            reason = "what was written cannot be read"
    except OSError as error:
        reason = error.strerror or str(error)
    needed, memory = math.prod(shape), usable_memory()
    if needed > memory // 2:
        raise DataError(
            f"{stock.where}: {needed:,} bytes of pixels do not fit into half of the memory "
            f"({memory:,}), nor into the cache {folder} ({reason}); give BAKEOFF_CACHE a folder "
            "with room, or a smaller protocol.image_size"
        )
    dataset, notes = _in_memory(np.empty(shape, np.uint8), stock, plan, protocol)
    kept = f"images stay in memory, nothing is kept in {folder}: {reason}"
    for note in (*notes, kept):
        say(f"{protocol.dataset}: {note}")
    return dataset


def _in_memory(
    images: NDArray[np.uint8], stock: Stock, plan: Arranged, protocol: Protocol
) -> tuple[Dataset, list[str]]:
    filled = 0

    def put(block: NDArray[np.uint8]) -> None:
        nonlocal filled
        images[filled : filled + len(block)] = block
        filled += len(block)

    digests = _decoded(stock, put)
    return _arranged(images, stock, plan, protocol, digests)


def _keep(draft: Draft, stock: Stock, plan: Arranged, protocol: Protocol) -> None:
    digests = _decoded(stock, draft.append)
    dataset, notes = _arranged(draft.images(), stock, plan, protocol, digests)
    labels = np.concatenate([dataset.train_labels, dataset.test_labels])
    groups = None
    if dataset.train_groups is not None and dataset.test_groups is not None:
        groups = np.concatenate([dataset.train_groups, dataset.test_groups])
    about = {
        "sha256": dataset.sha256,
        "trains": len(dataset.train_labels),
        "classes": list(dataset.classes),
        "notes": notes,
    }
    del dataset  # The mapping ends, and with it the changes of the file.
    draft.keep(labels, groups, about)


def _arranged(
    images: NDArray[np.uint8],
    stock: Stock,
    plan: Arranged,
    protocol: Protocol,
    digests: Digests,
) -> tuple[Dataset, list[str]]:
    """Return the data set of images in the order of the stock, which are put into its own order.

    With it comes all that is to be said of it.
    """
    tests, found = _divided(stock, plan, protocol, digests)
    order = np.concatenate([np.flatnonzero(~tests), np.flatnonzero(tests)])
    _reorder(images, order)
    groups = None if plan.groups is None else plan.groups[order]
    trains = len(tests) - int(tests.sum())
    dataset = _dataset(images, plan.labels[order], groups, trains, plan.classes, protocol.dataset)
    return dataset, [*stock.notes, *plan.notes, *found]


def _decoded(stock: Stock, put: Callable[[NDArray[np.uint8]], object]) -> Digests:
    """Put all images, in the order of the stock, where they belong; return their digests."""
    digests, images = [], 0
    for block in stock.blocks(range(len(stock.labels))):
        put(block)
        digests.append(digests_of(block))
        images += len(block)
    if images != len(stock.labels):
        raise DataError(
            f"{stock.where}: {images:,} images came of {len(stock.labels):,}; it changed while it "
            "was read"
        )
    return np.concatenate(digests)


def _divided(
    stock: Stock, plan: Arranged, protocol: Protocol, digests: Digests
) -> tuple[NDArray[np.bool_], list[str]]:
    """Return which images test, and what is to be said of that."""
    if plan.tests is not None:
        return plan.tests, _leaks(stock, plan.tests, digests)
    share = protocol.test or Protocol(dataset=".").test or 0.0
    tests = drawn_test_part(plan.labels, plan.groups, digests, share)
    number = int(tests.sum())
    return tests, [
        f"no test part: {counted(number, 'image')} of {len(tests):,} set aside to test on, chosen "
        "by their pixels, nearly the same share of each class"
    ]


def _leaks(stock: Stock, tests: NDArray[np.bool_], digests: Digests) -> list[str]:
    """Return a line where test images are also training images."""
    image = np.unique(digests, axis=0, return_inverse=True)[1].reshape(-1)
    leaked = np.flatnonzero(tests & np.isin(image, image[~tests]))
    if not leaked.size:
        return []
    first = leaked[0]
    twin = np.flatnonzero(~tests & (image == image[first]))[0]
    is_are = "is" if leaked.size == 1 else "are"
    return [
        f"{counted(int(leaked.size), 'test image')} {is_are} also in training "
        f"({stock.names[first]} is {stock.names[twin]}): scores on them show what was learnt by "
        "heart"
    ]


def _reorder(images: NDArray[np.uint8], order: NDArray[np.int64]) -> None:
    """Let each image be the one that was at its place in `order`, without a second array."""
    todo = order != np.arange(len(order))
    for start in np.flatnonzero(todo).tolist():
        if todo[start]:
            first, place = images[start].copy(), start
            while order[place] != start:
                images[place] = images[order[place]]
                todo[place] = False
                place = order[place]
            images[place] = first
            todo[place] = False
