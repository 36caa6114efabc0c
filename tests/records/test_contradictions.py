from __future__ import annotations

from typing import Any

import pytest

from bakeoff.records.contradictions import contradiction_in
from bakeoff.records.record import Record, Scores
from bakeoff.study.study import Recipe

from ..factories import diverged, entrant, epoch, record, scores, study

STUDY = study(entrant("a"))
ENTRANT = STUDY.entrants[0]


def with_scores(**changed: Any) -> Scores:
    return scores(0.5).model_copy(update=changed)


def test_what_a_trial_leaves_contradicts_nothing() -> None:
    many = scores(0.5, classes=101).model_copy(update={"confusion": ()})
    for sound in (
        record(STUDY, "a"),
        diverged(STUDY, "a"),
        record(STUDY, "a", value=1.0),
        record(STUDY, "a", test=many, validation=many),
        record(STUDY, "a", test=scores(0.5, classes=100)),
    ):
        assert contradiction_in(sound, ENTRANT) is None


@pytest.mark.parametrize(
    ("changed", "contradiction"),
    [
        ({"recipe": Recipe(epochs=3)}, "of another recipe than its study has"),
        ({"architecture": "cnn-1conv"}, "of another recipe than its study has"),
        ({"test": None}, "complete, but without scores"),
        ({"validation": None}, "complete, but without scores"),
        ({"cost": None}, "complete, but without scores"),
        ({"epochs": (epoch(2), epoch(1))}, "epochs are not counted from 1"),
        ({"epochs": (epoch(1), epoch(10**9))}, "epochs are not counted from 1"),
        ({"training_seconds": -1.0}, "-1.0 was not measured"),
        ({"parameters": 10**400}, f"1{'0' * 18}… was not measured"),
        ({"epochs": (epoch(1, train_loss=1e-320),)}, "1e-320 was not measured"),
        ({"epochs": (epoch(1, validation_loss=1e300),)}, "1e+300 was not measured"),
        ({"test": scores(1.5)}, "-0.5 was not measured"),
        ({"test": with_scores(accuracy=1.01)}, "impossible scores"),
        ({"test": with_scores(recall=(0.5,))}, "impossible scores"),
        ({"test": with_scores(confusion=((1, 1),) * 3)}, "impossible scores"),
        ({"test": with_scores(confusion=((0,) * 3,) * 3)}, "impossible scores"),
        ({"test": scores(0.5, classes=0)}, "impossible scores"),
        ({"test": with_scores(confusion=())}, "impossible scores"),
        ({"test": scores(0.5, classes=101)}, "impossible scores"),
        ({"test": scores(0.5, 10_001).model_copy(update={"confusion": ()})}, "impossible scores"),
    ],
)  # fmt: skip
def test_a_contradiction_is_named(changed: dict[str, Any], contradiction: str) -> None:
    forged = Record(**{**dict(record(STUDY, "a")), **changed})
    assert contradiction_in(forged, ENTRANT) == contradiction
