from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.machines.large_comparison import drawn, main

from ..results import figures_of, first_cells


def test_better_entrants_err_less_and_all_on_the_same_images() -> None:
    outcomes, labels = drawn(40, 2, 2000, target=True)
    wrong = [1 - np.asarray(each.correct(labels)).mean(axis=0) for each in outcomes]
    assert wrong[0].mean() > wrong[-1].mean() > 0
    # About one in forty errs of each, and where one does the next does so far more often.
    assert wrong[1][wrong[0] == 1].mean() > 10 * wrong[1].mean()


@pytest.mark.parametrize(("options", "name"), [("", ""), ("--target", "-target")])
def test_the_benchmark_runs(options: str, name: str, tmp_path: Path) -> None:
    size = "--entrants 3 --seeds 4 --images 200"
    main([*size.split(), *options.split(), "--results", str(tmp_path)])
    figures = figures_of(tmp_path, f"large_comparison{name}")
    assert figures["pairs"] == 3
    assert figures["peak bytes"] > 10_000_000
    assert first_cells(tmp_path, f"large_comparison{name}") == [
        "comparison", "pairs", "wall seconds", "processor seconds, one thread",
        "peak memory, predictions included, GB", "comparison.json, MB",
    ]  # fmt: skip
