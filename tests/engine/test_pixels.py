from __future__ import annotations

import torch

from bakeoff.engine.pixels import Pixels


def test_bytes_are_multiplied_and_moved() -> None:
    images = torch.tensor([[[[0, 255]], [[100, 200]]]], dtype=torch.uint8)
    assert Pixels(1 / 255)(images)[0, 0].tolist() == [[0.0, 1.0]]
    scale, shift = torch.tensor([2.0, 0.5]), torch.tensor([-1.0, 1.0])
    seen = Pixels(scale.view(2, 1, 1), shift.view(2, 1, 1))(images)
    assert seen[0].tolist() == [[[-1.0, 509.0]], [[51.0, 101.0]]]
    assert images[0, 0].tolist() == [[0, 255]]
