"""How much memory there is for this process."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bakeoff.files.control_groups import OWN, ROOT, groups_around


def usable_memory(root: Path = ROOT, own: Path = OWN) -> int:
    """Return how many bytes this process may use: those of the machine, or what it is granted.

    Source: Linux, Documentation/admin-guide/cgroup-v2.rst (`memory.max`) and
    cgroup-v1/memory.rst (`memory.limit_in_bytes`).
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    address_space = [] if limit == resource.RLIM_INFINITY else [limit]
    return min([machine, *address_space, *_granted(root, own)])


def _granted(root: Path, own: Path) -> Iterator[int]:
    for group in groups_around("memory", root, own):
        for name in ("memory.max", "memory.limit_in_bytes"):
            with suppress(OSError, ValueError):
                yield int((group / name).read_text())
