"""The cores that there are for this process, as the system's files have it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from math import floor
from pathlib import Path

from bakeoff.files.control_groups import OWN, ROOT, groups_around


def usable_cores() -> int:
    """Return how many cores this process may use: those that it may run on, within its quota.

    A container may run on all cores of its machine, and yet get the time of half a one.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, floor(min([cores, *_quotas()])))


def threads_here() -> int:
    """Return how many threads this process has, those of libraries too; 1 where nobody tells."""
    tasks = Path("/proc/self/task")
    return sum(1 for _ in tasks.iterdir()) if tasks.exists() else 1


def _quotas(root: Path = ROOT, own: Path = OWN) -> Iterator[float]:
    """Yield how many cores' time each control group around this process grants, where one limits.

    Source: Linux, Documentation/admin-guide/cgroup-v2.rst (`cpu.max`) and scheduler/sched-bwc.rst
    (`cpu.cfs_quota_us`).
    """
    for group in groups_around("cpu", root, own):
        with suppress(OSError, ValueError):
            yield from _quota(group)


def _quota(group: Path) -> Iterator[float]:
    if (group / "cpu.max").exists():
        quota, period = (group / "cpu.max").read_text().split()
    else:
        quota = (group / "cpu.cfs_quota_us").read_text()
        period = (group / "cpu.cfs_period_us").read_text()
    if quota != "max" and int(quota) > 0:
        yield int(quota) / int(period)
