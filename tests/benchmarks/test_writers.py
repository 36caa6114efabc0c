from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from bakeoff.data.readers.digits import load_digits
from bakeoff.data.readers.mnist import load_mnist
from bakeoff.training.fit import Examples, fit
from benchmarks import writers
from benchmarks.writers import ink_tells

from .results import figures_of, first_cells

STUDY = """
name = "mild"
seeds = 1
[protocol]
dataset = "digits"
validation_examples = 100
[protocol.augmentation]
shift = 1.0
[recipe]
epochs = 30
[[entrants]]
name = "lines"
architecture = "logistic-regression"
"""


def test_images_of_mnist_tell_of_the_one_two_places_on() -> None:
    neighbour, second, far = (ink_tells(load_mnist(), places) for places in (1, 2, 5000))
    assert second == pytest.approx(0.276, abs=0.001)
    assert abs(neighbour) < 0.05
    assert far == pytest.approx(0.048, abs=0.001)


@pytest.mark.parametrize("shuffled", [False, True])
def test_networks_judge_the_images_of_a_fold_that_they_did_not_see(
    shuffled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits, seen = load_digits(), []

    def fit_and_note(
        model: Any, recipe: Any, train: Examples, judged: Examples, *more: Any, **keys: Any
    ) -> None:
        seen.append((train, judged))
        fit(model, recipe, train, judged, *more, **keys)

    monkeypatch.setattr(writers, "load_mnist", load_digits)
    monkeypatch.setattr(writers, "fit", fit_and_note)
    (tmp_path / "mild.toml").write_text(STUDY)
    options = ["--folds", "2", "--epochs", "20", "--results", str(tmp_path)]
    writers.main([str(tmp_path / "mild.toml"), *options, *["--shuffled"] * shuffled])

    wrong = figures_of(tmp_path, "writers")["wrong"]["lines"]
    assert first_cells(tmp_path, "writers") == ["entrant", "lines"]
    assert 0.02 < len(wrong) / len(digits.train_labels) < 0.3
    (train, judged), (other_train, other_judged) = seen
    assert torch.equal(train.images, other_judged.images)
    assert torch.equal(judged.images, other_train.images)
    in_order = torch.from_numpy(digits.train_images[: len(judged)])
    assert torch.equal(judged.images, in_order) is not shuffled
