"""As sure as right: by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bakeoff.findings.calibration import calibration_error, calibration_of
from bakeoff.findings.predicted import Predicted
from bakeoff.records.record import Cost, Evaluation
from bakeoff.training.scores import score

LOGITS = np.log(np.array([[0.9, 0.1], [0.7, 0.3], [0.4, 0.6], [0.2, 0.8]], dtype=np.float32))
LABELS = np.array([0, 0, 0, 1])


@pytest.mark.parametrize(
    ("right", "sure", "expected"),
    [
        ([True, True], [1.0, 1.0], 0.0),
        ([False, False], [1.0, 1.0], 1.0),
        # One bin, from 0.6 to 2/3: half are right, 0.63 sure.
        ([True, False], [0.61, 0.65], 0.13),
        # Two bins, of two images and one: (|2 - 1.8| + |0 - 0.5|) / 3.
        ([True, True, False], [0.9, 0.9, 0.5], 0.7 / 3),
        # A bin has its upper end: 0.6 and 0.65 are in two, (0.4 + 0.65) / 2.
        ([True, False], [0.6, 0.65], 0.525),
    ],
)
def test_calibration_error(right: list[bool], sure: list[float], expected: float) -> None:
    assert calibration_error(np.array(right), np.array(sure)) == pytest.approx(expected)


def test_an_entrant_has_means_over_its_trials() -> None:
    scores = score(LOGITS, LABELS)
    asked = [
        Predicted(LOGITS.argmax(axis=1), np.exp(LOGITS.max(axis=1))),
        Predicted(LABELS, np.ones(4)),
    ]
    trials = [
        Evaluation(scores, each, Cost(multiply_adds_per_image=1))
        for each in (scores, scores.model_copy(update={"loss": 0.0, "accuracy": 1.0}))
    ]
    found = calibration_of("a", trials, asked, LABELS)
    # -log of 0.9, 0.7, 0.4 and 0.8, over four, and nothing.
    assert found.loss == pytest.approx(-np.log(0.9 * 0.7 * 0.4 * 0.8) / 8, abs=1e-6)
    assert found.sure == pytest.approx((0.75 + 1) / 2)
    assert found.right == 0.875
    # 0.9, 0.7, 0.6 and 0.8 are in four bins: (0.1 + 0.3 + 0.6 + 0.2) / 4, and nothing.
    assert found.error == pytest.approx(0.15)
