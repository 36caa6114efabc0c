"""Processes that look at images and decode them, several at once and in order.

They share nothing with this process but pipes, so its threads and locks are no danger to them, and
an image that ends a decoder does not end this process. Each imports Pillow and NumPy alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO, NamedTuple, Protocol, cast

from bakeoff.data.readers.decode import Header, Target, decode, look
from bakeoff.errors import UnreadableError
from bakeoff.files.reading import read_file
from bakeoff.files.search_paths import safe_environment

Encoded = Path | bytes
"""A file that holds an image, or the image itself."""


class Images(Protocol):
    """Encoded images by their number; one that is asked for may be fetched only then."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Encoded: ...


MOST_BYTES = 100_000_000
"""Of one encoded image, which is read whole."""

_PROGRAM = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import bakeoff
del sys.path[0]
from bakeoff.data.readers.decoders import main
main()
"""
"""The package of this process, wherever it was found, and nothing else from beside it."""


class Look(NamedTuple):
    """What is found in an image that is not unpacked."""

    sha256: str
    """Of the encoded bytes."""
    header: Header


class Answer(NamedTuple):
    """What became of some images: looks or pixels, as was asked."""

    looks: list[Look | str]
    """Of each image, or why there is none."""
    pixels: bytes | bytearray
    """uint8 [images, channels, height, width]."""
    trouble: tuple[int, str] | None = None
    """The first that could not be decoded, counted from 0, and why."""


class DecoderEndedError(Exception):
    """A process ended before it had answered: an image can do that to a library in C."""

    def __init__(self, code: int) -> None:
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        super().__init__(f"the process that decodes it was ended {how}")


Ask = Callable[[Sequence[Encoded]], "Future[Answer]"]


def answers(
    images: Images,
    batches: Sequence[Sequence[int]],
    target: Target | None,
    processes: int,
) -> Iterator[Answer]:
    """Yield what becomes of each batch of indices into `images`, in order.

    target: what they are decoded to; None to look at them. processes: how many work at it; with 1
    it is this one. No more than two batches for each are in memory. Raises DecoderEndedError.
    """
    if processes == 1:
        for batch in batches:
            yield _answer([images[index] for index in batch], target)
        return
    with _started(processes, target) as ask:
        waiting: deque[Future[Answer]] = deque()
        for batch in batches:
            waiting.append(ask([images[index] for index in batch]))
            if len(waiting) == 2 * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _answer(images: Sequence[Encoded], target: Target | None) -> Answer:
    if target is None:
        return Answer([_look(image) for image in images], b"")
    pixels = bytearray()
    for position, image in enumerate(images):
        try:
            pixels += decode(_content(image), target).data
        except UnreadableError as error:
            return Answer([], b"", (position, str(error)))
    return Answer([], pixels)


def _look(image: Encoded) -> Look | str:
    try:
        content = _content(image)
        return Look(hashlib.sha256(content).hexdigest(), look(content))
    except UnreadableError as error:
        return str(error)


def _content(image: Encoded) -> bytes:
    if isinstance(image, bytes):
        return image
    try:
        return read_file(image, MOST_BYTES)
    except UnreadableError as error:
        named = str(UnreadableError(f"{image}: "))  # Who asked knows it by a better name.
        reason = str(error).removeprefix(named)
        raise UnreadableError(
            f"{reason}; make it a file that can be read, or take it out"
        ) from error


@contextmanager
def _started(processes: int, target: Target | None) -> Iterator[Ask]:
    """Start processes; give a way to ask whichever is free. Whatever happens, they end at once."""
    home = Path(__file__).absolute().parents[3]
    order = json.dumps(target)
    free: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
    started: list[subprocess.Popen[bytes]] = []

    def ask(images: Sequence[Encoded]) -> Answer:
        process = free.get()
        try:
            return _exchange(process, images)
        finally:
            free.put(process)

    threads = ThreadPoolExecutor(processes)
    try:
        for _ in range(processes):
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, str(home), order],
                # Pillow and NumPy would start threads of which none is of use here.
                env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"} | safe_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is this process's to answer.
            )
            started.append(process)
            free.put(process)
        yield lambda images: threads.submit(ask, images)
    finally:
        for process in started:
            process.kill()
        threads.shutdown(cancel_futures=True)
        for process in started:
            process.communicate()


# What goes through the pipes: a line of JSON, then as many bytes as it says.


def _exchange(process: subprocess.Popen[bytes], images: Sequence[Encoded]) -> Answer:
    """Send images to a process; return its answer. Raises DecoderEndedError."""
    asked, answered = cast("BinaryIO", process.stdin), cast("BinaryIO", process.stdout)
    try:
        listed = [len(image) if isinstance(image, bytes) else str(image) for image in images]
        asked.write(json.dumps(listed).encode() + b"\n")
        for image in images:
            if isinstance(image, bytes):
                asked.write(image)
        asked.flush()
        looks, length, trouble = json.loads(answered.readline())
        pixels = answered.read(length)
    except (OSError, ValueError) as error:  # Nobody hears, or the answer is cut short.
        raise DecoderEndedError(process.wait()) from error
    if len(pixels) != length:
        raise DecoderEndedError(process.wait())
    return Answer([_found(each) for each in looks], pixels, trouble and tuple(trouble))


def _found(sent: Any) -> Look | str:
    return sent if isinstance(sent, str) else Look(sent[0], Header(*sent[1]))


def main() -> None:
    """Answer what comes through standard input, until it ends, as its parent does."""
    target = json.loads(sys.argv[1])
    answers_to = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # What libraries print is no answer.
    _serve(sys.stdin.buffer, answers_to, Target(*target) if target else None)


def _serve(asked: BinaryIO, answered: BinaryIO, target: Target | None) -> None:
    while line := asked.readline():
        images = [
            asked.read(each) if isinstance(each, int) else Path(each) for each in json.loads(line)
        ]
        looks, pixels, trouble = _answer(images, target)
        answered.write(json.dumps([looks, len(pixels), trouble]).encode() + b"\n")
        answered.write(pixels)
        answered.flush()
