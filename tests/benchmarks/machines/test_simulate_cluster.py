from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.machines.many_trials import A_TRIAL, CONCLUDE
from benchmarks.machines.simulate_cluster import Costs, main, simulate

from ..results import figures_of, first_cells

COSTS = Costs(start=10, probe=1, trial=2, checkpoint=30, lease=5, again=7)


class Dying:
    """A generator whose exponential numbers are these, one after the other."""

    def __init__(self, *lives: float) -> None:
        self.lives = list(lives)

    def exponential(self, _: float, number: int | None = None) -> object:
        taken = [self.lives.pop(0) for _ in range(number or 1)]
        return np.array(taken) if number else taken[0]


def test_workers_that_live_take_what_is_free_and_pay_for_each_lock_that_is_not() -> None:
    found = simulate([100, 50, 20], 2, COSTS, math.inf, np.random.default_rng(0))
    # The second worker is refused once, begins at 11, ends at 63, and the third from 63 to 85.
    assert (found.wall, found.all_begun, found.trained) == (112, 63, 170)
    assert (found.deaths, found.probes, found.lost) == (0, 1, 0)
    assert found.scheduling == 2 * 10 + 1 + 3 * 2


def test_a_dead_worker_costs_what_it_did_since_its_last_checkpoint() -> None:
    dying = Dying(110.0, math.inf)
    found = simulate([200], 1, COSTS, 1.0, dying)  # type: ignore[arg-type]
    # It begins at 10 and dies at 110 with three checkpoints; at 127 it goes on with 110 s.
    assert (found.deaths, found.lost, found.wall) == (1, 10, 127 + 110 + 2)


def test_who_finds_nothing_waits_for_what_a_dead_worker_gives_back() -> None:
    dying = Dying(50.0, math.inf, math.inf)
    found = simulate([100, 20], 2, COSTS, 1.0, dying)  # type: ignore[arg-type]
    # The first dies at 50 with one checkpoint; its lock is free at 55, and the second is idle from
    # 11 + 20 + 2 on: it takes the 70 s that are left before the first is back.
    assert (found.deaths, found.lost, found.wall) == (1, 10, 55 + 70 + 2)


def test_the_benchmark_runs(tmp_path: Path) -> None:
    seconds = {A_TRIAL: 0.02, CONCLUDE: 12.0}
    folder = {name: {"processor": each} for name, each in seconds.items()} | {"bytes": 1e9}
    for name, figures, trials in (
        ("many_trials-mnist", folder, 1000),
        ("large_comparison", {"processor seconds": 60.0}, 0),
    ):
        document = {"setting": {"trials": trials}, "figures": figures}
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    size = ["--trials", "40", "--workers", "4", "--costs", str(tmp_path)]
    main([*size, "--results", str(tmp_path)])
    figures = figures_of(tmp_path, "simulate_cluster")
    assert figures["never"]["deaths"] == 0
    assert figures["afterwards"]["reading"] == pytest.approx(0.48)
    assert first_cells(tmp_path, "simulate_cluster") == [
        "each worker dies", "never", "once a week", "once a day", "afterwards", "the folder, GB",
        "reading all trials, s", "comparing 50 entrants with 200 seeds, s",
    ]  # fmt: skip
