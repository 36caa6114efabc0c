"""Kernels that answer otherwise are found out, whichever it is and however little."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bakeoff.engine.native.proof import wrong_answer

from .plain_kernels import PlainKernels


def test_right_answers_are_taken_for_right() -> None:
    assert wrong_answer(PlainKernels()) is None


def test_the_global_random_state_stays_as_it_is() -> None:
    before = torch.get_rng_state()
    wrong_answer(PlainKernels())
    assert torch.get_rng_state().equal(before)


@pytest.mark.parametrize("context", [torch.inference_mode, torch.no_grad])
def test_it_can_be_asked_where_there_are_no_gradients(context: Callable[[], Any]) -> None:
    with context():
        assert wrong_answer(PlainKernels()) is None


def one_other(answer: Any, which: int, place: int) -> None:
    """Change one number of an answer: a place to the next, or by a tenth."""
    numbers = answer if isinstance(answer, torch.Tensor) else answer[which]
    at = (place,) * numbers.dim()
    numbers[at] = numbers[at] ^ 1 if numbers.dtype == torch.uint8 else numbers[at] * 1.1 + 0.1


METHODS = {"relu_pool": "max_pool"}
"""What is called otherwise than the kernel behind it."""

KERNELS = [
    ("max_pool", 0, "max_pool_float32"),
    ("max_pool", 1, "max_pool_float32"),
    ("relu_pool", 0, "relu_pool_float32"),
    ("relu_pool", 1, "relu_pool_float32"),
    ("pool_backward", 0, "max_pool_float32"),
    ("conv_pool", 0, "conv_pool_float32"),
    ("conv_pool_backward", 0, "conv_pool_float32"),
    ("conv_pool_backward", 1, "conv_pool_float32"),
    ("linear_forward", 0, "linear_bfloat16"),
    ("linear_backward", 0, "linear_bfloat16"),
]


@pytest.mark.parametrize("place", [0, -1])
@pytest.mark.parametrize(("kernel", "which", "told"), KERNELS)
def test_one_other_number_is_found(
    kernel: str, which: int, place: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = METHODS.get(kernel, kernel)
    right = getattr(PlainKernels, method)

    def wrong(*arguments: Any, **named: Any) -> Any:
        answer = right(*arguments, **named)
        if named.get("relu") or kernel != "relu_pool":
            with torch.no_grad():
                one_other(answer, which, place)
        return answer

    monkeypatch.setattr(PlainKernels, method, wrong)
    assert wrong_answer(PlainKernels()) == told


@pytest.mark.parametrize("changed", [3, 4, 5])
def test_a_step_that_goes_elsewhere_is_found(changed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    right = PlainKernels.linear_step

    def wrong(self: PlainKernels, *arguments: Any) -> None:
        right(self, *arguments)
        arguments[changed][-1, -1] += 0.001

    monkeypatch.setattr(PlainKernels, "linear_step", wrong)
    assert wrong_answer(PlainKernels()) == "linear_step_float32"


@pytest.mark.parametrize("kernel", ["max_pool", "relu_pool", "conv_pool", "linear_step"])
def test_each_precision_is_asked(kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    method = METHODS.get(kernel, kernel)
    right = getattr(PlainKernels, method)

    def wrong(self: PlainKernels, *arguments: Any, **named: Any) -> Any:
        answer = right(self, *arguments, **named)
        asked = named.get("dtype", arguments[len(arguments) > 1].dtype)
        if asked == torch.bfloat16 and (named.get("relu") or kernel != "relu_pool"):
            (arguments[3] if answer is None else answer[0]).zero_()
        return answer

    monkeypatch.setattr(PlainKernels, method, wrong)
    assert wrong_answer(PlainKernels()) == f"{kernel}_bfloat16"
