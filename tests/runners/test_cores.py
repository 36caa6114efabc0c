"""How trials share the cores that there are."""

from __future__ import annotations

import pytest

from bakeoff.errors import UsageError
from bakeoff.runners import cores
from bakeoff.runners.cores import may_be_several, share_out


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


@pytest.mark.parametrize(
    ("jobs", "there", "several"),
    [("auto", 2, True), ("auto", 1, False), ("1", 8, False), ("3", 2, True)],
)
def test_several_trials_want_several_cores(
    jobs: str, there: int, several: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "usable_cores", lambda: there)
    assert may_be_several(jobs) == several
