"""A share of what `make torture` does in full: see docs/reliability.md."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.torture import proofs
from benchmarks.torture.proofs import Bench
from benchmarks.torture.runs import Server, fingerprint, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("logs")) as started:
        yield started


@pytest.fixture(scope="module")
def bench(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(server, tmp_path_factory.mktemp("bench"))


@pytest.fixture
def dice() -> random.Random:
    return random.Random(7)  # noqa: S311 - nothing here is secret


def of_the_training(bench: Bench, every: int) -> list[int]:
    """Return every n-th operation on checkpoints and trials, counted from 1."""
    numbers = [
        number
        for number, operation in enumerate(bench.operations, start=1)
        if "/unfinished/" in operation or "/trials/" in operation
    ]
    assert len(numbers) > 60
    return numbers[::every]


def test_a_run_writes_flushes_and_renames_below_its_folder(bench: Bench) -> None:
    kinds = {operation.split()[0] for operation in bench.operations}
    assert {"open", "write", "flush", "fsync", "replace", "rename", "mkdir", "flock"} <= kinds


def test_killed_at_an_operation_it_goes_on_as_if_nothing_had_happened(bench: Bench) -> None:
    row = proofs.kills_at_operations(bench, of_the_training(bench, 12))
    assert row.faults == []


def test_killed_at_any_instant_it_goes_on_as_if_nothing_had_happened(
    bench: Bench, dice: random.Random
) -> None:
    assert proofs.kills_at_instants(bench, 4, dice).faults == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_stop_it_in_time_with_their_code_and_one_line(
    number: signal.Signals, bench: Bench, dice: random.Random
) -> None:
    assert proofs.signals_at_instants(bench, number, 3, dice).faults == []


def test_a_refused_operation_is_one_line_and_the_same_command_goes_on(bench: Bench) -> None:
    row = proofs.refusals(bench, of_the_training(bench, 40))
    assert row.tried >= 6
    assert row.faults == []


def test_four_on_one_folder_train_every_trial_once(
    server: Server, tmp_path: Path, dice: random.Random
) -> None:
    crowd = Bench(server, tmp_path, seeds=2)
    assert proofs.rivals(crowd, 1, 4, dice).faults == []


def test_a_training_that_goes_wrong_leaves_the_others_alone(bench: Bench) -> None:
    assert proofs.bad_trainings(bench, [3]).faults == []


def test_the_same_trials_come_out_the_same(bench: Bench) -> None:
    assert proofs.repeats(bench, 1).faults == []


# The test of the tests


def test_a_refused_write_is_seen(bench: Bench) -> None:
    write = next(n for n, what in enumerate(bench.operations, 1) if "write " in what)
    with bench.folder() as folder:
        ended = bench.server.run(bench.arguments(folder), folder, at=write, error=28)
    assert ended.code == 1
    assert ended.error_lines == [
        f"bakeoff: {folder / 'study.toml'}: cannot write: No space left on device"
    ]


def test_another_result_is_seen(bench: Bench) -> None:
    with bench.folder() as folder:
        arguments = [*bench.arguments(folder), "--set", "drop.learning_rate=0.002"]
        assert bench.server.run(arguments, folder).code == 0
        assert fingerprint(folder) != bench.expected
