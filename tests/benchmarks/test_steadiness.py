from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import steadiness
from benchmarks.steadiness import main, row

from .results import figures_of, first_cells


def test_ratios_are_taken_within_a_round() -> None:
    by_load = {0: [1.0, 2.0, 4.0], 1: [3.0, 2.0, 6.0], 3: [4.0, 8.0, 12.0]}
    assert row("a", "one thread", by_load) == (
        "a", "one thread", "2.00", "3.00 (1.50)", "8.00 (4.00)"
    )  # fmt: skip


def test_the_benchmark_runs(tmp_path: Path) -> None:
    counts = "--precision float32 --rounds 1 --seconds 0.05 --busy 1"
    main([*counts.split(), "--only", "logistic-regression", "--results", str(tmp_path)])
    figures = figures_of(tmp_path, "steadiness")["logistic-regression"]
    assert all(by_load.keys() == {"0", "1"} for by_load in figures.values())
    assert first_cells(tmp_path, "steadiness")[1:] == ["logistic-regression"] * len(figures)


def test_a_process_that_ended_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steadiness, "_STEPPER", "")
    with pytest.raises(RuntimeError, match=r"^a process that takes steps has ended$"):
        steadiness.Stepper("a", steadiness.settings(2)[0], "float32")
