"""Runs that are killed, or that the disk refuses: a share of `make torture`."""

from __future__ import annotations

import random

from benchmarks.torture import proofs
from benchmarks.torture.proofs import Bench
from benchmarks.torture.runs import fingerprint


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
    places = [at for at in of_the_training(bench, 1) if at in bench.changes]
    row = proofs.kills_at_operations(bench, places[::10])
    assert row.tried >= 10
    assert row.faults == []


def test_killed_at_any_instant_it_goes_on_as_if_nothing_had_happened(
    bench: Bench, dice: random.Random
) -> None:
    row = proofs.kills_at_instants(bench, 10, dice)
    assert (row.tried, row.faults) == (10, [])


def test_a_refused_operation_is_one_line_and_the_same_command_goes_on(bench: Bench) -> None:
    row = proofs.refusals(bench, of_the_training(bench, 80))
    assert row.tried >= 6
    assert row.faults == []


def test_a_refused_write_of_the_report_is_one_line_and_the_same_command_goes_on(
    bench: Bench,
) -> None:
    names = ("timing.json", "comparison.json", "figures", "report.html")
    places = [at for at in bench.changes if any(name in bench.operations[at - 1] for name in names)]
    assert len(places) > 40
    assert proofs.refusals(bench, places[::30]).faults == []


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
