from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bakeoff.data.dataset import Dataset
from bakeoff.errors import StoreError
from bakeoff.findings import trained
from bakeoff.findings.trained import load_network, view_of
from bakeoff.records import trial_files
from bakeoff.records.folder import RunFolder
from bakeoff.records.manifest import manifest_of
from bakeoff.training.predict import predict_logits
from bakeoff.training.run_trial import run_trial
from bakeoff.training.trial import Trial

from ..factories import entrant, first_of, record, study, trial_spec

STUDY = study(entrant("drop", "cnn-2conv-dropout", epochs=1), entrant("linear"), validation=60)


@pytest.fixture(scope="module")
def few(digits: Dataset) -> Dataset:
    return first_of(digits, train=260, test=90)


@pytest.fixture(scope="module")
def trial(few: Dataset) -> Trial:
    spec = trial_spec(STUDY, STUDY.entrant("drop"), 0, few, torch.device("cpu"), "float32")
    return run_trial(spec, lambda _: None)


@pytest.fixture
def folder(trial: Trial, tmp_path: Path) -> RunFolder:
    folder = RunFolder.create(tmp_path, STUDY)
    folder.write_trial(trial.record, trial.weights, trial.predictions)
    return folder


def test_the_loaded_network_gives_the_very_logits_that_were_scored(
    folder: RunFolder, trial: Trial, few: Dataset
) -> None:
    model = load_network(folder, trial.record, few)
    logits = predict_logits(model, torch.from_numpy(few.test_images), 1 / 255)
    np.testing.assert_array_equal(logits, trial.predictions["test_logits"])


def test_the_picture_is_of_the_network_that_was_scored(
    folder: RunFolder, trial: Trial, few: Dataset
) -> None:
    view = view_of(folder, trial.record, few, 7)
    logits = torch.from_numpy(trial.predictions["test_logits"][7])
    np.testing.assert_allclose(view.probabilities, logits.softmax(0), rtol=1e-4, atol=1e-6)
    assert view.filters is not None
    np.testing.assert_array_equal(view.filters, trial.weights["conv1.weight"])
    assert (view.entrant, view.seed, view.index) == ("drop", 0, 7)
    assert view.label == few.test_labels[7]
    assert view.label_name == few.classes[few.test_labels[7]]
    np.testing.assert_array_equal(view.image, few.test_images[7])


def test_the_weights_of_another_network_are_refused(
    folder: RunFolder, trial: Trial, few: Dataset
) -> None:
    linear = record(STUDY, "linear")
    folder.write_trial(linear, trial.weights, {})
    with pytest.raises(StoreError) as caught:
        load_network(folder, linear, few)
    file = folder.trial("linear", 0) / "model.safetensors"
    assert str(caught.value) == f"{file}: not the weights of logistic-regression"


def test_weights_that_are_no_safetensors_are_named(
    folder: RunFolder, trial: Trial, few: Dataset
) -> None:
    file = folder.trial("drop", 0) / "model.safetensors"
    file.write_bytes(b"\x80\x04none")
    rest = {each.name: each.read_bytes() for each in file.parent.iterdir()}
    del rest["manifest.json"]
    file.with_name("manifest.json").write_bytes(manifest_of(rest))
    with pytest.raises(StoreError) as caught:
        load_network(folder, trial.record, few)
    assert str(caught.value) == f"{file}: not the weights of a trial"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -3e38])
def test_weights_that_no_training_ends_with_are_refused(
    value: float, folder: RunFolder, trial: Trial, few: Dataset
) -> None:
    weights = {name: each.clone() for name, each in trial.weights.items()}
    next(iter(weights.values())).view(-1)[0] = value
    other = record(STUDY, "drop", 1)
    folder.write_trial(other, weights, {})
    with pytest.raises(StoreError) as caught:
        load_network(folder, other, few)
    place = folder.trial("drop", 1)
    assert str(caught.value) == (
        f"{place / 'model.safetensors'}: weights that no training ends with; move {place} away"
    )


def test_weights_of_another_type_are_refused(folder: RunFolder, trial: Trial, few: Dataset) -> None:
    other = record(STUDY, "drop", 1)
    truths = {name: each > 0 for name, each in trial.weights.items()}
    folder.write_trial(other, truths, {})
    with pytest.raises(StoreError) as caught:
        load_network(folder, other, few)
    file = folder.trial("drop", 1) / "model.safetensors"
    assert str(caught.value) == f"{file}: not the weights of cnn-2conv-dropout"


def test_a_look_reads_and_decodes_the_weights_once_and_builds_the_network_once(
    folder: RunFolder, trial: Trial, few: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def counted(module: object, name: str) -> None:
        original = getattr(module, name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            calls.append(name)
            return original(*args, **kwargs)

        monkeypatch.setattr(module, name, counting)

    counted(trial_files, "read_listed")
    counted(trained, "from_safetensors")
    counted(trained, "build_entrant")
    view_of(folder, trial.record, few, 7)
    assert sorted(calls) == ["build_entrant", "from_safetensors", "read_listed"]
