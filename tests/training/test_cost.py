from __future__ import annotations

import time

import pytest
import torch

from bakeoff.networks.catalogue import ARCHITECTURES, build
from bakeoff.training.cost import measure_cost, milliseconds_per_image, multiply_adds_per_image

# A convolution multiplies once for each place of each output map, and each weight of its filter;
# a fully connected layer once for each weight.
FIRST = 28 * 28 * 32 * 1 * 25
SECOND = 14 * 14 * 64 * 32 * 25
MULTIPLY_ADDS = {
    "logistic-regression": 784 * 10,
    "mlp-2x200": 784 * 200 + 200 * 200 + 200 * 10,
    "cnn-1conv": FIRST + 14 * 14 * 32 * 1024 + 1024 * 10,
    "cnn-2conv": FIRST + SECOND + 7 * 7 * 64 * 1024 + 1024 * 10,
    "cnn-2conv-dropout": FIRST + SECOND + 7 * 7 * 64 * 1024 + 1024 * 10,
    "cnn-3conv": 24 * 24 * 16 * 25 + 12 * 12 * 64 * 16 * 9 + 6 * 6 * (64 * 64 * 9 + 64 * 10),
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_multiply_adds_are_those_counted_by_hand(name: str) -> None:
    model = build(name, (1, 28, 28), 10, initialisation="framework-default", seed=0).eval()
    assert multiply_adds_per_image(model, (1, 28, 28)) == MULTIPLY_ADDS[name]


def test_the_cost_is_positive_and_leaves_the_weights_alone() -> None:
    model = build("mlp-2x200", (1, 8, 8), 10, initialisation="framework-default", seed=0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    measured = measure_cost(model, torch.zeros(3, 1, 8, 8, dtype=torch.uint8), 1 / 255)
    assert measured.multiply_adds_per_image == 64 * 200 + 200 * 200 + 200 * 10
    assert measured.milliseconds_per_image_batch_1 > 0
    assert measured.milliseconds_per_image_batch_1000 > 0
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


class Watched(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self.layer = torch.nn.Linear(4, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.sizes.append(len(images))
        assert not self.training
        logits: torch.Tensor = self.layer(images.flatten(1))
        return logits


def test_batches_of_one_and_of_a_thousand_are_timed() -> None:
    model = Watched()
    measure_cost(model, torch.zeros(3, 1, 2, 2, dtype=torch.uint8), 1 / 255)
    assert set(model.sizes) == {1, 1000}


def test_milliseconds_are_the_median_per_image_without_the_warm_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Passes take 9 s (the warm-up), 1 s, 2 s and 6 s.
    ticks = iter([0.0, 9.0, 10.0, 11.0, 20.0, 22.0, 30.0, 36.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks))
    model = Watched().eval()
    assert milliseconds_per_image(model, torch.zeros(4, 1, 2, 2), repeats=3) == 2000 / 4
