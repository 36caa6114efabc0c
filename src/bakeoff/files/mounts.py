"""Whether the locks of a folder hold between this machine and others, by what is mounted there."""

from __future__ import annotations

import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
"""What is mounted where, as Linux tells; see proc_pid_mountinfo(5)."""

_ALONE = {
    "nfs": {"nolock", "local_lock=all", "local_lock=flock"},
    "nfs4": {"nolock", "local_lock=all", "local_lock=flock"},
    "lustre": {"localflock", "noflock"},
    "cifs": {"nobrl"},
    "smb3": {"nobrl"},
    "ocfs2": {"localflocks"},
}
"""By file system: options with which each machine keeps its locks to itself."""

_FUSE_THAT_SHARE = {"fuse.ceph-fuse", "fuse.glusterfs", "fuse.juicefs"}
"""A program that serves files has to pass locks on; the kernel keeps them where it does not."""


def why_locks_are_alone(folder: Path) -> str | None:
    """Return why locks in a folder exclude nobody on another machine.

    None where they should, and where the system does not tell.
    """
    found = _mount_of(folder)
    if found is None:
        return None
    system, options = found
    if alone := sorted(options & _ALONE.get(system, set())):
        return f"{system} is mounted with {alone[0]}, so each machine keeps its locks to itself"
    if system.startswith("fuse.") and system not in _FUSE_THAT_SHARE:
        return f"{system} does not pass locks on to other machines"
    return None


def _mount_of(folder: Path) -> tuple[str, set[str]] | None:
    """Return the file system that a folder is on, and the options it is mounted with."""
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    found, longest = None, -1
    for line in lines:
        before, _, after = line.partition(" - ")
        where = Path(re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), before.split()[4]))
        system, _, options = after.split(" ", 2)
        # What is mounted later at the same place hides what was there.
        if folder.resolve().is_relative_to(where) and len(where.parts) >= longest:
            longest = len(where.parts)
            found = system, {*options.split(","), *before.split()[5].split(",")}
    return found
