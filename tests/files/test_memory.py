"""How much memory this process may use."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from bakeoff.files.memory import usable_memory

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def granted(folder: Path, own: str, limits: dict[str, str]) -> int:
    """Return what is usable with these limits in files of control groups."""
    (folder / "own").write_text(own)
    for name, limit in limits.items():
        file = folder / "cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{limit}\n")
    return usable_memory(folder / "cgroup", folder / "own")


@pytest.mark.parametrize(
    ("own", "limits", "expected"),
    [
        ("0::/\n", {}, MACHINE),
        ("0::/\n", {"memory.max": "max"}, MACHINE),
        ("0::/\n", {"memory.max": "1000"}, 1000),
        ("0::/a/b\n", {"a/memory.max": "500", "a/b/memory.max": "max"}, 500),
        ("0::/a/b\n", {"memory.max": "700"}, 700),
        ("4:memory:/a\n", {"memory/a/memory.limit_in_bytes": "300"}, 300),
        ("4:cpu:/a\n", {"memory/a/memory.limit_in_bytes": "300"}, MACHINE),
        ("nonsense\n", {"memory.max": "1"}, MACHINE),
    ],
)
def test_the_smallest_limit_counts(
    own: str, limits: dict[str, str], expected: int, tmp_path: Path
) -> None:
    assert granted(tmp_path, own, limits) == expected


def test_a_limit_of_addresses_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (4000, 4000))
    assert granted(tmp_path, "", {}) == 4000
