"""How many cores there are, and how trials share them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.errors import UsageError
from bakeoff.runners import cores
from bakeoff.runners.cores import share_out, usable_cores


@pytest.mark.parametrize(
    ("jobs", "threads", "there", "shared"),
    [
        ("auto", "auto", 8, (8, 1)), ("auto", 3, 8, (2, 3)), (5, "auto", 2, (5, 1)),
        (2, 4, 8, (2, 4)), ("1", "2", 2, (1, 2)), ("auto", "auto", 1, (1, 1)), (1, 1, 64, (1, 1)),
    ],
)  # fmt: skip
def test_cores_are_shared_out(
    jobs: cores.Asked, threads: cores.Asked, there: int, shared: tuple[int, int]
) -> None:
    assert share_out(jobs, threads, there) == shared


@pytest.mark.parametrize(
    ("jobs", "threads", "line"),
    [
        ("auto", 0, "--threads 0: give a number from 1 up, or auto"),
        ("auto", "two", "--threads two: give a number from 1 up, or auto"),
        ("-1", "auto", "--jobs -1: give a number from 1 up, or auto"),
        ("auto", 3, "--threads 3: cores to be had here: 2; give at most that"),
        (
            2,
            2,
            "--jobs 2 --threads 2: cores to be had here: 2; more threads than that wait for each "
            "other, so leave one of the two to auto",
        ),
    ],
)
def test_what_cannot_be_shared_out_is_one_line(
    jobs: cores.Asked, threads: cores.Asked, line: str
) -> None:
    with pytest.raises(UsageError) as caught:
        share_out(jobs, threads, 2)
    assert str(caught.value) == line


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
