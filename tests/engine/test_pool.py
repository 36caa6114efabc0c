from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bakeoff.engine import fast
from bakeoff.engine.native import kernels, kernels_in_use
from bakeoff.engine.pool import ConvPool, MaxPool, first_convolution, is_halving

OWN = kernels()
needs_kernels = pytest.mark.skipif(OWN is None, reason=f"no kernels: {kernels_in_use()}")


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
    assert OWN is not None
    images = torch.randn(2, 5, 7, 6, dtype=dtype).contiguous(memory_format=layout)
    ours, plain = (images.clone().requires_grad_() for _ in range(2))
    pooled, expected = MaxPool(OWN, relu=relu)(ours), F.max_pool2d(plain, 2)
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


# With a first convolution


@pytest.mark.parametrize(
    ("layer", "fits"),
    [
        (nn.Conv2d(1, 32, 5, padding="same"), True),
        (nn.Conv2d(1, 64, 3, padding=1), True),
        (nn.Conv2d(1, 16, 4, padding="valid", bias=False), True),
        (nn.Conv2d(1, 16, 5), True),
        (nn.Conv2d(3, 32, 5, padding="same"), False),
        (nn.Conv2d(1, 24, 5, padding="same"), False),
        (nn.Conv2d(1, 32, 4, padding="same"), False),
        (nn.Conv2d(1, 32, 7, padding="same"), False),
        (nn.Conv2d(1, 32, (3, 5), padding="same"), False),
        (nn.Conv2d(1, 32, 3, padding=(1, 0)), False),
        (nn.Conv2d(1, 32, 5, padding=2, stride=2), False),
        (nn.Conv2d(1, 32, 3, padding="same", dilation=2), False),
        (nn.Conv2d(1, 32, 5, padding="same", padding_mode="circular"), False),
        (nn.Conv2d(1, 32, 5, padding="same").requires_grad_(False), False),
        (nn.Linear(2, 2), False),
    ],
)
def test_which_convolutions_are_taken(layer: nn.Module, fits: bool) -> None:
    assert (first_convolution(layer) is not None) == fits


def network() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(1, 32, 5, padding="same"), nn.ReLU(), nn.MaxPool2d(2))


def network_without_relu() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(1, 48, 5, bias=False), nn.MaxPool2d(2))


@needs_kernels
def test_when_evaluated_it_has_the_bits_of_the_plain_layers() -> None:
    plain = network().eval()
    twin = fast(plain)
    assert [type(layer) for layer in twin.children()] == [ConvPool]
    images = torch.randn(3, 1, 10, 12)
    assert torch.equal(twin(images), plain(images))


@needs_kernels
@pytest.mark.parametrize("build", [network, network_without_relu])
@pytest.mark.parametrize(("rounds", "tolerance"), [(False, 1e-5), (True, 0.1)])
def test_its_gradients_are_the_plain_ones_but_for_rounding(
    build: Callable[[], nn.Sequential], rounds: bool, tolerance: float
) -> None:
    if rounds and not (OWN and OWN.matrix_units):
        pytest.skip("the processor has no AMX")
    plain = build()
    twin = fast(plain)
    assert [type(layer) for layer in twin.children()] == [ConvPool]
    images = torch.randn(20, 1, 28, 28)
    weights = torch.randn(plain(images).shape)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=rounds):
        outputs = twin(images)
    assert outputs.dtype == (torch.bfloat16 if rounds else torch.float32)
    (outputs * weights).sum().backward()
    quick = [parameter.grad for parameter in plain.parameters()]
    plain.zero_grad()
    (plain(images) * weights).sum().backward()
    for ours, parameter in zip(quick, plain.parameters(), strict=True):
        assert ours is not None
        assert parameter.grad is not None
        assert (ours - parameter.grad).norm() < tolerance * parameter.grad.norm()


@needs_kernels
def test_images_that_want_a_gradient_take_the_plain_way() -> None:
    images = torch.randn(2, 1, 8, 8, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        fast(network())(images).sum().backward()
    assert images.grad is not None
    assert images.grad.any()
