from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bakeoff.engine import fast
from bakeoff.engine.native import kernels, kernels_in_use
from bakeoff.engine.pool import MaxPool, is_halving

needs_kernels = pytest.mark.skipif(kernels() is None, reason=f"no kernels: {kernels_in_use()}")


@pytest.mark.parametrize(
    ("pool", "halves"),
    [
        (nn.MaxPool2d(2), True),
        (nn.MaxPool2d((2, 2), stride=(2, 2)), True),
        (nn.MaxPool2d(3), False),
        (nn.MaxPool2d(2, stride=1), False),
        (nn.MaxPool2d(2, padding=1), False),
        (nn.MaxPool2d(2, dilation=2), False),
        (nn.MaxPool2d(2, ceil_mode=True), False),
        (nn.MaxPool2d(2, return_indices=True), False),
        (nn.AvgPool2d(2), False),
    ],
)
def test_only_windows_of_two_that_do_not_overlap_are_halving(pool: nn.Module, halves: bool) -> None:
    assert is_halving(pool) == halves


@needs_kernels
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("relu", [False, True])
def test_any_type_and_layout_goes_through(
    relu: bool, dtype: torch.dtype, layout: torch.memory_format
) -> None:
    own = kernels()
    assert own is not None
    images = torch.randn(2, 5, 7, 6, dtype=dtype).contiguous(memory_format=layout)
    ours, plain = (images.clone().requires_grad_() for _ in range(2))
    pooled, expected = MaxPool(own, relu=relu)(ours), F.max_pool2d(plain, 2)
    expected = expected.relu() if relu else expected
    assert torch.equal(pooled, expected)
    weights = torch.randn(2, 5, 3, 3, dtype=dtype)
    (pooled * weights).sum().backward()
    (expected * weights).sum().backward()
    assert ours.grad is not None
    assert plain.grad is not None
    assert torch.equal(ours.grad, plain.grad)


@needs_kernels
def test_a_twin_has_one_layer_for_both_whichever_comes_first() -> None:
    for layers in ([nn.ReLU(), nn.MaxPool2d(2)], [nn.MaxPool2d(2), nn.ReLU()]):
        (merged,) = fast(nn.Sequential(*layers)).children()
        assert type(merged) is MaxPool
        assert merged.relu


@needs_kernels
def test_pooling_without_a_relu_is_replaced_too() -> None:
    layers = nn.Sequential(nn.MaxPool2d(2), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(3))
    kinds = [type(layer) for layer in fast(layers).children()]
    assert kinds == [MaxPool, nn.BatchNorm2d, nn.MaxPool2d, nn.ReLU]
