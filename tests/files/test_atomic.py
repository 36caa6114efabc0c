from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from bakeoff.errors import StoreError
from bakeoff.files import atomic
from bakeoff.files.atomic import move_folder, remove_folder, write_file

FULL = OSError(errno.ENOSPC, "No space left on device")


def refuse(*_: Any, **__: Any) -> Any:
    raise FULL


class FullDisk(io.FileIO):
    """Takes the first byte and refuses the rest."""

    def write(self, content: Any) -> int:
        super().write(bytes(content)[:1])
        raise FULL


def break_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "open", refuse)


def break_write(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_full(self: Path, mode: str) -> BinaryIO:
        return FullDisk(self, mode)

    monkeypatch.setattr(Path, "open", open_full)


def break_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", refuse)


def break_rename(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "replace", refuse)


BREAKS = [break_open, break_write, break_fsync, break_rename]


def test_the_content_is_written_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "a.json"
    write_file(file, b"one")
    write_file(file, b"two")
    assert file.read_bytes() == b"two"
    assert [path.name for path in file.parent.iterdir()] == ["a.json"]


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
            write_file(file, b"new")
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
            write_file(tmp_path / "a.json", b"new")
    assert list(tmp_path.iterdir()) == []


def test_the_new_file_is_whole_where_only_flushing_the_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"old")
    monkeypatch.setattr(atomic, "flush_folder", refuse)
    with pytest.raises(StoreError):
        write_file(file, b"new")
    assert file.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_the_bytes_are_flushed_before_the_name_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(descriptor: int) -> None:
        steps.append("flush")
        fsync(descriptor)

    def noted_replace(self: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    write_file(tmp_path / "a.json", b"new")
    assert steps == ["flush", "rename", "flush"]


def test_a_folder_where_a_file_stands_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(
        StoreError, match=r"file/a\.json: cannot write: (Not a directory|File exists)$"
    ):
        write_file(tmp_path / "file" / "a.json", b"new")


def test_a_file_where_a_folder_stands_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(StoreError, match=r"a\.json: cannot write: Is a directory$"):
        write_file(tmp_path / "a.json", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_folder_that_cannot_be_removed_is_named_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(tmp_path / "folder" / "file", b"")

    def refuse(name: str, **_: object) -> None:
        # The system is given, and names, no more than the last part.
        raise OSError(errno.EIO, "Input/output error", name)

    monkeypatch.setattr("os.unlink", refuse)
    with pytest.raises(StoreError) as caught:
        remove_folder(tmp_path / "folder")
    assert str(caught.value) == f"{tmp_path / 'folder'}: cannot remove: Input/output error"


def test_a_parent_that_another_process_removes_meanwhile_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, made = os.mkdir, []

    def racing(path: Any, *rest: Any) -> None:
        make(path, *rest)
        made.append(Path(path).name)
        if made == ["unfinished"]:
            Path(path).rmdir()

    monkeypatch.setattr(os, "mkdir", racing)
    atomic.make_folder(tmp_path / "unfinished" / "a.0")
    assert made == ["unfinished", "unfinished", "a.0"]


def refuse_across_devices(self: Path, target: Path) -> Path:
    """Rename as an overlay does: not a folder of a lower layer."""
    if self.is_dir() and not self.name.endswith(".tmp"):
        raise OSError(errno.EXDEV, "Invalid cross-device link", str(self))
    os.rename(self, target)  # noqa: PTH104  # the very call that is patched
    return target


def test_a_folder_that_cannot_be_renamed_is_copied_and_then_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "rename", refuse_across_devices)
    source = tmp_path / "trials" / "a" / "0"
    (source / "inner").mkdir(parents=True)
    (source / "record.json").write_bytes(b"{}")
    (source / "inner" / "model").write_bytes(b"weights")
    (source / "dangling").symlink_to(tmp_path / "nowhere")
    target = tmp_path / "set-aside" / "a" / "0-1"
    move_folder(source, target)
    assert not source.exists()
    assert (target / "record.json").read_bytes() == b"{}"
    assert (target / "inner" / "model").read_bytes() == b"weights"
    assert (target / "dangling").is_symlink()
    assert [each.name for each in target.parent.iterdir()] == ["0-1"]


def test_a_copy_that_fails_leaves_the_folder_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "rename", refuse_across_devices)

    def no_room(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    source, target = tmp_path / "a", tmp_path / "b"
    source.mkdir()
    (source / "file").write_bytes(b"kept")
    monkeypatch.setattr("bakeoff.files.atomic.shutil.copytree", no_room)
    with pytest.raises(StoreError) as caught:
        move_folder(source, target)
    assert str(caught.value) == f"{target}: cannot write: No space left on device"
    assert (source / "file").read_bytes() == b"kept"
    assert [each.name for each in tmp_path.iterdir()] == ["a"]
