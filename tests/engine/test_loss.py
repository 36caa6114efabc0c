"""The loss, its gradient by hand, and how much classes count."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional as F

from bakeoff.engine.loss import PLAIN, CrossEntropy, balanced

WEIGHTS = torch.tensor([0.5, 2.0, 1.0, 0.0])
LABELS = torch.tensor([0, 1, 1, 2, 0])


@pytest.mark.parametrize(
    "loss",
    [PLAIN, CrossEntropy(0.2), CrossEntropy(0.0, WEIGHTS), CrossEntropy(0.2, WEIGHTS)],
    ids=["plain", "smoothed", "weighted", "both"],
)
def test_the_gradient_is_that_of_autograd(loss: CrossEntropy) -> None:
    logits = torch.randn(5, 4, generator=torch.Generator().manual_seed(1)).requires_grad_()
    expected = F.cross_entropy(
        logits, LABELS, weight=loss.class_weights, label_smoothing=loss.smoothing
    )
    expected.backward()
    with torch.no_grad():
        found, gradient = loss.with_gradient(logits.detach().clone(), LABELS)
    torch.testing.assert_close(found, expected.detach())
    torch.testing.assert_close(gradient, logits.grad)
    assert not found.requires_grad


def test_weights_by_hand() -> None:
    """Two examples: the second counts three times as much."""
    logits = torch.tensor([[0.0, 0.0], [0.0, math.log(3.0)]])
    loss = CrossEntropy(class_weights=torch.tensor([1.0, 3.0]))
    expected = (1 * np.log(2.0) + 3 * np.log(4.0 / 3.0)) / 4
    assert loss(logits, torch.tensor([0, 1])).item() == pytest.approx(expected)


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    labels = torch.tensor([0, 0, 0, 1, 2, 2])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels.numpy())
    assert balanced(labels, 3).tolist() == pytest.approx(expected.tolist())
    assert balanced(labels, 4).tolist() == pytest.approx([*(0.75 * expected), 0.0])
