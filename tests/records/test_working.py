"""What the holder of a trial's lock leaves in its file."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from bakeoff.files.place import Place
from bakeoff.records.working import Working, machine_name, read_working, write_working


def test_who_trains_a_trial_is_read_as_it_was_written(tmp_path: Path) -> None:
    lock = Place(tmp_path) / "lock"
    here = Working.here()
    write_working(lock, here.model_copy(update={"epoch": 12}))
    found = read_working(lock)
    assert found is not None
    assert found == here.model_copy(update={"epoch": 12})
    assert (found.machine, found.process) == (platform.node(), os.getpid())


@pytest.mark.parametrize(
    "content",
    [b"", b"somebody", b'{"machine": "a"}', b"\xff\xfe", b" " * 5000, b"[" * 4000],
    ids=["empty", "text", "keys", "bytes", "large", "deep"],
)
def test_what_cannot_be_read_says_nothing(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "lock").write_bytes(content)
    assert read_working(Place(tmp_path) / "lock") is None


def test_a_machine_without_a_name_has_words_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "node", lambda: "")
    assert machine_name() == "a machine without a name"
    monkeypatch.setattr(platform, "node", lambda: "node\x1b7")
    assert machine_name() == r"node\x1b7"
