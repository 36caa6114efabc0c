"""The compiled kernels beside plain PyTorch on a few numbers, before anything is trained by them.

A compiler may be wrong, or not be what its name says. Sizes are small and odd, so that every kernel
meets the ends of its vectors and tiles. The numbers are those of a sequence that nobody draws: the
global random state stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch.nn import functional as F

from bakeoff.engine.native.kernels import AdamStep, Kernels


def wrong_answer(kernels: Kernels) -> str | None:
    """Return the name of the first kernel whose answer is not PyTorch's, None where all agree."""
    everywhere = [torch.float32, torch.bfloat16]
    products = everywhere if kernels.matrix_units else [torch.float32]
    proofs: list[tuple[str, Callable[[Kernels, torch.dtype], bool], list[torch.dtype]]] = [
        ("max_pool", partial(_pools, False), everywhere),
        ("relu_pool", partial(_pools, True), everywhere),
        ("conv_pool", _convolves, products),
        ("linear_step", _steps, products),
        ("linear", _multiplies, products[1:]),
    ]
    with torch.inference_mode(False), torch.enable_grad():
        for name, holds, dtypes in proofs:
            for dtype in dtypes:
                if not holds(kernels, dtype):
                    return f"{name}_{dtype}".replace("torch.", "")
    return None


def _numbers(*shape: int, salt: int) -> torch.Tensor:
    """Return float32 numbers between -1 and 1, evenly spread and without a pattern."""
    count = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    spread = (count * 0.7548776662466927 + salt * 0.5698402909980532).frac()  # A Weyl sequence.
    return (spread * 2 - 1).float().reshape(shape)


def _channels_last(images: torch.Tensor) -> torch.Tensor:
    return images.contiguous(memory_format=torch.channels_last)


def _pools(relu: bool, kernels: Kernels, dtype: torch.dtype) -> bool:
    # Quarters are often equal, which tries the order in which places win.
    images = _channels_last((_numbers(2, 37, 5, 7, salt=1) * 4).round().div(4).to(dtype))
    expected = _pooled(images.requires_grad_(), relu)
    upstream = _channels_last(_numbers(*expected.shape, salt=2).to(dtype))
    gradient = _gradients(expected, upstream, images)[0]
    found, places = kernels.max_pool(images.detach(), relu=relu)
    backward = kernels.pool_backward(upstream, places, 5, 7)
    return found.equal(expected) and backward.equal(gradient)


def _gradients(
    output: torch.Tensor, upstream: torch.Tensor, *of: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """Return the gradients that `upstream`, that of the output, leads to.

    Were `torch.autograd.grad` given it, it would import the algebra of torch's compiler for it.
    """
    return torch.autograd.grad((output * upstream).sum(), of)


def _pooled(images: torch.Tensor, relu: bool) -> torch.Tensor:
    pooled = F.max_pool2d(images, 2)
    return pooled.relu() if relu else pooled


def _convolves(kernels: Kernels, dtype: torch.dtype) -> bool:
    for k, margin, filters, relu in ((3, 1, 48, True), (5, 2, 16, False), (4, 0, 32, True)):
        images, weight = _numbers(3, 1, 9, 41, salt=3), _numbers(filters, 1, k, k, salt=4)
        bias = _numbers(filters, salt=5)
        exact = weight.to(dtype).double().requires_grad_(), bias.double().requires_grad_()
        sums = F.conv2d(images.to(dtype).double(), *exact, padding=margin)
        expected = _pooled(sums, relu)
        upstream = _channels_last(_numbers(*expected.shape, salt=6).to(dtype))
        gradients = _gradients(expected, upstream.double(), *exact)
        pooled, places = kernels.conv_pool(
            images, weight, bias, margin=margin, relu=relu, dtype=dtype
        )
        found = kernels.conv_pool_backward(upstream, places, images, k=k, margin=margin)
        if not _near(pooled, expected) or not all(
            torch.allclose(one.double(), other, rtol=1e-4, atol=1e-3)
            for one, other in zip(found, gradients, strict=True)
        ):
            return False
    return True


def _multiplies(kernels: Kernels, dtype: torch.dtype) -> bool:
    rows, weight, bias = _numbers(7, 130, salt=7), _numbers(43, 130, salt=8), _numbers(43, salt=9)
    upstream = _numbers(7, 43, salt=10)
    forward = kernels.linear_forward(rows.to(dtype), weight, bias)
    backward = kernels.linear_backward(upstream, weight)
    factor = weight.to(dtype).double()
    return _near(forward, rows.to(dtype).double() @ factor.T + bias) and _near(
        backward, upstream.to(dtype).double() @ factor
    )


def _steps(kernels: Kernels, dtype: torch.dtype) -> bool:
    upstream, rows = _numbers(7, 43, salt=11), _numbers(7, 130, salt=12).to(dtype)
    weight, mean = _numbers(43, 130, salt=13), _numbers(43, 130, salt=14)
    square = _numbers(43, 130, salt=15).square()
    adam = AdamStep(0.1, 0.001, 0.999, 1e-3, 0.01, 1.5, 0.02, 0.9)
    gradient = upstream.to(dtype).double().T @ rows.double() + adam.decay * weight
    means = mean + adam.news1 * (gradient - mean)
    squares = adam.beta2 * square + adam.news2 * gradient.square()
    moved = adam.shrink * weight - adam.rate * means / (
        adam.correction * squares.sqrt() + adam.epsilon
    )
    kernels.linear_step(upstream, rows, adam, weight, mean, square)
    return all(map(_near, (weight, mean, square), (moved, means, squares)))


def _near(found: torch.Tensor, expected: torch.Tensor) -> bool:
    precise = 2**-8 if found.dtype == torch.bfloat16 else 1e-5
    return torch.allclose(found.double(), expected, rtol=precise, atol=1e-4)
