from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bakeoff.data.readers.digits import load_digits
from bakeoff.data.split import split_examples
from benchmarks import split_difficulty
from benchmarks.split_difficulty import RECIPE, held_out_errors, table

from .results import figures_of, first_cells


def test_the_share_of_wrong_images_among_those_that_a_seed_draws() -> None:
    drawn = split_examples(60_000, 6_000, study_seed=1, trial_seed=0).validation
    errors = np.zeros(60_000)
    errors[drawn[:60]] = 1
    assert table(errors, range(1, 2)).rows == (("all", "0.10%"), ("1", "1.00%"))


def test_every_image_is_judged_by_a_network_that_did_not_see_it() -> None:
    digits = load_digits()
    wrong = held_out_errors(digits, 3, 0, RECIPE.model_copy(update={"epochs": 8}))
    assert wrong.shape == (len(digits.train_labels),)
    assert 0.005 < wrong.mean() < 0.2


def test_the_benchmark_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split_difficulty, "load_mnist", load_digits)
    monkeypatch.setattr(split_difficulty, "VALIDATION_EXAMPLES", 300)
    counts = "--repeats 1 --folds 2 --seeds 2 --epochs 2"
    split_difficulty.main([*counts.split(), "--results", str(tmp_path)])
    assert 0 < figures_of(tmp_path, "split_difficulty")["share_wrong"] < 0.9
    assert first_cells(tmp_path, "split_difficulty") == ["study seed", "all", "0", "1"]
