"""Trainings that come to enormous numbers: whatever they leave can be written, read and shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bakeoff.data.dataset import Dataset
from bakeoff.findings.inside import view_of
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Record
from bakeoff.study.study import Entrant, Study
from bakeoff.training import finish
from bakeoff.training.finish import finish_trial
from bakeoff.training.predict import predict_logits
from bakeoff.training.run_trial import run_trial
from bakeoff.training.trial import Trial, TrialSpec

from ..factories import entrant, first_of, study, trial_spec

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def few(digits: Dataset) -> Dataset:
    return first_of(digits, train=400, test=90)


def asked(of: Entrant) -> Study:
    return study(of, validation=200)


def trained(of: Entrant, data: Dataset, precision: str = "float32") -> Trial:
    return run_trial(trial_spec(asked(of), of, 0, data, CPU, precision), lambda _: None)


def read_back(trial: Trial, of: Entrant, data: Dataset, path: Path) -> Record:
    """Write and read the trial, and look inside its network where it is complete."""
    folder = RunFolder.create(path, asked(of))
    folder.write_trial(trial.record, trial.weights, trial.predictions)
    record = folder.read_record(of.name, 0)
    assert record == trial.record
    if record.complete:
        folder.read_tested(of.name, 0, data)
        view_of(folder, record, data, 0)
    return record


@pytest.mark.parametrize(
    ("architecture", "recipe"),
    [
        ("mlp-2x200", {"optimizer": "sgd", "learning_rate": 100}),
        ("logistic-regression", {"optimizer": "sgd", "learning_rate": 1e12}),
        ("logistic-regression", {"optimizer": "sgd", "learning_rate": 1e20}),
        ("logistic-regression", {"learning_rate": 1e300}),
        ("logistic-regression", {"optimizer": "sgd", "weight_decay": 1e8}),
        ("cnn-2conv", {"learning_rate": 300}),
        ("cnn-3conv", {"learning_rate": 300}),
        ("cnn-3conv", {"optimizer": "sgd", "learning_rate": 1e8}),
    ],
)
def test_whatever_a_training_leaves_is_read_back(
    architecture: str, recipe: dict[str, Any], few: Dataset, tmp_path: Path
) -> None:
    wild = entrant("wild", architecture, epochs=2, **recipe)
    record = read_back(trained(wild, few), wild, few, tmp_path)
    # Which of the two may hang on the last bit of a step.
    assert record.complete != record.stopped.diverged
    assert all(max(epoch.train_loss, epoch.validation_loss) <= 1e15 for epoch in record.epochs)


@pytest.mark.parametrize(
    ("architecture", "recipe"),
    [
        ("cnn-1conv", {"optimizer": "adamw", "learning_rate": 100}),
        ("cnn-3conv", {"learning_rate": 10_000}),
        ("cnn-3conv", {"optimizer": "sgd", "learning_rate": 10_000}),
    ],
)
def test_so_it_is_in_bfloat16(
    architecture: str, recipe: dict[str, Any], few: Dataset, tmp_path: Path
) -> None:
    wild, less = entrant("wild", architecture, epochs=1, **recipe), first_of(few, train=250, test=9)
    record = read_back(trained(wild, less, "bfloat16"), wild, less, tmp_path)
    assert record.complete != record.stopped.diverged


def test_a_loss_that_is_finite_and_says_nothing_has_its_own_words(few: Dataset) -> None:
    record = trained(entrant("wild", "cnn-2conv", epochs=2, learning_rate=300), few).record
    assert record.trouble == "the loss was above 1e+15 in epoch 1"
    assert (record.stopped.epoch, record.stopped.reason) == (1, "numbers too large")
    assert record.epochs == ()


PLAIN = entrant("plain", epochs=1)


@pytest.mark.parametrize("value", [torch.inf, -torch.inf, torch.nan, 1e20])
def test_weights_that_nothing_depends_on_may_explode_alone(
    value: float, few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = finish_trial

    def spoilt(spec: TrialSpec, model: torch.nn.Module, *rest: Any) -> Trial:
        model.register_buffer("unused", torch.tensor([1.0, value]))
        return whole(spec, model, *rest)

    monkeypatch.setattr("bakeoff.training.run_trial.finish_trial", spoilt)
    record = read_back(trained(PLAIN, few), PLAIN, few, tmp_path)
    assert record.status == "diverged"
    assert record.trouble == "weights were above 1e+15 after epoch 1"
    assert len(record.epochs) == 1


@pytest.mark.parametrize(
    ("part", "wrong", "trouble"),
    [
        ("test", np.nan, "the test logits of image 89 were not finite after epoch 1"),
        ("test", -np.inf, "the test logits of image 89 were not finite after epoch 1"),
        ("validation", np.nan, "the validation logits of image 199 were not finite after epoch 1"),
        ("test", 3e38, "the test loss was above 1e+15 after epoch 1"),
    ],
)
def test_logits_that_cannot_be_scored_are_the_end_of_their_trial_alone(
    part: str,
    wrong: float,
    trouble: str,
    few: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = {"validation": 200, "test": 90}[part]

    def spoilt(model: torch.nn.Module, asked: torch.Tensor, *how: Any) -> torch.Tensor:
        logits = predict_logits(model, asked, *how).clone()
        if len(asked) == images:
            logits[-1] = torch.tensor([wrong] + [0.0] * 9)
        return logits

    monkeypatch.setattr(finish, "predict_logits", spoilt)
    assert few.test_labels[-1] != 0
    trial = trained(PLAIN, few)
    record = read_back(trial, PLAIN, few, tmp_path)
    assert (record.status, record.trouble) == ("diverged", trouble)
    assert (record.validation, record.test, record.cost) == (None, None, None)
    assert record.stopped.reason == "numbers too large"
    assert trial.predictions == {}
