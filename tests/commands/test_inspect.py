from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bakeoff.commands.inspect import inspect_run, opinions
from bakeoff.commands.run import run_study
from bakeoff.data.dataset import Dataset
from bakeoff.data.split import split_of
from bakeoff.errors import StoreError, UsageError
from bakeoff.records.folder import RunFolder

from ..factories import WEIGHTS, diverged, entrant, out_of_memory, record, scored, study

STUDY = study(entrant("first"), entrant("second"), entrant("third"), seeds=3)


def predictions(digits: Dataset, said: int, seed: int = 0) -> dict[str, Any]:
    """Return those of a trial that says the same of every image."""
    logits = np.zeros((len(digits.test_labels), 10), np.float32)
    logits[:, said] = 1
    validation = split_of(STUDY, seed, digits).validation
    return {
        "validation_index": validation,
        "validation_logits": logits[: len(validation)],
        "validation_labels": digits.train_labels[validation],
        "test_logits": logits,
        "test_labels": digits.test_labels,
    }


@pytest.fixture
def run(tmp_path: Path, digits: Dataset) -> Path:
    """Return a run of which the second entrant lacks two trials, and the third all of them."""
    folder = RunFolder.create(tmp_path, STUDY)
    right = int(digits.test_labels[4])
    for seed, said in enumerate((right, right, (right + 1) % 10)):
        found = predictions(digits, said, seed)
        folder.write_trial(scored(record(STUDY, "first", seed), found), WEIGHTS, found)
    found = predictions(digits, right, 1)
    folder.write_trial(scored(record(STUDY, "second", 1), found), WEIGHTS, found)
    folder.write_trial(diverged(STUDY, "second", 0), {}, {})
    folder.write_trial(out_of_memory(STUDY, "third", 2), {}, {})
    return tmp_path


TROUBLES = [
    "second seed 0 diverged: the loss was not finite in epoch 1",
    "second seed 2 is missing: not trained yet",
    "third seed 0 is missing: not trained yet",
    "third seed 1 is missing: not trained yet",
    "third seed 2 out_of_memory: the memory was used up in epoch 1",
]


def test_everyone_is_asked_and_who_is_missing_is_named(run: Path, digits: Dataset) -> None:
    label = digits.classes[digits.test_labels[4]]
    other = digits.classes[(digits.test_labels[4] + 1) % 10]
    found = opinions(run, 4)
    assert found.to_text().splitlines() == [
        f"test image 4: label {label}",
        f"first   2 of 3 right    says {label} x2, {other} x1",
        f"second  1 of 1 right    says {label}",
        "third   0 of 0 right    says -",
        *TROUBLES,
        "3 of 4 trials are right",
    ]


def test_the_document_names_seeds_and_what_is_missing(run: Path, digits: Dataset) -> None:
    label = digits.classes[digits.test_labels[4]]
    document = opinions(run, 4).to_dict()
    assert document["entrants"][1:] == [
        {"entrant": "second", "seeds": [1], "predicted": [label], "right": 1},
        {"entrant": "third", "seeds": [], "predicted": [], "right": 0},
    ]
    assert document["troubles"] == TROUBLES


def test_a_run_in_which_nothing_is_missing_says_nothing_of_it(
    tmp_path: Path, digits: Dataset
) -> None:
    one = study(entrant("first"))
    said = predictions(digits, int(digits.test_labels[4]))
    RunFolder.create(tmp_path, one).write_trial(scored(record(one, "first"), said), WEIGHTS, said)
    found = opinions(tmp_path, 4)
    assert found.troubles == ()
    assert len(found.to_text().splitlines()) == 3


def test_a_label_that_is_known_to_be_wrong_is_marked(run: Path) -> None:
    wrong = replace(opinions(run, 4), known_wrong_label=True)
    assert wrong.to_text().splitlines()[0].endswith(" (known to be wrong)")


def test_what_is_not_there_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        opinions(run, 500)
    assert str(refused.value) == "--index 500: the last test image is 499"
    empty = tmp_path / "empty"
    RunFolder.create(empty, STUDY)
    with pytest.raises(StoreError) as nothing:
        opinions(empty, 0)
    assert str(nothing.value) == f"{empty}: no finished trial yet; run the study first"


def test_entrants_that_say_something_else_are_looked_into_too(tmp_path: Path) -> None:
    """Those of the same seed; in the text, the document and the picture."""
    two = study(
        entrant("sure", "cnn-1conv", epochs=1, learning_rate=0.003),
        entrant("linear", epochs=1),
        seeds=2,
    )
    baked = run_study(two, tmp_path / "run", precision="float32")
    said = {
        name: baked.folder.read_predictions(name, 1)["test_logits"].argmax(1)
        for name in ("sure", "linear")
    }
    parted, agreed = (int(np.flatnonzero(same)[0]) for same in (
        said["sure"] != said["linear"], said["sure"] == said["linear"]
    ))  # fmt: skip
    seen = inspect_run(baked.folder.path, "sure", parted, 1)
    (other,) = seen.apart
    assert (other.entrant, other.seed, other.index) == ("linear", 1, parted)
    assert other.predicted == said["linear"][parted] != seen.view.predicted
    line = f"linear says {other.predicted_name} with {other.probability:.4f}"
    assert line in seen.to_text().splitlines()
    (document,) = seen.to_dict()["entrants_that_disagree"]
    assert document["predicted"] == other.predicted_name
    assert f"linear says {other.predicted_name}, and looks" in seen.picture.read_text()
    assert inspect_run(baked.folder.path, "sure", agreed, 1).apart == ()
    # Without an index it is an image about which they part, and the same for who is right.
    seen = inspect_run(baked.folder.path, None, None, 0)
    assert seen.view.predicted == seen.view.label
    assert len(seen.apart) == 1
    assert opinions(baked.folder.path, None).index == seen.view.index
