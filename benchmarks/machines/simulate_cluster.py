"""Simulate 10,000 trials on 1,000 workers that die: what is lost, and what scheduling costs.

    python -m benchmarks.machines.simulate_cluster [--trials 10000] [--workers 1000]

Each worker goes through the trials in their order and takes the first whose lock it gets, as
`runners.serial` does; the length of a trial is drawn, and when a worker dies. What it was at goes
on from its last checkpoint, once the lock is given back, with whoever comes by first; the worker
itself is begun anew, as Slurm does. What a trial and the conclusion cost is what `many_trials` and
`large_comparison` measured; the probe of a lock is measured here.
"""

from __future__ import annotations

import argparse
import heapq
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff.files import locks
from bakeoff.files.place import Place
from benchmarks.machines.many_trials import A_TRIAL, CONCLUDE
from benchmarks.publish import RESULTS, Table, add_results_option, machine, publish


@dataclass(frozen=True)
class Costs:
    """Seconds."""

    start: float
    """Until a worker that is begun looks for its first trial: imports, data, the plan."""
    probe: float
    """To ask for the lock of a trial that another holds, or that is finished."""
    trial: float
    """Of the folder, for each trial, beside its training."""
    checkpoint: float
    """Between two checkpoints; half of it is lost on average."""
    lease: float
    """Until the lock of a dead machine is given back."""
    again: float
    """Until a dead worker is begun anew."""


@dataclass(frozen=True)
class Simulated:
    """What a run came to; seconds of all workers together, but for `wall` and `all_begun`."""

    wall: float
    all_begun: float
    """When the last trial was begun for the first time: from then on workers find nothing."""
    trained: float
    """Of work that is in the result."""
    lost: float
    """Of work that was done again."""
    scheduling: float
    """Of probes, starts and the folder's own work."""
    deaths: int
    probes: int


def simulate(
    lengths: Sequence[float],
    workers: int,
    costs: Costs,
    mean_life: float,
    rng: np.random.Generator,
) -> Simulated:
    """Return what becomes of trials of these lengths, in seconds.

    mean_life: seconds until a worker dies, on average; exponentially distributed.
    """
    left = np.array(lengths, np.float64)
    free_from = np.zeros(len(left))  # When a trial's lock can be had; infinite once it is finished.
    lost = scheduling = wall = all_begun = 0.0
    deaths = probes = 0
    dies = rng.exponential(mean_life, workers)
    events = [(costs.start, worker, 0) for worker in range(workers)]
    scheduling += workers * costs.start
    while events:
        now, worker, place = heapq.heappop(events)
        order = np.roll(np.arange(len(left)), -place)
        there = np.flatnonzero(free_from[order] <= now)
        if not len(there):
            held = free_from[np.isfinite(free_from)]
            if len(held) and left[free_from == held.min()].sum() > 0:
                # Whoever began the run waits for what others hold, and takes what they give up.
                heapq.heappush(events, (float(held.min()), worker, place))
            continue
        passed = int(there[0])
        trial = int(order[passed])
        probes += passed
        began = now + passed * costs.probe
        all_begun = max(all_begun, began if left[trial] == lengths[trial] else 0.0)
        ends = began + left[trial] + costs.trial
        scheduling += passed * costs.probe
        if ends <= dies[worker]:
            scheduling += costs.trial
            left[trial], free_from[trial], wall = 0.0, np.inf, max(wall, ends)
            heapq.heappush(events, (ends, worker, (trial + 1) % len(left)))
            continue
        deaths += 1
        worked = min(max(0.0, dies[worker] - began), left[trial])
        kept = worked // costs.checkpoint * costs.checkpoint
        lost, left[trial] = lost + worked - kept, left[trial] - kept
        free_from[trial] = dies[worker] + costs.lease
        back = dies[worker] + costs.again + costs.start
        scheduling += costs.start
        dies[worker] = back + rng.exponential(mean_life)
        heapq.heappush(events, (back, worker, 0))
    trained = float(np.sum(lengths))
    return Simulated(wall, all_begun, trained, lost, scheduling, deaths, probes)


def seconds_of_a_probe() -> float:
    """Return the processor seconds of finding that somebody else holds a lock, on this disk."""
    with tempfile.TemporaryDirectory() as folder:
        file = Place(Path(folder)) / "lock"
        with locks.held(file):
            began = time.process_time()
            for _ in range(1000):
                with locks.held_if_free(file):
                    pass
            return (time.process_time() - began) / 1000


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=20, help="median length of a trial")
    parser.add_argument("--spread", type=float, default=0.7, help="of its logarithm")
    parser.add_argument("--server", type=float, default=10, help="how much slower than this disk")
    parser.add_argument("--costs", type=Path, default=RESULTS, help="results of the measurements")
    add_results_option(parser)
    options = parser.parse_args(arguments)

    folder = _measured(options.costs / "many_trials-mnist.json")
    comparison = _measured(options.costs / "large_comparison.json")["figures"]
    trials, slower = folder["setting"]["trials"], options.server
    cost = folder["figures"]
    costs = Costs(
        start=20,
        probe=slower * seconds_of_a_probe(),
        trial=slower * cost[A_TRIAL]["processor"],
        checkpoint=240,
        lease=90,
        again=120,
    )
    rng = np.random.default_rng(0)
    lengths = rng.lognormal(np.log(60 * options.minutes), options.spread, options.trials)
    rows, figures = [], {}
    for name, life in (("never", np.inf), ("once a week", 7 * 86400), ("once a day", 86400)):
        found = simulate(lengths, options.workers, costs, life, np.random.default_rng(1))
        ideal = found.trained / options.workers
        figures[name] = vars(found)
        rows.append(
            (
                name,
                f"{found.deaths:,}",
                f"{found.all_begun / 3600:.2f}",
                f"{found.wall / 3600:.2f}",
                f"{ideal / 3600:.2f}",
                f"{100 * found.lost / found.trained:.2f} %",
                f"{100 * found.scheduling / found.trained:.2f} %",
                f"{found.probes:,}",
            )
        )
    reading = options.trials / trials * cost[CONCLUDE]["processor"]
    size = options.trials / trials * cost["bytes"]
    figures["afterwards"] = {"bytes": size, "reading": reading, **comparison}
    publish(
        "simulate_cluster",
        [
            Table(
                (
                    *("each worker dies", "deaths", "all begun, h", "wall, h", "work, h"),
                    *("lost work", "scheduling", "locks held by others"),
                ),
                tuple(rows),
            ),
            Table(
                ("afterwards", ""),
                (
                    ("the folder, GB", f"{size / 1e9:.1f}"),
                    ("reading all trials, s", f"{reading:.0f}"),
                    (
                        "comparing 50 entrants with 200 seeds, s",
                        f"{comparison['processor seconds']:.0f}",
                    ),
                ),
            ),
        ],
        setting={
            "trials": options.trials,
            "workers": options.workers,
            "median length, min": options.minutes,
            "spread of its logarithm": options.spread,
            **{name: f"{seconds:.4g} s" for name, seconds in vars(costs).items()},
            "the server of files, times as slow as this disk": slower,
        },
        figures=figures,
        machine=machine(),
        folder=options.results,
    )


def _measured(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())
    return found


if __name__ == "__main__":
    main()
