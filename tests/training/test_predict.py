from __future__ import annotations

import pytest
import torch

from bakeoff.data.dataset import Dataset
from bakeoff.engine.pixels import Pixels
from bakeoff.networks.build import build
from bakeoff.networks.catalogue import ARCHITECTURES
from bakeoff.training.predict import predict_logits


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_logits_are_float32_repeatable_and_independent_of_the_batch(
    name: str, digits: Dataset
) -> None:
    model = build(name, (1, 8, 8), 10, initialisation="framework-default", seed=0)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    model.train()
    images = torch.from_numpy(digits.train_images[:505])
    logits = predict_logits(model, images, Pixels(1 / 255))
    assert not model.training
    assert logits.shape == (505, 10)
    assert logits.dtype == torch.float32
    assert torch.equal(predict_logits(model, images, Pixels(1 / 255)), logits)
    some = predict_logits(model, images[500:], Pixels(1 / 255))
    torch.testing.assert_close(some, logits[500:], rtol=1e-5, atol=1e-6)


def test_pixels_are_multiplied_by_the_scale_and_left_as_they_were() -> None:
    model = torch.nn.Flatten()
    images = torch.tensor([[[[0, 51], [102, 255]]]], dtype=torch.uint8)
    logits = predict_logits(model, images, Pixels(1 / 255))
    torch.testing.assert_close(logits, torch.tensor([[0, 0.2, 0.4, 1.0]]))
    assert images.flatten().tolist() == [0, 51, 102, 255]


def test_predicting_asks_for_no_gradients_and_leaves_the_random_state_alone() -> None:
    model = build("cnn-2conv-dropout", (1, 8, 8), 10, initialisation="kaiming-normal", seed=0)
    before = torch.random.get_rng_state()
    logits = predict_logits(model, torch.zeros(3, 1, 8, 8, dtype=torch.uint8), Pixels(1.0))
    assert not logits.requires_grad
    assert torch.equal(torch.random.get_rng_state(), before)
