from __future__ import annotations

import pytest

from bakeoff.findings.standings import standings
from bakeoff.records.record import Cost, Record
from bakeoff.records.timing_file import Timing
from bakeoff.study.protocol import Protocol
from bakeoff.study.study import Study

from ..factories import diverged, entrant, record, scores, study

ASKED = study(entrant("a"), entrant("b"), entrant("c"), entrant("d"), seeds=2)
ALL = [record(ASKED, name, seed, value) for name, seed, value in (
    ("a", 0, 0.5), ("a", 1, 0.7), ("b", 0, 0.9), ("b", 1, 0.7), ("c", 0, 0.6), ("c", 1, 0.6),
)]  # fmt: skip


def test_the_best_on_validation_data_comes_first_and_ties_keep_the_order_of_the_study() -> None:
    assert [row.entrant for row in standings(ASKED, ALL)] == ["b", "a", "c", "d"]
    assert [row.entrant for row in standings(ASKED, ALL[::-1])] == ["b", "a", "c", "d"]


def test_test_data_never_rank() -> None:
    best_on_test = record(ASKED, "c", 0, 0.1, test=scores(1.0))
    rows = standings(ASKED, [record(ASKED, "a", 0, 0.2, test=scores(0.0)), best_on_test])
    assert [row.entrant for row in rows][:2] == ["a", "c"]


def test_the_selection_metric_of_the_protocol_ranks() -> None:
    by_accuracy = Study(
        **(dict(ASKED) | {"protocol": Protocol(selection_metric="accuracy", dataset="digits")})
    )
    high = scores(0.5).model_copy(update={"accuracy": 0.9})
    records = [
        record(by_accuracy, "a", 0, 0.6),
        record(by_accuracy, "b", 0, validation=high),
    ]
    assert [row.entrant for row in standings(by_accuracy, records)][:2] == ["b", "a"]
    assert standings(by_accuracy, records)[0].selected_by("accuracy") == 0.9
    assert [row.entrant for row in standings(ASKED, records)][:2] == ["a", "b"]


def test_figures_are_means_over_complete_trials() -> None:
    records = [
        record(ASKED, "a", 0, 0.5),
        record(ASKED, "a", 1, 0.7, training_seconds=5.0),
        diverged(ASKED, "b", 0),
        record(ASKED, "b", 1, 0.8),
    ]
    a, b = standings(ASKED, records)[1], standings(ASKED, records)[0]
    assert (a.entrant, a.trials, a.planned, a.troubles) == ("a", 2, 2, ())
    assert a.validation_balanced_accuracy == pytest.approx(0.6)
    assert a.validation_accuracy == pytest.approx(0.6)
    assert a.test_accuracy == pytest.approx(0.3)
    assert a.test_balanced_accuracy == pytest.approx(0.3)
    assert (a.wall_seconds, a.epochs, a.parameters) == (4.0, 2.0, 100)
    assert a.multiply_adds_per_image == 90
    assert (b.entrant, b.trials, b.validation_balanced_accuracy) == ("b", 1, 0.8)


def test_missing_and_diverged_trials_are_named() -> None:
    by_name = {row.entrant: row for row in standings(ASKED, [diverged(ASKED, "b", 1)])}
    assert by_name["a"].troubles == (
        "a seed 0 is missing: not trained yet",
        "a seed 1 is missing: not trained yet",
    )
    assert by_name["b"].troubles == (
        "b seed 0 is missing: not trained yet",
        "b seed 1 diverged: the loss was not finite in epoch 1",
    )


def test_an_entrant_without_a_complete_trial_comes_last_and_without_figures() -> None:
    rows = standings(ASKED, [diverged(ASKED, "a"), record(ASKED, "d", 0, value=0.0)])
    assert [row.entrant for row in rows] == ["d", "a", "b", "c"]
    a = rows[1]
    assert (a.trials, a.parameters) == (0, 100)
    assert [
        a.epochs, a.training_seconds, a.validation_accuracy, a.validation_balanced_accuracy,
        a.test_accuracy, a.test_balanced_accuracy, a.multiply_adds_per_image,
        a.milliseconds_per_image_batch_1, a.milliseconds_per_image_batch_1000,
    ] == [None] * 9  # fmt: skip
    assert rows[2].parameters is None


def test_clean_seconds_are_those_of_the_timing_pass_wall_seconds_those_of_the_trials() -> None:
    records = [
        record(ASKED, "a", 0, 0.9, training_seconds=5.0),
        record(ASKED, "a", 1, 0.7, training_seconds=500.0),
        record(ASKED, "b", 0, 0.5),
    ]
    timing = Timing({"a": [0.25, 0.5, 9.0]}, {"a": [3.0, 1.0, 2.0]}, {"a": [0.1]})
    a, b = standings(ASKED, records, timing, examples=100)[:2]
    # Both trials had two epochs, of 100 times the median.
    assert (a.epochs, a.epoch_seconds, a.training_seconds) == (2, 50.0, 100.0)
    assert a.wall_seconds == 252.5
    assert (a.milliseconds_per_image_batch_1, a.milliseconds_per_image_batch_1000) == (2.0, 0.1)
    assert (b.trials, b.epochs, b.multiply_adds_per_image) == (1, 2, 90)
    assert (b.epoch_seconds, b.training_seconds, b.milliseconds_per_image_batch_1) == (None,) * 3


def test_milliseconds_of_earlier_versions_are_those_of_their_trials() -> None:
    def trial(seed: int, **cost: float) -> Record:
        return record(ASKED, "a", seed, cost=Cost(multiply_adds_per_image=90, **cost))

    both = {"milliseconds_per_image_batch_1": 4.0, "milliseconds_per_image_batch_1000": 1.0}
    a = standings(ASKED, [trial(0, **both), trial(1)])[0]
    assert (a.milliseconds_per_image_batch_1, a.milliseconds_per_image_batch_1000) == (4.0, 1.0)
