from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.interleaved import Turns
from benchmarks.stacked_trials import main, row

from .results import figures_of, first_cells


def test_seconds_are_shown_per_seed_and_the_ratio_as_it_is() -> None:
    turns = Turns(("one by one", "together"), np.array([[4.0, 6.0, 8.0], [2.0, 2.0, 2.0]]))
    assert row("a", turns, seeds=4) == ("a", "1.5000", "0.5000", "3.00 (2.00 to 4.00)")


def test_the_benchmark_runs(tmp_path: Path) -> None:
    counts = "--device cpu --precision float32 --seeds 2 --rounds 1 --examples 120"
    main([*counts.split(), "--only", "logistic-regression", "--results", str(tmp_path)])
    figures = figures_of(tmp_path, "stacked_trials")
    assert figures["logistic-regression"].keys() == {"one by one", "together"}
    assert first_cells(tmp_path, "stacked_trials") == [
        "seconds per seed and epoch",
        "logistic-regression",
    ]
