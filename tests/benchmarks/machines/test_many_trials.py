from __future__ import annotations

from pathlib import Path

from benchmarks.machines.many_trials import main

from ..results import figures_of, first_cells


def test_the_benchmark_runs(tmp_path: Path) -> None:
    size = "--trials 4 --entrants 2 --dataset digits"
    main([*size.split(), "--results", str(tmp_path)])
    figures = figures_of(tmp_path, "many_trials-digits")
    assert 0 < figures["a trial, beside its training"] < 1
    # Of each trial four, with its lock; and the study, the report and what else a run leaves.
    assert figures["files"] > 4 * 5
    assert first_cells(tmp_path, "many_trials-digits") == [
        "what", "a trial, beside its training", "find what is missing (plan)",
        "take up again (run: every file checked)", "bakeoff status", "conclude (bakeoff compare)",
        "conclude and draw (bakeoff report)", "the folder", "files", "MB",
    ]  # fmt: skip
