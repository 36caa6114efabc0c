"""Encoded images, in files or as bytes: looked at first, decoded when they are asked for."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.readers.converted import converted
from bakeoff.data.readers.decode import Header, Target
from bakeoff.data.readers.decoders import DecoderEndedError, Images, Look, answers
from bakeoff.data.readers.stock import MixedSizesError, Stock
from bakeoff.errors import DataError
from bakeoff.files.cores import usable_cores
from bakeoff.study.protocol import Protocol

# A process takes a quarter of a second to start: less work than it saves is done here.
_LOOKS_FOR_A_PROCESS = 4_000
_PIXELS_FOR_A_PROCESS = 20_000_000

_BLOCK = 4_000_000  # Bytes of pixels that are handed on at a time, or one image.
_MOST_IN_A_BLOCK = 128


def encoded_stock(
    where: str,
    images: Images,
    *,
    parts: Sequence[str],
    labels: Sequence[str],
    names: Sequence[str],
    groups: Sequence[str] | None,
    protocol: Protocol,
    notes: Sequence[str] = (),
) -> Stock:
    """Return the stock of images that lie in files, or are bytes; the columns are of one length.

    Each is read once to learn its size, its kind and its hash, and again when it is decoded.
    `images` may fetch each only when it is asked for: that is in the order of their numbers.
    `protocol.image_size`, `fit` and `colour` say what they are brought to. Raises DataError, naming
    them, where images cannot be read, or where they are of several sizes and nothing says which
    they shall be of.
    """
    looks = _looks(where, images, names)
    headers = [look.header for look in looks]
    target = _target(where, headers, names, protocol)
    columns = (parts, labels, names, groups or [""] * len(looks), [look.sha256 for look in looks])
    digest = hashlib.sha256()
    for row in zip(*columns, strict=True):
        digest.update(json.dumps(row).encode())
    return Stock(
        where=where,
        sha256=digest.hexdigest(),
        image_shape=(target.channels, target.height, target.width),
        parts=parts,
        labels=labels,
        names=names,
        groups=groups,
        blocks=partial(_blocks, where, images, names, headers, target),
        kinds=[header.kind for header in headers],
        notes=(*notes, *converted(headers, names, target)),
    )


def _looks(where: str, images: Images, names: Sequence[str]) -> list[Look]:
    processes = _processes(len(images) // _LOOKS_FOR_A_PROCESS)
    batches = _batches(range(len(images)), _MOST_IN_A_BLOCK)
    try:
        found = [
            look for answer in answers(images, batches, None, processes) for look in answer.looks
        ]
    except DecoderEndedError as error:
        raise DataError(f"{where}: {error}") from error
    odd = [(name, look) for name, look in zip(names, found, strict=True) if isinstance(look, str)]
    if odd:
        (name, reason), *others = odd
        more = f" (and {_listed([name for name, _ in others])})" if others else ""
        raise DataError(f"{where}: {name}{more}: {reason}")
    return [look for look in found if isinstance(look, Look)]


def _listed(names: Sequence[str], most: int = 5) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def _target(
    where: str, headers: Sequence[Header], names: Sequence[str], protocol: Protocol
) -> Target:
    """Return what all images are brought to: one size, and RGB unless none has any colour."""
    if protocol.colour is None:
        channels = 3 if any(header.colour for header in headers) else 1
    else:
        channels = 3 if protocol.colour == "rgb" else 1
    if protocol.image_size is not None:
        side = protocol.image_size
        height, width = side if isinstance(side, tuple) else (side, side)
        return Target(channels, height, width, protocol.fit or "crop")
    sizes = Counter((header.height, header.width) for header in headers)
    height, width = sizes.most_common(1)[0][0]
    for header, name in zip(headers, names, strict=True):
        if (header.height, header.width) != (height, width):
            raise MixedSizesError(
                f"{where}: {name} is {header.width} x {header.height} (width x height), most are "
                f"{width} x {height}: bring all to one size with "
                f"protocol.image_size = {min(height, width, 64)}, say"
            )
    return Target(channels, height, width, None)


def _blocks(
    where: str,
    images: Images,
    names: Sequence[str],
    headers: Sequence[Header],
    target: Target,
    indices: Sequence[int],
) -> Iterator[NDArray[np.uint8]]:
    """Yield the pixels of the images that `indices` name, in their order."""
    shape = (target.channels, target.height, target.width)
    pixels = sum(headers[index].height * headers[index].width for index in indices)
    each = _BLOCK // (target.channels * target.height * target.width)
    batches = _batches(indices, min(max(1, each), _MOST_IN_A_BLOCK))
    processes = min(_processes(pixels // _PIXELS_FOR_A_PROCESS), max(1, len(batches)))
    done = 0
    try:
        for answer in answers(images, batches, target, processes):
            if answer.trouble:
                position, reason = answer.trouble
                raise DataError(f"{where}: {names[indices[done + position]]}: {reason}")
            block = np.frombuffer(answer.pixels, np.uint8).reshape(-1, *shape)
            done += len(block)
            yield block
    except DecoderEndedError as error:
        first = names[indices[done]]
        raise DataError(f"{where}: {first}, or one after it: {error}") from error


def _processes(worth: int) -> int:
    return max(1, min(usable_cores(), worth))


def _batches(indices: Sequence[int], size: int) -> list[Sequence[int]]:
    return [indices[start : start + size] for start in range(0, len(indices), size)]
