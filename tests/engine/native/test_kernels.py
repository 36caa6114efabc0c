"""The kernels beside PyTorch's, in double precision where that is what both should approach."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F
from torch.optim import Adam, AdamW

from bakeoff.engine.native import AdamStep, Kernels, kernels, kernels_in_use

FOUND = kernels()
pytestmark = pytest.mark.skipif(FOUND is None, reason=f"no kernels here: {kernels_in_use()}")
needs_matrix_units = pytest.mark.skipif(
    FOUND is None or not FOUND.matrix_units, reason="the processor has no AMX"
)


@pytest.fixture(scope="module")
def own() -> Kernels:
    assert FOUND is not None
    return FOUND


def images(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> torch.Tensor:
    numbers = torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(dtype)
    return numbers.contiguous(memory_format=torch.channels_last)


def needs(own: Kernels, dtype: torch.dtype) -> None:
    if dtype == torch.bfloat16 and not own.matrix_units:
        pytest.skip("the processor has no AMX")


def rounded(numbers: torch.Tensor) -> torch.Tensor:
    return numbers.bfloat16().double()


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@given(
    n=st.integers(1, 3),
    channels=st.integers(1, 70),
    height=st.integers(2, 9),
    width=st.integers(2, 9),
    seed=st.integers(0, 99),
)
def test_pooling_is_pytorchs_bit_for_bit(
    dtype: torch.dtype, cut: bool, n: int, channels: int, height: int, width: int, seed: int
) -> None:
    assert FOUND is not None
    # Halves are often equal, which tries the order in which places win.
    inputs = (images(n, channels, height, width, seed=seed) * 2).round().div(2).to(dtype)
    inputs = inputs.contiguous(memory_format=torch.channels_last).requires_grad_()
    expected = F.max_pool2d(inputs, 2).relu() if cut else F.max_pool2d(inputs, 2)
    upstream = images(*expected.shape, dtype=dtype, seed=seed + 1)
    expected.backward(upstream)

    pooled, places = FOUND.max_pool(inputs.detach(), relu=cut)
    assert torch.equal(pooled, expected)
    assert inputs.grad is not None
    assert torch.equal(FOUND.pool_backward(upstream, places, height, width), inputs.grad)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_is_not_a_number_is_not_cut_off(own: Kernels, dtype: torch.dtype, sign: float) -> None:
    inputs = torch.full((1, 3, 2, 2), -1.0).to(dtype)
    inputs[0, 0, 1, 0] = torch.tensor(float("nan")).copysign(torch.tensor(sign))
    inputs[0, 1, 0, 1] = float("inf")
    inputs[0, 2, 0, 0] = float("-inf")
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    pooled, _ = own.max_pool(inputs, relu=True)
    assert pooled.flatten().isnan().tolist() == [True, False, False]
    assert pooled.flatten()[1:].tolist() == [float("inf"), 0.0]
    pooled, _ = own.max_pool(inputs, relu=False)
    assert pooled.flatten().isnan().tolist() == [True, False, False]
    assert pooled.flatten()[1:].tolist() == [float("inf"), -1.0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize(
    ("n", "height", "width", "k", "margin", "filters"),
    [
        (3, 9, 11, 3, 1, 32),
        (2, 8, 8, 1, 0, 16),
        (5, 28, 28, 5, 2, 32),
        (4, 28, 28, 5, 0, 16),
        (2, 33, 70, 5, 2, 64),
        (2, 40, 50, 4, 3, 80),
        (1, 2, 2, 5, 2, 96),
    ],
)
def test_a_first_convolution_is_that_of_rounded_factors(
    own: Kernels,
    n: int,
    height: int,
    width: int,
    k: int,
    margin: int,
    filters: int,
    relu: bool,
    dtype: torch.dtype,
) -> None:
    needs(own, dtype)
    inputs, weight = images(n, 1, height, width), images(filters, 1, k, k, seed=1)
    bias = images(filters, 1, 1, 1, seed=2).flatten()
    factor = weight.to(dtype).double().requires_grad_()
    shift = bias.double().requires_grad_()
    sums = F.conv2d(inputs.to(dtype).double(), factor, shift, padding=margin)
    expected = F.max_pool2d(sums, 2).relu() if relu else F.max_pool2d(sums, 2)
    upstream = images(*expected.shape, dtype=dtype, seed=3)
    expected.backward(upstream.double())

    pooled, places = own.conv_pool(
        inputs.contiguous(), weight.contiguous(), bias, margin=margin, relu=relu, dtype=dtype
    )
    assert pooled.dtype == dtype
    precise = 2**-8 if dtype == torch.bfloat16 else 1e-5
    assert torch.allclose(pooled.double(), expected, rtol=precise, atol=1e-5)
    of_weight, of_bias = own.conv_pool_backward(
        upstream, places, inputs.contiguous(), k=k, margin=margin
    )
    assert factor.grad is not None
    assert shift.grad is not None
    assert torch.allclose(of_weight.double(), factor.grad, rtol=1e-4, atol=1e-3)
    assert torch.allclose(of_bias.double(), shift.grad, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_first_convolution_hands_on_what_is_not_a_number(
    own: Kernels, dtype: torch.dtype, relu: bool
) -> None:
    needs(own, dtype)
    weight = torch.zeros(32, 1, 3, 3)
    weight[4] = float("nan")
    pooled, _ = own.conv_pool(
        torch.ones(1, 1, 4, 4), weight, torch.zeros(32), margin=1, relu=relu, dtype=dtype
    )
    assert pooled.isnan().any(dim=(0, 2, 3)).nonzero().tolist() == [[4]]


SIZES = [(7, 130, 43), (50, 96, 64), (100, 3136, 80), (33, 34, 17), (1, 2, 1), (64, 1500, 33)]
"""(batch, in, out): multiples of the tiles and not, one piece of columns and several."""


@needs_matrix_units
@pytest.mark.parametrize(("batch", "wide", "out"), SIZES)
def test_products_of_a_large_layer_are_those_of_rounded_factors(
    own: Kernels, batch: int, wide: int, out: int
) -> None:
    rows, weight = images(batch, 1, 1, wide).flatten(1), images(out, 1, 1, wide, seed=1).flatten(1)
    bias, upstream = torch.randn(out), images(batch, 1, 1, out, seed=2).flatten(1)
    forward = own.linear_forward(rows.bfloat16(), weight, bias)
    assert forward.dtype == torch.float32
    assert torch.allclose(
        forward.double(), rounded(rows) @ rounded(weight).T + bias, rtol=1e-5, atol=1e-4
    )
    backward = own.linear_backward(upstream, weight)
    assert backward.dtype == torch.bfloat16
    expected = rounded(upstream) @ rounded(weight)
    assert torch.allclose(backward.double(), expected, rtol=2**-8, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize(("batch", "wide", "out"), SIZES)
def test_a_step_is_adams(
    own: Kernels, batch: int, wide: int, out: int, decoupled: bool, dtype: torch.dtype
) -> None:
    needs(own, dtype)
    plain = torch.randn(out, wide, dtype=torch.float64, requires_grad=True)
    weight = plain.detach().float()
    mean, square = torch.zeros_like(weight), torch.zeros_like(weight)
    kind = AdamW if decoupled else Adam
    optimizer = kind([plain], lr=0.01, weight_decay=0.1, betas=(0.8, 0.99), eps=1e-3)
    for number in range(1, 4):
        rows = images(batch, 1, 1, wide, seed=number).flatten(1).to(dtype)
        upstream = images(batch, 1, 1, out, seed=-number).flatten(1).to(dtype).float()
        plain.grad = upstream.T.double() @ rows.double()
        optimizer.step()
        adam = AdamStep(
            news1=0.2,
            news2=0.01,
            beta2=0.99,
            epsilon=1e-3,
            rate=0.01 / (1 - 0.8**number),
            correction=(1 - 0.99**number) ** -0.5,
            decay=0 if decoupled else 0.1,
            shrink=1 - 0.01 * 0.1 if decoupled else 1,
        )
        own.linear_step(upstream, rows, adam, weight, mean, square)
    state = optimizer.state[plain]
    assert torch.allclose(weight.double(), plain, rtol=1e-5, atol=3e-5)
    assert torch.allclose(mean.double(), state["exp_avg"], rtol=1e-4, atol=1e-4)
    assert torch.allclose(square.double(), state["exp_avg_sq"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_same_inputs_give_the_same_bits(own: Kernels, dtype: torch.dtype) -> None:
    needs(own, dtype)
    inputs, weight = images(40, 1, 28, 28), images(32, 1, 5, 5, seed=1).contiguous()
    pooled, places = own.conv_pool(
        inputs, weight, torch.zeros(32), margin=2, relu=True, dtype=dtype
    )
    first, second = (
        own.conv_pool_backward(pooled, places, inputs, k=5, margin=2) for _ in range(2)
    )
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
