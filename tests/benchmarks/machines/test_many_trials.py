from __future__ import annotations

from pathlib import Path

from benchmarks.machines.many_trials import A_TRIAL, CONCLUDE, main

from ..results import figures_of, first_cells


def test_the_benchmark_runs(tmp_path: Path) -> None:
    size = "--trials 4 --entrants 2 --dataset digits"
    main([*size.split(), "--results", str(tmp_path)])
    figures = figures_of(tmp_path, "many_trials-digits")
    for took in (figures[A_TRIAL], figures[CONCLUDE]):
        assert 0 < took["processor"] < 5
    assert 10_000 < figures["bytes"] < 10_000_000
    assert first_cells(tmp_path, "many_trials-digits") == [
        "what", "a trial, beside its training", "find what is missing (plan)",
        "take up again (run: every file checked)", "bakeoff status", "conclude (bakeoff compare)",
        "conclude and draw (bakeoff report)", "the folder", "files", "MB",
    ]  # fmt: skip
