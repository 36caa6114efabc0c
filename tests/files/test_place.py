"""Files and folders below a root: whole or not there, and never behind a link."""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bakeoff.errors import StoreError, UnreadableError
from bakeoff.files import locks
from bakeoff.files.place import Place

FULL = OSError(errno.ENOSPC, "No space left on device")


def refuse(*_: Any, **__: Any) -> Any:
    raise FULL


class FullDisk(io.FileIO):
    """Takes the first byte and refuses the rest."""

    def write(self, content: Any) -> int:
        super().write(bytes(content)[:1])
        raise FULL


def break_open(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def refuse_to_make(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & os.O_CREAT:
            raise FULL
        return opened(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", refuse_to_make)


def break_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fdopen", FullDisk)


def break_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", refuse)


def break_rename(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "replace", refuse)


BREAKS = [break_open, break_write, break_fsync, break_rename]


def test_the_content_is_written_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = Place(tmp_path / "new") / "folder" / "a.json"
    file.write(b"one")
    file.write(b"two")
    assert file.read(3) == b"two"
    assert file.parent.names() == ["a.json"]


@pytest.mark.parametrize("break_step", BREAKS)
def test_a_refused_write_leaves_the_old_file_and_no_temporary(
    break_step: Callable[[pytest.MonkeyPatch], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"old")
    with monkeypatch.context() as broken:
        break_step(broken)
        with pytest.raises(StoreError) as caught:
            (Place(tmp_path) / "a.json").write(b"new")
    assert str(caught.value) == f"{file}: cannot write: No space left on device"
    assert file.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("break_step", BREAKS)
def test_a_refused_first_write_leaves_nothing(
    break_step: Callable[[pytest.MonkeyPatch], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as broken:
        break_step(broken)
        with pytest.raises(StoreError):
            (Place(tmp_path) / "a.json").write(b"new")
    assert list(tmp_path.iterdir()) == []


def test_the_new_file_is_whole_where_only_flushing_the_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"old")
    flushed = os.fsync

    def refuse_folders(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise FULL
        flushed(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    with pytest.raises(StoreError):
        (Place(tmp_path) / "a.json").write(b"new")
    assert file.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_the_bytes_are_flushed_before_the_name_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor: int) -> None:
        steps.append("flush")
        fsync(descriptor)

    def noted_replace(source: str, target: str, **folders: int) -> None:
        steps.append("rename")
        replace(source, target, **folders)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    (Place(tmp_path) / "a.json").write(b"new")
    assert steps == ["flush", "rename", "flush"]


def test_a_folder_where_a_file_stands_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(
        StoreError, match=r"file/a\.json: cannot write: (Not a directory|File exists)$"
    ):
        (Place(tmp_path) / "file" / "a.json").write(b"new")


def test_a_file_where_a_folder_stands_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(StoreError, match=r"a\.json: cannot write: Is a directory$"):
        (Place(tmp_path) / "a.json").write(b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_folder_that_cannot_be_removed_is_named_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (Place(tmp_path) / "folder" / "file").write(b"")

    def refuse(name: str, **_: object) -> None:
        # The system is given, and names, no more than the last part.
        raise OSError(errno.EIO, "Input/output error", name)

    monkeypatch.setattr("os.unlink", refuse)
    with pytest.raises(StoreError) as caught:
        (Place(tmp_path) / "folder").remove()
    assert str(caught.value) == f"{tmp_path / 'folder'}: cannot remove: Input/output error"


def test_a_parent_that_another_process_removes_meanwhile_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, made = os.mkdir, []

    def racing(path: Any, *rest: Any, **more: Any) -> None:
        make(path, *rest, **more)
        made.append(path)
        if made == ["unfinished"]:
            (tmp_path / "unfinished").rmdir()

    monkeypatch.setattr(os, "mkdir", racing)
    with (Place(tmp_path) / "unfinished" / "a.0").opened(make=True):
        assert made == ["unfinished", "unfinished", "a.0"]


def refuse_across_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rename as an overlay does: not a folder of a lower layer."""
    rename = os.rename

    def refusing(source: str, target: str, **folders: int) -> None:
        if not source.endswith(".tmp"):
            raise OSError(errno.EXDEV, "Invalid cross-device link", source)
        rename(source, target, **folders)

    monkeypatch.setattr(os, "rename", refusing)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there are no overlays here")
def test_a_folder_that_cannot_be_renamed_is_copied_and_then_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_across_devices(monkeypatch)
    source = tmp_path / "trials" / "a" / "0"
    (source / "inner").mkdir(parents=True)
    (source / "record.json").write_bytes(b"{}")
    (source / "inner" / "model").write_bytes(b"weights")
    (source / "dangling").symlink_to(tmp_path / "nowhere")
    target = tmp_path / "set-aside" / "a" / "0-1"
    Place(tmp_path, ("trials", "a", "0")).move(Place(tmp_path, ("set-aside", "a", "0-1")))
    assert not source.exists()
    assert (target / "record.json").read_bytes() == b"{}"
    assert (target / "inner" / "model").read_bytes() == b"weights"
    assert (target / "dangling").is_symlink()
    assert [each.name for each in target.parent.iterdir()] == ["0-1"]


def test_a_copy_that_fails_leaves_the_folder_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_across_devices(monkeypatch)
    source, target = tmp_path / "a", tmp_path / "b"
    source.mkdir()
    (source / "file").write_bytes(b"kept")
    monkeypatch.setattr(shutil, "copytree", refuse)
    with pytest.raises(StoreError) as caught:
        (Place(tmp_path) / "a").move(Place(tmp_path) / "b")
    assert str(caught.value) == f"{target}: cannot write: No space left on device"
    assert (source / "file").read_bytes() == b"kept"
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


# Links

Work = Callable[[Place], object]


def lock(place: Place) -> None:
    with locks.held(place / "file"):
        pass


WORKS: dict[str, Work] = {
    "write": lambda place: (place / "file").write(b"ours"),
    "write deeper": lambda place: (place / "inner" / "new").write(b"ours"),
    "read": lambda place: (place / "file").read(10),
    "remove a file": lambda place: (place / "file").remove(),
    "remove a folder": lambda place: (place / "inner").remove(),
    "remove all": lambda place: place.remove(),
    "remove what is empty": lambda place: (place / "empty").remove_if_empty(),
    "move out of it": lambda place: (place / "inner").move(place.parent / "new"),
    "move into it": lambda place: (place.parent / "ours").move(place / "new"),
    "remove leftovers": lambda place: (place / "file").remove_leftovers(),
    "lock": lock,
}


@pytest.fixture
def swapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Path]:
    """Return what lets `run/place` become a link to a like folder before the n-th opening.

    It returns the folder that is somebody else's.
    """

    def fill(folder: Path) -> None:
        (folder / "inner").mkdir(parents=True)
        (folder / "empty").mkdir()
        for name in ("file", "inner/file", ".file.0.tmp"):
            (folder / name).write_bytes(folder.name.encode())

    for name in ("somebody", "run/place", "run/ours"):
        fill(tmp_path / name)
    opened, place = os.open, tmp_path / "run" / "place"

    def at(number: int) -> Path:
        seen = 0

        def swapping(*arguments: Any, **more: Any) -> int:
            nonlocal seen
            seen += 1
            if seen == number:
                place.rename(tmp_path / "away")
                place.symlink_to(tmp_path / "somebody")
            return opened(*arguments, **more)

        monkeypatch.setattr(os, "open", swapping)
        return tmp_path / "somebody"

    return at


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(each): (each.lstat().st_mtime_ns, each.read_bytes() if each.is_file() else b"")
        for each in (folder, *sorted(folder.rglob("*")))
    }


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("work", WORKS)
def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere(
    work: str, number: int, tmp_path: Path, swapped: Callable[[int], Path]
) -> None:
    before = state(tmp_path / "somebody")
    outside = swapped(number)
    found = None
    with suppress(StoreError, UnreadableError):
        found = WORKS[work](Place(tmp_path / "run") / "place")
    assert state(outside) == before
    assert found in (None, b"place")


def test_a_link_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    dear = tmp_path / "dear"
    dear.write_bytes(b"dear")
    place = Place(tmp_path) / "link"
    place.path.symlink_to(dear)
    works: dict[str, Callable[[], object]] = {
        "remove it": lambda: place.write(b"ours"),
        "remove it ": place.remove,
        "none": lambda: place.read(10),
    }
    for end, work in works.items():
        with pytest.raises((StoreError, UnreadableError)) as caught:
            work()
        assert str(caught.value).startswith(f"{place}: a link, and a run folder has none")
        assert str(caught.value).endswith(end.strip())
    assert place.is_there()
    assert dear.read_bytes() == b"dear"


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "large-disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "large-disk")
    (Place(tmp_path / "run") / "file").write(b"ours")
    assert (tmp_path / "large-disk" / "file").read_bytes() == b"ours"
