"""The control groups around this process, which may grant it less than the machine has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


def groups_around(controller: str, root: Path = ROOT, own: Path = OWN) -> Iterator[Path]:
    """Yield the folder of each group around this process that rules `controller`, or may.

    controller: `cpu` or `memory`. Nothing where the system has no such groups. Source: Linux,
    Documentation/admin-guide/cgroup-v2.rst, and cgroup-v1/cgroups.rst for a folder per controller.
    """
    with suppress(OSError, ValueError):
        for line in own.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and controller not in controllers.split(","):
                continue
            base = root / controller if controllers else root
            # In a container its own group is the root that it sees.
            for group in {PurePosixPath(path), *PurePosixPath(path).parents}:
                yield base / str(group).lstrip("/")
