"""How many cores there are for this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.files import cores
from bakeoff.files.cores import usable_cores


def group(root: Path, path: str, **files: str) -> None:
    (root / path).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / path / name.replace("_dot_", ".")).write_text(text + "\n")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in the place of /sys/fs/cgroup, of a machine with eight cores."""
    root = tmp_path / "cgroup"
    quotas = cores._quotas
    monkeypatch.setattr(cores, "_quotas", lambda: quotas(root, tmp_path / "own"))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    return root


def test_a_quota_is_respected(machine: Path) -> None:
    (machine.parent / "own").write_text("0::/job/step\n")
    group(machine, "job/step", cpu_dot_max="max 100000")
    assert usable_cores() == 8
    group(machine, "job", cpu_dot_max="350000 100000")
    assert usable_cores() == 3
    group(machine, "", cpu_dot_max="50000 100000")
    assert usable_cores() == 1  # Half a core.


def test_a_quota_of_the_first_version_is_respected(machine: Path) -> None:
    (machine.parent / "own").write_text("4:memory:/docker/x\n3:cpuacct,cpu:/docker/x\n0::/\n")
    quota = {"cpu_dot_cfs_quota_us": "-1", "cpu_dot_cfs_period_us": "100000"}
    group(machine, "cpu/docker/x", **quota)
    assert usable_cores() == 8
    # In a container its own group is the root.
    group(machine, "cpu", **quota | {"cpu_dot_cfs_quota_us": "200000"})
    assert usable_cores() == 2


@pytest.mark.parametrize("text", ["", "nothing", "0::/\n", "1:cpu:/\n"])
def test_a_machine_that_hides_its_accounting_has_all_its_cores(machine: Path, text: str) -> None:
    (machine.parent / "own").write_text(text)
    assert usable_cores() == 8
    group(machine, "", cpu_dot_max="what?")
    group(machine, "cpu", cpu_dot_cfs_quota_us="what?")
    assert usable_cores() == 8
