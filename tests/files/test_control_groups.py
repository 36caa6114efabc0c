from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.files.control_groups import groups_around


def around(tmp_path: Path, controller: str, lines: str) -> set[str]:
    own = tmp_path / "cgroup"
    own.write_text(lines)
    root = tmp_path / "fs"
    return {each.relative_to(root).as_posix() for each in groups_around(controller, root, own)}


def test_in_one_hierarchy_every_group_above_rules_too(tmp_path: Path) -> None:
    assert around(tmp_path, "cpu", "0::/a/b\n") == {"a/b", "a", "."}


@pytest.mark.parametrize(
    ("controller", "found"), [("cpu", {"cpu/x", "cpu"}), ("memory", {"memory/y", "memory"})]
)
def test_with_a_folder_per_controller_only_its_own_count(
    controller: str, found: set[str], tmp_path: Path
) -> None:
    lines = "4:cpu,cpuacct:/x\n5:memory:/y\n6:cpuset:/z\n"
    assert around(tmp_path, controller, lines) == found


def test_a_system_without_them_has_none(tmp_path: Path) -> None:
    assert not [*groups_around("cpu", tmp_path, tmp_path / "nothing")]
