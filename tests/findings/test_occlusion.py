from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from bakeoff.engine.pixels import Pixels
from bakeoff.findings.occlusion import occluded
from bakeoff.findings.view import Occlusion


class Patch(nn.Module):
    """Says class 1 as much as the pixels of one patch are bright, and class 0 not at all."""

    def __init__(self, rows: slice, columns: slice) -> None:
        super().__init__()
        self.rows, self.columns = rows, columns

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        bright = images[:, 0, self.rows, self.columns].mean((1, 2))
        return torch.stack([torch.zeros_like(bright), bright, torch.full_like(bright, -100)], 1)


def seen(model: nn.Module, height: int = 28, width: int = 28, channels: int = 1) -> Occlusion:
    image = np.full((channels, height, width), 200, np.uint8)
    return occluded(model, image, np.full(image.shape, 50.0), Pixels(0.1))


@pytest.mark.parametrize(
    ("size", "rows", "columns"),
    [
        ((28, 28), slice(18, 22), slice(6, 10)),
        ((28, 28), slice(0, 3), slice(25, 28)),
        ((64, 32), slice(50, 58), slice(4, 12)),
        ((8, 8), slice(2, 4), slice(5, 7)),
        ((5, 90), slice(1, 4), slice(60, 70)),
    ],
)
def test_a_planted_patch_is_found(size: tuple[int, int], rows: slice, columns: slice) -> None:
    found = seen(Patch(rows, columns), *size)
    assert found.classes == (1, 0)
    for_it, against = found.maps
    # What speaks for one of two classes speaks against the other.
    np.testing.assert_allclose(against, -for_it, atol=1e-5)
    row, column = np.unravel_index(for_it.argmax(), size)
    assert rows.start - 1 <= row <= rows.stop
    assert columns.start - 1 <= column <= columns.stop
    # No covering that reaches the patch reaches further than twice its radius.
    reach = math.ceil(2 * 2 * max(1, max(size) / 10))
    for_it[max(0, rows.start - reach) : rows.stop + reach][
        :, max(0, columns.start - reach) : columns.stop + reach
    ] = 0
    np.testing.assert_allclose(for_it, 0, atol=1e-5)


def test_covering_everything_that_counts_takes_what_it_says() -> None:
    """The patch is one pixel; a covering whose middle it is puts 50 where 200 was."""
    found = seen(Patch(slice(4, 5), slice(3, 4)), 9, 9)
    assert found.drops.shape == (2, 9, 9)
    assert found.passes == 82
    # Log-odds are the logit less that of class 0: 20 with the patch, and 5 without it.
    assert found.drops[0, 4, 3] == pytest.approx(15, rel=1e-5)
    assert found.drops[0, 4, 3] == found.drops[0].max()
    # A step aside half of the pixel is covered, which takes half of the 15; two aside nothing.
    assert found.drops[0, 5, 3] == pytest.approx(7.5, rel=1e-5)
    assert found.drops[0, 4, 5] == pytest.approx(0, abs=1e-5)


def test_a_pixel_has_the_mean_of_the_coverings_that_reach_it() -> None:
    found = seen(Patch(slice(4, 5), slice(3, 4)), 9, 9)
    away = np.abs(np.arange(9)[:, None] - np.arange(9)) / 2
    window = np.where(away < 1, np.cos(away * np.pi / 2) ** 2, 0)
    weights = window[:, None, :, None] * window[None, :, None, :]
    expected = np.einsum("rs,rshw->hw", found.drops[0], weights) / weights.sum((0, 1))
    np.testing.assert_allclose(found.maps[0], expected, rtol=1e-4, atol=1e-5)


def test_what_covers_is_the_fill() -> None:
    """An image that is its own fill loses nothing."""
    image = np.arange(64, dtype=np.uint8).reshape(1, 8, 8)
    found = occluded(Patch(slice(2, 4), slice(2, 4)), image, image.astype(np.float64), Pixels(1.0))
    assert not found.drops.any()


def test_colours_are_covered_alike() -> None:
    one = seen(Patch(slice(4, 5), slice(3, 4)), 9, 9)
    three = seen(Patch(slice(4, 5), slice(3, 4)), 9, 9, channels=3)
    np.testing.assert_array_equal(one.drops, three.drops)


def test_what_it_took_is_said() -> None:
    found = seen(nn.Sequential(nn.Flatten(), nn.Linear(784, 3)))
    assert found.passes == 10 * 10 + 1
    assert found.seconds > 0
    assert found.cost == f"101 forward passes in {found.seconds:,.2f} seconds"
