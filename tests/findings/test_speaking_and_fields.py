from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from bakeoff.engine.pixels import Pixels
from bakeoff.findings.fields import Along, fields
from bakeoff.findings.speaking import speaking

SEEN = Pixels(1 / 255)
IMAGE = np.random.default_rng(0).integers(0, 256, (1, 12, 10)).astype(np.uint8)


def small(*, inplace: bool = False) -> nn.Sequential:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.ReLU(inplace),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 3, 3),
        nn.ReLU(inplace),
        nn.Flatten(),
        nn.Linear(3 * 4 * 3, 5),
    )
    model.eval()
    return model


@pytest.mark.parametrize("inplace", [False, True])
def test_of_the_last_maps_it_is_what_the_log_odds_are_made_of(inplace: bool) -> None:
    """Behind them all is linear but the log-odds, so their gradient is taken by hand."""
    model = small(inplace=inplace)
    found = speaking(model, IMAGE, SEEN)
    with torch.no_grad():
        maps = model[:5](SEEN(torch.tensor(IMAGE[None])))
        logits = model[5:](maps)[0].double()
    answer = int(logits.argmax())
    weights = next(model[6].parameters()).detach().double()
    others = torch.softmax(logits.index_fill(0, torch.tensor([answer]), -torch.inf), 0)
    gradient = (weights[answer] - others @ weights).view(3, 4, 3)
    expected = (gradient * maps[0]).sum((1, 2))
    got = found["3", "convolution", 2]
    assert got == pytest.approx(expected.numpy(), abs=1e-5)


def test_what_is_overwritten_later_says_nothing() -> None:
    class Overwrites(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)
            self.head = nn.Linear(2, 3)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            maps = torch.relu(self.conv(images))
            maps += 1
            logits: torch.Tensor = self.head(maps.mean((2, 3)))
            return logits

    assert ("conv", "convolution", 1) not in speaking(Overwrites().eval(), IMAGE, SEEN)


def test_a_unit_sees_what_its_layers_see() -> None:
    found = fields(small(), (1, 12, 10), SEEN)
    assert found["0", "convolution", 1] == (Along(1, -1, 3), Along(1, -1, 3))
    # Three rows of pools, each of two units that see three rows: 2 * 3 + 2.
    assert found["3", "convolution", 2] == (Along(2, -1, 8), Along(2, -1, 8))


def test_behind_a_layer_that_joins_all_a_unit_sees_all() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(120, 7), nn.ReLU(), nn.Linear(7, 2)).eval()
    assert fields(model, (1, 12, 10), SEEN)["1", "fully connected layer", 1] == (
        Along(0, 0, 12),
        Along(0, 0, 10),
    )


def test_large_images_are_not_tried() -> None:
    assert fields(small(), (1, 150, 100), SEEN) == {}
