"""Locks: one holder, and none once it is dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bakeoff.errors import StoreError
from bakeoff.files import locks
from bakeoff.files.place import Place

HOLDER = """
import sys, time
from pathlib import Path
from bakeoff.files import locks
from bakeoff.files.place import Place
with locks.held(Place(Path(sys.argv[1])) / "lock"):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def is_free(file: Place) -> bool:
    with locks.held_if_free(file) as ours:
        return ours


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    file = Place(tmp_path) / "new" / "lock"
    with locks.held_if_free(file) as first:
        assert first
        assert not is_free(file)
        # That one got nothing, so it gave nothing back.
        assert not is_free(file)
    assert is_free(file)
    assert file.path.read_bytes() == b""


def test_a_killed_holder_loses_the_lock_within_five_seconds(tmp_path: Path) -> None:
    file = Place(tmp_path) / "lock"
    with holder(tmp_path) as process:
        with locks.held_if_free(file) as ours:
            assert not ours
        process.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        with locks.held(file):
            waited = time.monotonic() - killed
    assert waited < 5


def test_a_program_that_the_holder_started_does_not_keep_the_lock(tmp_path: Path) -> None:
    file = Place(tmp_path) / "lock"
    with locks.held(file):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    with locks.held_if_free(file) as ours:
        assert ours
    child.kill()
    child.wait()


def test_a_lock_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"lock: cannot lock: (Not a directory|File exists); give"):
        locks.held(Place(tmp_path) / "file" / "lock").__enter__()


def test_a_file_system_without_locks_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise OSError(38, os.strerror(38))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(StoreError) as caught, locks.held(Place(tmp_path) / "lock"):
        pass
    expected = f"{tmp_path / 'lock'}: cannot lock: {os.strerror(38)}; give another --out"
    assert str(caught.value) == expected


def test_after_two_seconds_one_hears_for_whom_one_waits(tmp_path: Path) -> None:
    file, heard = Place(tmp_path) / "lock", list[str]()
    other = holder(tmp_path)

    def end_it(text: str) -> None:
        heard.append(text)
        other.kill()

    started = time.monotonic()
    with locks.held(file, end_it):
        waited = time.monotonic() - started
    other.communicate()
    known = f"process {other.pid}" if sys.platform == "linux" else "another process"
    # Where the system does not tell who holds locks, as in some containers, nobody is named.
    assert heard[0] in {
        f"{file}: waiting for {who}, which holds this lock" for who in (known, "another process")
    }
    assert len(heard) == 1
    assert waited >= 2


def test_a_lock_is_shared_by_all_who_may_write_in_the_folder(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        with locks.held(Place(tmp_path) / "lock"):
            assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o666
    finally:
        os.umask(mask)


def test_somebody_elses_lock_that_can_only_be_read_can_be_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Place(tmp_path) / "lock"
    file.path.touch()
    opened = os.open

    def refuse_writing(path: Path, flags: int, *rest: Any, **more: Any) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, flags, *rest, **more)

    monkeypatch.setattr("bakeoff.files.locks.os.open", refuse_writing)
    with locks.held_if_free(file) as ours:
        assert ours
        with locks.held_if_free(file) as second:
            assert not second


def test_whether_a_lock_is_held_is_told_without_taking_it(tmp_path: Path) -> None:
    file = Place(tmp_path) / "lock"
    assert not locks.is_held(file)
    assert not file.is_there()
    with locks.held(file):
        assert locks.is_held(file)
    assert not locks.is_held(file)
    assert is_free(file)


def test_a_note_is_read_while_the_lock_is_held_and_a_shorter_one_leaves_nothing_of_it(
    tmp_path: Path,
) -> None:
    file = Place(tmp_path) / "lock"
    with locks.held(file):
        assert locks.read_note(file) == ""
        locks.write_note(file, "a long note, größer")
        locks.write_note(file, "short")
        assert locks.read_note(file) == "short"
        assert not is_free(file)  # Closing the file after writing gave nothing back.


def test_a_note_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    locks.write_note(Place(tmp_path) / "lock", "nothing depends on it")


def test_locks_that_exclude_nobody_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Place(tmp_path) / "proof"
    locks.refuse_without_locks(file)
    with locks.held(file):
        locks.refuse_without_locks(file)  # Another process is at the same proof.
    monkeypatch.setattr("bakeoff.files.locks.fcntl.flock", lambda *_: None)
    with pytest.raises(StoreError) as caught:
        locks.refuse_without_locks(file)
    assert str(caught.value) == (
        f"{file}: locks exclude nobody on this file system; give another --out"
    )
