"""Run folders of versions whose studies and records had fewer keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bakeoff.files.reading import sealed_toml
from bakeoff.records.folder import RunFolder
from bakeoff.records.trial_files import manifest_of
from bakeoff.study.study import Study

from ..factories import record

# As `bakeoff run` wrote it before optimizers and schedules had keys of their own.
STUDY = """\
name = "quick"
title = "A first look, in seconds"
question = "How well do five small networks read 8 x 8 digits?"
about = ""
seeds = 1
study_seed = 0

[protocol]
dataset = "digits"
validation_examples = 297
pixels = "scaled-once"
selection_metric = "balanced_accuracy"

[decision]
confidence = 0.95
equivalence_margin = 0.25

[[entrants]]
name = "adam"
title = "Logistic regression"
architecture = "logistic-regression"

[entrants.recipe]
optimizer = "adam"
learning_rate = 0.01
schedule = "one-cycle"
weight_decay = 0.0
batch_size = 50
initialisation = "framework-default"
epochs = 8

[[entrants]]
name = "sgd"
title = ""
architecture = "mlp-2x200"

[entrants.recipe]
optimizer = "sgd"
learning_rate = 0.1
schedule = "constant"
weight_decay = 0.0
batch_size = 50
initialisation = "framework-default"
epochs = 8
"""
HASH = "b925fe36bfbee45ad70d5584cc3915cb705982acfba1eedc9776ebd0c2b3e7a4"
RECIPES: dict[str, dict[str, Any]] = {
    "adam": {
        "optimizer": "adam",
        "learning_rate": 0.01,
        "schedule": "one-cycle",
        "weight_decay": 0.0,
        "batch_size": 50,
        "initialisation": "framework-default",
        "label_smoothing": None,
        "epochs": 8,
        "target_validation_accuracy": None,
    }
}
RECIPES["sgd"] = RECIPES["adam"] | {
    "optimizer": "sgd",
    "learning_rate": 0.1,
    "schedule": "constant",
}


def without_details(study: Study, entrant: str) -> bytes:
    """Return a record.json whose recipe is as it was written then."""
    document = record(study, entrant).model_dump(mode="json")
    assert document["recipe"].keys() > RECIPES[entrant].keys()
    return json.dumps(document | {"recipe": RECIPES[entrant]}).encode()


@pytest.fixture
def older(tmp_path: Path) -> Path:
    (tmp_path / "study.toml").write_bytes(sealed_toml(STUDY))
    study = RunFolder.open(tmp_path).study
    for entrant in RECIPES:
        trial = tmp_path / "trials" / entrant / "0"
        trial.mkdir(parents=True)
        files = {"record.json": without_details(study, entrant)}
        for name, content in (files | {"manifest.json": manifest_of(files)}).items():
            (trial / name).write_bytes(content)
    return tmp_path


def test_an_older_run_has_the_hash_that_it_had_and_the_defaults_of_then(older: Path) -> None:
    study = RunFolder.open(older).study
    assert study.hash == HASH
    adam, sgd = (each.recipe for each in study.entrants)
    assert (adam.betas, adam.epsilon, adam.warmup) == ((0.9, 0.999), 1e-8, 0.25)
    assert (sgd.momentum, sgd.nesterov, sgd.warmup) == (0.9, True, None)


def test_an_older_record_is_of_the_recipe_that_its_study_has(older: Path) -> None:
    folder = RunFolder.open(older)
    assert folder.read_records() == tuple(record(folder.study, name) for name in RECIPES)


def test_an_older_run_goes_on(older: Path) -> None:
    study = RunFolder.open(older).study
    before = (older / "study.toml").read_bytes()
    assert RunFolder.create(older, study).has_trial("sgd", 0)
    assert (older / "study.toml").read_bytes() == before
