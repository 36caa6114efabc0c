"""From a run folder to a comparison: what is paired, and what is refused by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bakeoff.comparison.compare import Comparison
from bakeoff.data.dataset import Dataset
from bakeoff.data.readers.digits import load_digits
from bakeoff.data.split import split_of
from bakeoff.errors import StoreError
from bakeoff.findings.outcomes import compare_outcomes, outcome_of
from bakeoff.findings.predicted import read_predicted
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Record, Stopped
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Decision, Study

from ..factories import WEIGHTS, entrant, record, scored, study

DIGITS = load_digits()
TARGET = Recipe(epochs=10, target_validation_accuracy=0.9)


def predictions(of: Study, seed: int, wrong: int) -> dict[str, NDArray[Any]]:
    """Return what a trial would leave that gets the first `wrong` test images wrong."""
    answers = DIGITS.test_labels.copy()
    answers[:wrong] = (answers[:wrong] + 1) % 10
    split = split_of(of, seed, DIGITS)
    labels = DIGITS.train_labels[split.validation]
    return {
        "validation_index": split.validation,
        "validation_logits": np.eye(10, dtype=np.float32)[labels],
        "validation_labels": labels,
        "test_logits": np.eye(10, dtype=np.float32)[answers],
        "test_labels": DIGITS.test_labels,
    }


def finish(folder: RunFolder, made: Record, found: dict[str, NDArray[Any]]) -> None:
    folder.write_trial(scored(made, found), WEIGHTS, found)


def compared(folder: RunFolder, dataset: Dataset = DIGITS, **epoch_seconds: float) -> Comparison:
    asked, records = folder.study, folder.read_records()
    found = read_predicted(folder, records, DIGITS)
    outcomes = [
        outcome_of(
            asked,
            each,
            records,
            found,
            DIGITS,
            epoch_seconds=epoch_seconds.get(each.name),
            beyond=folder.seeds_beyond(each.name),
        )
        for each in asked.entrants
    ]
    return compare_outcomes(asked, outcomes, dataset)


def test_accuracies_are_those_of_the_predictions_and_pairs_share_seeds(tmp_path: Path) -> None:
    two = study(entrant("a"), entrant("b"), seeds=2)
    folder = RunFolder.create(tmp_path / "run", two)
    for name, wrong in (("a", 10), ("b", 60)):
        for seed in two.trial_seeds:
            finish(folder, record(two, name, seed), predictions(two, seed, wrong + seed))
    found = compared(folder)
    first, second = (each.accuracy for each in found.entrants)
    assert first is not None
    assert second is not None
    assert first.mean == pytest.approx(1 - 10.5 / 500)
    assert second.mean == pytest.approx(1 - 60.5 / 500)
    assert found.pairs[0].seeds == (0, 1)


def test_the_rule_of_decision_and_groups_of_test_images_reach_the_comparison(
    tmp_path: Path,
) -> None:
    decision = Decision(about="models", baseline="b")
    two = study(entrant("a"), entrant("b"), decision=decision)
    folder = RunFolder.create(tmp_path / "run", two)
    for name, wrong in (("a", 10), ("b", 60)):
        finish(folder, record(two, name), predictions(two, 0, wrong))
    found = compared(folder, replace(DIGITS, test_groups=np.arange(500) // 5))
    assert (found.about, found.baseline) == ("models", "b")
    assert found.group_note == "100 groups of test images were drawn, not single test images"
    assert found.pairs[0].verdict.sentence.startswith(
        "of these trained models, on new groups of test images: a is better than b by "
    )


def test_missing_and_diverged_trials_are_named(tmp_path: Path) -> None:
    two = study(entrant("a"), entrant("b"), seeds=2)
    folder = RunFolder.create(tmp_path / "run", two)
    finish(folder, record(two, "a", 0), predictions(two, 0, 5))
    finish(folder, record(two, "b", 0), predictions(two, 0, 5))
    gone: dict[str, Any] = {"validation": None, "test": None, "cost": None}
    folder.write_trial(record(two, "b", 1, status="diverged", trouble="so", **gone), {}, {})
    found = compared(folder)
    assert [(each.seed, each.reason) for each in found.entrants[0].left_out] == [(1, "missing")]
    assert [(each.seed, each.reason) for each in found.entrants[1].left_out] == [(1, "diverged")]
    assert len(found.notes) == 2


def test_trials_beyond_the_seeds_asked_for_are_named(tmp_path: Path) -> None:
    four = study(entrant("a"), entrant("b"), seeds=4)
    folder = RunFolder.create(tmp_path / "run", four)
    for name, wrong in (("a", 10), ("b", 60)):
        for seed in four.trial_seeds:
            finish(folder, record(four, name, seed), predictions(four, seed, wrong + seed))
    assert folder.seeds_beyond("a") == ()
    (folder.path / "trials" / "a" / "no-seed").mkdir()
    fewer = RunFolder.create(tmp_path / "run", four.model_copy(update={"seeds": 2}))
    found = compared(fewer)
    assert found.pairs[0].seeds == (0, 1)
    assert found.pairs[0].verdict.sentence.endswith(
        "; left out: seeds 2, 3 (a beyond the 2 seeds asked for), "
        "seeds 2, 3 (b beyond the 2 seeds asked for)"
    )
    assert found.notes[0] == (
        "a seed 2 is not part of the comparison: beyond the 2 seeds asked for"
    )


def test_a_diverged_trial_never_reached_its_target_in_a_full_budget(tmp_path: Path) -> None:
    aimed = study(entrant("a", **TARGET.model_dump()), seeds=2)
    folder = RunFolder.create(tmp_path / "run", aimed)
    reached = Stopped(epoch=4, reason="target reached")
    finish(folder, record(aimed, "a", 0, stopped=reached), predictions(aimed, 0, 5))
    gone: dict[str, Any] = {"validation": None, "test": None, "cost": None}
    lost = Stopped(epoch=3, reason="loss not finite")
    folder.write_trial(
        record(aimed, "a", 1, status="diverged", trouble="so", stopped=lost, **gone), {}, {}
    )
    epochs = compared(folder).entrants[0].epochs_to_target
    assert epochs is not None
    assert (epochs.trials, epochs.reached, epochs.median) == (2, 1, 4.0)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        ("test_labels", "predictions are of another test set than digits's"),
        ("validation_index", "trained on another split than seed 0 has here"),
    ],
)
def test_predictions_of_other_images_are_refused(tmp_path: Path, array: str, message: str) -> None:
    one = study(entrant("a"))
    folder = RunFolder.create(tmp_path / "run", one)
    foreign = predictions(one, 0, 5)
    foreign[array] = foreign[array][::-1].copy()
    finish(folder, record(one, "a"), foreign)
    with pytest.raises(StoreError) as caught:
        compared(folder)
    assert str(caught.value) == f"{folder.trial('a', 0).path}: {message}"


def test_seconds_are_clean_ones_of_as_many_epochs(tmp_path: Path) -> None:
    aimed = study(entrant("a", **TARGET.model_dump()), entrant("b", **TARGET.model_dump()), seeds=2)
    folder = RunFolder.create(tmp_path / "run", aimed)
    for name, seed, epochs in (("a", 0, 4), ("a", 1, 6), ("b", 0, 2), ("b", 1, 2)):
        reached = Stopped(epoch=epochs, reason="target reached")
        made = record(aimed, name, seed, stopped=reached, training_seconds=1000.0)
        finish(folder, made, predictions(aimed, seed, 5))
    unknown = compared(folder)
    assert unknown.time_note == (
        "4 of 4 trials have no clean seconds, and are left out of all that is said of time"
    )
    assert [each.mean_seconds for each in unknown.entrants] == [None, None]
    assert unknown.pairs[0].seconds_to_target is None
    assert unknown.pairs[0].epochs_to_target is not None
    found = compared(folder, a=3.0, b=5.0)
    a, b = found.entrants
    assert (a.mean_seconds, b.mean_seconds, found.time_note) == (15.0, 10.0, None)
    assert a.seconds_to_target is not None
    assert (a.seconds_to_target.trials, a.seconds_to_target.median) == (2, 12.0)
    assert found.pairs[0].seconds_to_target is not None


def test_a_trial_without_memory_says_nothing_of_the_time_to_the_target(tmp_path: Path) -> None:
    aimed = study(entrant("a", **TARGET.model_dump()), seeds=2)
    folder = RunFolder.create(tmp_path / "run", aimed)
    reached = Stopped(epoch=4, reason="target reached")
    finish(folder, record(aimed, "a", 0, stopped=reached), predictions(aimed, 0, 5))
    gone: dict[str, Any] = {"validation": None, "test": None, "cost": None}
    lost = Stopped(epoch=3, reason="out of memory")
    folder.write_trial(
        record(aimed, "a", 1, status="out_of_memory", trouble="so", stopped=lost, **gone), {}, {}
    )
    (found,) = compared(folder).entrants
    assert [(each.seed, each.reason) for each in found.left_out] == [(1, "out_of_memory")]
    assert found.epochs_to_target is not None
    assert found.epochs_to_target.trials == 1
