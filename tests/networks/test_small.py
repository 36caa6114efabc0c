from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bakeoff.networks.network import Architecture
from bakeoff.networks.small import Attention, Residual, VisionTransformer, small_cnn, small_resnet
from bakeoff.networks.small import small_vit as vit

SMALL = pytest.mark.parametrize("make", [small_cnn, small_resnet, vit], ids=lambda f: f.__name__)


@SMALL
@pytest.mark.parametrize("sides", [(1, 1), (2, 3), (7, 64), (33, 17), (100, 100)], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_and_colour_will_do(
    make: Architecture, sides: tuple[int, int], channels: int
) -> None:
    model = make((channels, *sides), 5).eval()
    assert model(torch.rand(2, channels, *sides)).shape == (2, 5)


def test_they_grow() -> None:
    sizes = [
        sum(each.numel() for each in make((3, 32, 32), 10).parameters())
        for make in (small_cnn, small_resnet, vit)
    ]
    # The second is the one that He et al. give as 0.27 million, with convolutions as shortcuts.
    assert sizes == [94_762, 272_474, 1_205_642]


def test_a_residual_block_adds_what_came_in() -> None:
    block = Residual(4, 4, 1).eval()
    nn.init.zeros_(block.conv2.weight)
    features = torch.randn(2, 4, 5, 5)
    assert torch.equal(block(features), features.relu())


def test_a_block_that_halves_the_image_has_a_shortcut_that_does() -> None:
    assert Residual(4, 8, 2)(torch.randn(2, 4, 7, 7)).shape == (2, 8, 4, 4)


def test_attention_is_that_of_the_paper() -> None:
    """Softmax of queries times keys over the root of their length, times values, for each head."""
    torch.manual_seed(0)
    attention, tokens = Attention(6, heads=2), torch.randn(1, 4, 6)
    queries, keys, values = attention.asked(tokens)[0].split(6, dim=1)
    heads = []
    for at in (slice(0, 3), slice(3, 6)):
        weights = F.softmax(queries[:, at] @ keys[:, at].T / 3**0.5, dim=1)
        heads.append(weights @ values[:, at])
    expected = attention.answer(torch.cat(heads, dim=1))
    torch.testing.assert_close(attention(tokens)[0], expected)


def test_an_edge_that_fills_no_patch_is_filled_with_zeros() -> None:
    model = VisionTransformer((1, 9, 17), 2, width=4, heads=1, depth=1).eval()
    image = torch.rand(1, 1, 9, 17)
    assert model.patches.kernel_size == (2, 3)
    assert model.fill(image).shape == (1, 1, 10, 18)
    assert model.position.shape == (1, 5 * 6, 4)


def test_places_are_told_apart() -> None:
    torch.manual_seed(0)
    model, image = vit((1, 8, 8), 2).eval(), torch.rand(1, 1, 8, 8)
    assert not torch.allclose(model(image), model(image.flip(3)))
