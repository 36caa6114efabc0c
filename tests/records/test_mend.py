"""Damaged and failed trials go aside, whole and named; nothing is deleted."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bakeoff.errors import StoreError
from bakeoff.files import locks
from bakeoff.records.folder import RunFolder
from bakeoff.records.mend import remove_remains, set_damaged_aside, set_failed_aside

from ..factories import diverged, out_of_memory
from .test_folder import STUDY, predictions, weights, whole

Mend = Callable[[RunFolder, Callable[[str], None]], None]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder.create(tmp_path / "run", STUDY)
    made.write_trial(whole(STUDY, "a"), weights(), predictions())
    made.write_trial(diverged(STUDY, "b"), weights(), {})
    return made


def content(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()}


def test_whole_trials_stay_where_they_are(folder: RunFolder) -> None:
    said: list[str] = []
    set_damaged_aside(folder, said.append)
    assert said == []
    assert folder.has_trial("a", 0)
    assert folder.has_trial("b", 0)


@pytest.mark.parametrize("name", ["record.json", "model.safetensors", "predictions.npz"])
def test_a_damaged_trial_is_named_and_kept_under_another_name(folder: RunFolder, name: str) -> None:
    file = folder.trial("a", 0).path / name
    file.write_bytes(file.read_bytes()[:-1])
    before, said = content(folder.trial("a", 0).path), list[str]()
    set_damaged_aside(folder, said.append)
    target = folder.path / "set-aside" / "a" / "0-1"
    assert said == [
        f"{file}: damaged, its SHA-256 is not the manifest's; set aside as {target}, trained again"
    ]
    assert content(target) == before
    assert not folder.has_trial("a", 0)
    # It can be trained and damaged again, and both stay.
    folder.write_trial(whole(STUDY, "a"), weights(), predictions())
    (folder.trial("a", 0).path / name).write_bytes(b"")
    set_damaged_aside(folder, said.append)
    assert content(target) == before
    assert (folder.path / "set-aside" / "a" / "0-2" / name).read_bytes() == b""


def test_a_trial_without_a_manifest_or_with_a_missing_file_is_damaged(folder: RunFolder) -> None:
    (folder.trial("a", 0).path / "manifest.json").unlink()
    (folder.trial("b", 0).path / "model.safetensors").unlink()
    said: list[str] = []
    set_damaged_aside(folder, said.append)
    assert [line.partition(";")[0] for line in said] == [
        f"{folder.trial('a', 0).path / 'manifest.json'}: No such file or directory",
        f"{folder.trial('b', 0).path / 'model.safetensors'}: No such file or directory",
    ]


def test_a_file_that_cannot_be_read_is_not_taken_for_damaged(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def refuse(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if not flags & os.O_DIRECTORY:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return opened(path, flags, *rest, **more)

    with monkeypatch.context() as broken:
        broken.setattr(os, "open", refuse)
        with pytest.raises(StoreError) as caught:
            set_damaged_aside(folder, pytest.fail)
    manifest = folder.trial("a", 0).path / "manifest.json"
    assert str(caught.value) == (
        f"{manifest}: Input/output error; cannot read it now, run again when it can be"
    )
    assert folder.check_trial("a", 0).complete


def test_failed_trials_go_aside_and_complete_ones_stay(folder: RunFolder) -> None:
    said: list[str] = []
    set_failed_aside(folder, said.append)
    target = folder.path / "set-aside" / "b" / "0-1"
    assert said == [f"b seed 0 diverged: set aside as {target}, trained again"]
    assert (target / "record.json").exists()
    assert folder.has_trial("a", 0)
    assert not folder.has_trial("b", 0)


@pytest.mark.parametrize(("name", "mend"), [("a", set_damaged_aside), ("b", set_failed_aside)])
def test_who_looks_at_a_trial_for_a_moment_does_not_keep_it_from_being_mended(
    name: str, mend: Mend, folder: RunFolder
) -> None:
    if name == "a":
        (folder.trial("a", 0).path / "record.json").write_bytes(b"")
    said: list[str] = []
    with locks.held(folder.lock(name, 0)):
        thread = threading.Thread(target=mend, args=(folder, said.append))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join(60)
    assert len(said) == 1
    assert not folder.has_trial(name, 0)


@pytest.mark.parametrize(("name", "mend"), [("a", set_damaged_aside), ("b", set_failed_aside)])
def test_a_trial_that_another_process_moves_away_and_trains_is_left_to_it(
    name: str, mend: Mend, folder: RunFolder
) -> None:
    if name == "a":
        (folder.trial("a", 0).path / "record.json").write_bytes(b"")
    with locks.held(folder.lock(name, 0)):
        thread = threading.Thread(target=mend, args=(folder, pytest.fail))
        thread.start()
        folder.set_aside(name, 0)
        # The lock is still held: by who trains the trial anew.
        thread.join(60)
        assert not thread.is_alive()


def test_what_is_left_of_a_finished_trials_making_is_removed_and_of_others_kept(
    folder: RunFolder,
) -> None:
    for name, seed in (("a", 0), ("a", 1)):
        folder.unfinished(name, seed).path.mkdir(parents=True)
        (folder.unfinished(name, seed).path / "epoch-0001.safetensors").write_bytes(b"kept")
    folder.write_trial(out_of_memory(STUDY, "b", 1), weights(), {})
    assert not folder.unfinished("b", 1).path.exists()
    (folder.unfinished("b", 1) / "epoch-0001.safetensors").write(b"kept")
    remove_remains(folder)
    assert not folder.unfinished("a", 0).path.exists()
    # A trial that ran out of memory goes on when it is tried again.
    assert folder.unfinished("b", 1).path.exists()
    assert (folder.unfinished("a", 1).path / "epoch-0001.safetensors").exists()


def test_a_kill_before_the_last_folder_is_removed_leaves_nothing_for_good(
    folder: RunFolder,
) -> None:
    unfinished = folder.unfinished("a", 0).path.parent
    unfinished.mkdir()
    remove_remains(folder)
    assert not unfinished.exists()
    remove_remains(folder)
