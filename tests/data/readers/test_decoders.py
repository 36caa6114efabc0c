from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bakeoff.data.readers import decoders
from bakeoff.data.readers.decode import Target, look
from bakeoff.data.readers.decoders import Answer, DecoderEndedError, Encoded, Look, answers
from tests.data.readers.pictures import picture

LEVELS = list(range(0, 250, 10))
TARGET = Target(1, 2, 3, None)
BATCHES = [[0, 1, 2], [5, 4], [24], [7, 8, 9, 10], [3]]


def png(level: int) -> bytes:
    return picture(colour=level, size=(3, 2))


@pytest.fixture
def images(tmp_path: Path) -> list[Encoded]:
    """Return small images, every other in a file, one of them with an odd name."""
    found: list[Encoded] = []
    for number, level in enumerate(LEVELS):
        file = tmp_path / f"a\n\udce9 {number}.png"
        file.write_bytes(png(level))
        found.append(file if number % 2 else png(level))
    return found


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Return the processes that are started from now on."""
    found: list[subprocess.Popen[bytes]] = []

    class Seen(subprocess.Popen[bytes]):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[call-overload]
            found.append(self)

    monkeypatch.setattr(subprocess, "Popen", Seen)
    return found


@pytest.mark.parametrize("processes", [1, 2])
def test_images_are_decoded_in_order(processes: int, images: list[Encoded]) -> None:
    found = list(answers(images, BATCHES, TARGET, processes))
    for batch, answer in zip(BATCHES, found, strict=True):
        pixels = np.frombuffer(answer.pixels, np.uint8).reshape(-1, 1, 2, 3)
        assert pixels[:, 0, 0, 0].tolist() == [LEVELS[index] for index in batch]
        assert (answer.looks, answer.trouble) == ([], None)


@pytest.mark.parametrize("processes", [1, 2])
def test_images_are_looked_at(processes: int, images: list[Encoded]) -> None:
    images[1] = b"nothing"
    [answer] = answers(images, [[0, 1, 2]], None, processes)
    why = "not an image of a kind that is read; get the file again, or take it out"
    first, last = png(LEVELS[0]), png(LEVELS[2])
    assert answer == Answer(
        [
            Look(hashlib.sha256(first).hexdigest(), look(first)),
            why,
            Look(hashlib.sha256(last).hexdigest(), look(last)),
        ],
        b"",
    )


@pytest.mark.parametrize("processes", [1, 2])
def test_what_cannot_be_decoded_is_told_with_its_place(
    processes: int, images: list[Encoded], tmp_path: Path
) -> None:
    images[4] = tmp_path / "gone.png"
    first, second = answers(images, [[0, 1], [3, 4, 5]], TARGET, processes)
    assert first.trouble is None
    why = "No such file or directory; make it a file that can be read, or take it out"
    assert second == Answer([], b"", (1, why))


def test_processes_end_with_the_work(
    images: list[Encoded], started: list[subprocess.Popen[bytes]]
) -> None:
    assert len(list(answers(images, BATCHES, TARGET, 2))) == 5
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)


@pytest.mark.parametrize("stop", [GeneratorExit, KeyboardInterrupt])
def test_processes_end_where_nobody_waits_any_more(
    stop: type[BaseException], images: list[Encoded], started: list[subprocess.Popen[bytes]]
) -> None:
    found = answers(images, BATCHES * 100, TARGET, 2)
    next(found)
    assert [process.poll() for process in started] == [None, None]
    with pytest.raises(stop):
        found.throw(stop())  # type: ignore[attr-defined]
    assert [process.returncode for process in started] == [-9, -9]


@pytest.mark.parametrize(
    ("program", "how"),
    [
        ("raise SystemExit(3)", "with code 3"),
        ("import os; os.kill(os.getpid(), 11)", "by signal 11"),
        ("import sys; sys.stdin.readline(); print('[[], 100, null]'); raise SystemExit(4)",
         "with code 4"),
    ],
)  # fmt: skip
def test_a_process_that_ends_is_told(
    program: str, how: str, images: list[Encoded], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoders, "_PROGRAM", program)
    with pytest.raises(DecoderEndedError) as caught:
        list(answers(images, BATCHES, TARGET, 2))
    assert str(caught.value) == f"the process that decodes it was ended {how}"


def test_few_images_are_fetched_ahead(images: list[Encoded]) -> None:
    fetched: list[int] = []

    class Fetching:
        def __len__(self) -> int:
            return len(images)

        def __getitem__(self, index: int) -> Encoded:
            fetched.append(index)
            return images[index]

    found = answers(Fetching(), [[index] for index in range(25)], TARGET, 2)
    next(found)
    assert fetched == [0, 1, 2, 3]
    assert len(list(found)) == 24
    assert fetched == list(range(25))


def test_a_decoder_imports_little() -> None:
    code = "import bakeoff.data.readers.decoders, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "PIL.Image" in loaded
    assert not {"torch", "scipy", "pydantic", "bakeoff.engine"} & set(loaded)
