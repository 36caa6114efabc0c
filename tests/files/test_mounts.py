"""Which file systems keep locks to one machine, told by how they are mounted."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.files import mounts
from bakeoff.files.mounts import why_locks_are_alone

ROOT = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw"


def mounted(where: Path, system: str, options: str, also: str = "rw") -> str:
    place = str(where).replace(" ", r"\040")
    return f"90 22 0:50 / {place} {also} shared:9 - {system} server:/export {options}"


@pytest.mark.parametrize(
    ("system", "options", "why"),
    [
        ("ext4", "rw", None),
        ("nfs4", "rw,vers=4.2,local_lock=none,addr=10.0.0.1", None),
        ("nfs", "rw,vers=3,local_lock=none", None),
        (
            "nfs",
            "rw,vers=3,nolock,local_lock=all",
            "nfs is mounted with local_lock=all, so each machine keeps its locks to itself",
        ),
        (
            "nfs4",
            "rw,local_lock=flock",
            "nfs4 is mounted with local_lock=flock, so each machine keeps its locks to itself",
        ),
        ("lustre", "rw,flock,lazystatfs", None),
        (
            "lustre",
            "rw,localflock",
            "lustre is mounted with localflock, so each machine keeps its locks to itself",
        ),
        ("fuse.glusterfs", "rw", None),
        ("fuse.sshfs", "rw", "fuse.sshfs does not pass locks on to other machines"),
    ],
)
def test_what_is_mounted_tells_whether_locks_are_shared(
    system: str, options: str, why: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, folder = tmp_path / "mountinfo", tmp_path / "with a space" / "run"
    folder.mkdir(parents=True)
    table.write_text(f"{ROOT}\n{mounted(folder.parent, system, options)}\n")
    monkeypatch.setattr(mounts, "_MOUNTS", table)
    assert why_locks_are_alone(folder) == why
    assert why_locks_are_alone(tmp_path) is None


def test_the_last_mount_at_a_place_counts_and_a_link_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, folder = tmp_path / "mountinfo", tmp_path / "run"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    hidden = mounted(folder, "fuse.sshfs", "rw")
    table.write_text(f"{hidden}\n{ROOT}\n{hidden}\n{mounted(folder, 'nfs4', 'rw')}\n")
    monkeypatch.setattr(mounts, "_MOUNTS", table)
    assert why_locks_are_alone(tmp_path / "link") is None
    table.write_text(f"{ROOT}\n{mounted(folder, 'nfs4', 'rw')}\n{hidden}\n")
    assert why_locks_are_alone(tmp_path / "link") is not None


def test_where_the_system_does_not_tell_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "_MOUNTS", tmp_path / "nothing")
    assert why_locks_are_alone(tmp_path) is None
