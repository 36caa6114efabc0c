"""How much memory there is for this process."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath


def usable_memory(
    root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> int:
    """Return how many bytes this process may use: those of the machine, or what it is granted.

    Source: Linux, Documentation/admin-guide/cgroup-v2.rst (`memory.max`) and
    cgroup-v1/memory.rst (`memory.limit_in_bytes`).
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    address_space = [] if limit == resource.RLIM_INFINITY else [limit]
    return min([machine, *address_space, *_granted(root, own)])


def _granted(root: Path, own: Path) -> Iterator[int]:
    with suppress(OSError, ValueError):
        for line in own.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            base = root / "memory" if controllers else root
            # In a container its own group is the root that it sees.
            for group in {PurePosixPath(path), *PurePosixPath(path).parents}:
                for name in ("memory.max", "memory.limit_in_bytes"):
                    with suppress(OSError, ValueError):
                        yield int((base / str(group).lstrip("/") / name).read_text())
