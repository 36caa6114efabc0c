from __future__ import annotations

from pathlib import Path

from benchmarks.throughput import main, row, shares

from .results import figures_of, first_cells


def test_the_cores_are_given_out_in_every_equal_way() -> None:
    assert shares(1) == [(1, 1)]
    assert shares(2) == [(1, 1), (1, 2), (2, 1)]
    assert shares(6) == [(1, 1), (1, 6), (2, 3), (3, 2), (6, 1)]


def test_ratios_are_taken_within_a_round() -> None:
    by_share = {"1 x 1": [100.0, 50.0, 40.0], "1 x 2": [150.0, 100.0, 40.0]}
    assert row("a", by_share) == ("a", "50", "100 (1.50)")


def test_the_benchmark_runs(tmp_path: Path) -> None:
    counts = "--precision float32 --rounds 1 --seconds 0.05 --only logistic-regression"
    main([*counts.split(), "--results", str(tmp_path)])
    figures = figures_of(tmp_path, "throughput")["logistic-regression"]
    assert all(len(rounds) == 1 and rounds[0] > 0 for rounds in figures.values())
    assert first_cells(tmp_path, "throughput") == ["entrant", "logistic-regression"]
