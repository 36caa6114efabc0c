"""A record carries all that a trained network was found to be worth, or nothing of it."""

from __future__ import annotations

import json

import pytest

from bakeoff.records.record import evaluations

from ..factories import diverged, entrant, record, study

STUDY = study(entrant("a"))


def test_a_complete_record_carries_scores_and_cost() -> None:
    whole = record(STUDY, "a", value=0.8)
    assert whole.evaluation is not None
    assert whole.evaluation == (whole.validation, whole.test, whole.cost)
    assert whole.evaluation.test.accuracy == 0.4


@pytest.mark.parametrize("part", ["validation", "test", "cost"])
def test_a_part_of_an_evaluation_is_none(part: str) -> None:
    lacking = record(STUDY, "a").model_copy(update={part: None})
    assert lacking.evaluation is None


def test_evaluations_are_those_of_the_complete_trials_in_their_order() -> None:
    trials = [record(STUDY, "a", 2, 0.6), diverged(STUDY, "a", 1), record(STUDY, "a", 0, 0.8)]
    assert [each.validation.accuracy for each in evaluations(trials)] == [0.6, 0.8]


def test_the_format_of_the_record_keeps_its_three_keys() -> None:
    document = json.loads(record(STUDY, "a").model_dump_json())
    assert document["test"]["accuracy"] == 0.25
    assert {"validation", "test", "cost"} < document.keys()
    assert "evaluation" not in document
