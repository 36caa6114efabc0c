from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from bakeoff.findings.predicted import predicted


def test_the_first_of_equal_logits_is_the_class_and_its_softmax_the_probability() -> None:
    found = predicted(np.array([[1, 3, 3], [0, 0, 0], [9, -9, 0]], np.float32))
    assert found.classes.tolist() == [1, 0, 0]
    e = np.exp(1.0)
    assert found.probabilities is not None
    assert found.probabilities.tolist() == pytest.approx(
        [1 / (2 + e**-2), 1 / 3, 1 / (1 + e**-18 + e**-9)], rel=1e-14
    )


@pytest.mark.parametrize("images", [1, 4095, 4096, 4097, 9000])
def test_many_images_are_what_each_is_alone(images: int) -> None:
    logits = np.random.default_rng(0).normal(0, 5, (images, 7)).astype(np.float32)
    found = predicted(logits)
    exact = softmax(logits.astype(np.float64), axis=1)
    np.testing.assert_array_equal(found.classes, logits.argmax(axis=1))
    assert found.probabilities is not None
    np.testing.assert_allclose(found.probabilities, exact.max(axis=1), rtol=1e-14)


def test_logits_near_the_end_of_float32_give_probabilities() -> None:
    found = predicted(np.array([[3e38, -3e38], [-3e38, -3e38]], np.float32))
    assert found.probabilities is not None
    assert found.probabilities.tolist() == [1.0, 0.5]
