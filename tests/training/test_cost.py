from __future__ import annotations

import time

import pytest
import torch

from bakeoff.networks.build import build
from bakeoff.training.cost import measure_cost, milliseconds_per_image
from bakeoff.training.size import NetworkSize

SIZE = NetworkSize(parameters=1, state_bytes=4, multiply_adds_per_image=123)


def test_the_cost_is_positive_and_leaves_the_weights_alone() -> None:
    model = build("mlp-2x200", (1, 8, 8), 10, initialisation="framework-default", seed=0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    measured = measure_cost(model, SIZE, torch.zeros(3, 1, 8, 8, dtype=torch.uint8), 1 / 255)
    assert measured.multiply_adds_per_image == 123
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
    measure_cost(model, SIZE, torch.zeros(3, 1, 2, 2, dtype=torch.uint8), 1 / 255)
    assert set(model.sizes) == {1, 1000}


def test_milliseconds_are_the_median_per_image_without_the_warm_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Passes take 9 s (the warm-up), 1 s, 2 s and 6 s.
    ticks = iter([0.0, 9.0, 10.0, 11.0, 20.0, 22.0, 30.0, 36.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks))
    model = Watched().eval()
    assert milliseconds_per_image(model, torch.zeros(4, 1, 2, 2), repeats=3) == 2000 / 4
