"""Runs that are interrupted, that have rivals, or whose training goes wrong."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from benchmarks.torture import proofs
from benchmarks.torture.proofs import Bench
from benchmarks.torture.runs import Server


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_stop_it_in_time_with_their_code_and_one_line(
    number: signal.Signals, bench: Bench, dice: random.Random
) -> None:
    row = proofs.signals_at_instants(bench, number, 10, dice)
    assert (row.tried, row.faults) == (10, [])


def test_so_it_is_where_workers_train(server: Server, tmp_path: Path, dice: random.Random) -> None:
    working = Bench(server, tmp_path, seeds=2, epochs=4, jobs=2)
    for row in (
        proofs.kills_at_instants(working, 4, dice),
        proofs.signals_at_instants(working, signal.SIGTERM, 3, dice),
    ):
        assert row.what.endswith(" at a random instant, 2 workers")
        assert row.faults == []


def test_four_on_one_folder_train_every_trial_once(
    server: Server, tmp_path: Path, dice: random.Random
) -> None:
    crowd = Bench(server, tmp_path, seeds=2)
    assert proofs.rivals(crowd, 2, 4, dice).faults == []


def test_a_training_that_goes_wrong_leaves_the_others_alone(bench: Bench) -> None:
    assert proofs.bad_trainings(bench, [3]).faults == []


def test_the_same_trials_come_out_the_same(bench: Bench) -> None:
    assert proofs.repeats(bench, 1).faults == []
