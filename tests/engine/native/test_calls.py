"""What is handed to C: nothing of another size, type, order or place than it will be taken for."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, cast

import pytest
import torch

from bakeoff.engine.native import AdamStep, Kernels


class Library:
    """Takes every call of a kernel that there is, and does nothing."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        if not name.endswith(("_float32", "_bfloat16")):
            raise AttributeError(f"no kernel {name}")
        return lambda *_: self.called.append(name)


F32, BF16, U8 = torch.float32, torch.bfloat16, torch.uint8


def images(*shape: int, dtype: torch.dtype = F32) -> torch.Tensor:
    return torch.zeros(*shape, dtype=dtype).contiguous(memory_format=torch.channels_last)


def zeros(*shape: int, dtype: torch.dtype = F32) -> torch.Tensor:
    return torch.zeros(*shape, dtype=dtype)


RIGHT: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "max_pool": ([images(2, 3, 5, 4, dtype=BF16)], {"relu": False}),
    "pool_backward": ([images(2, 3, 2, 2), zeros(24, dtype=U8), 5, 4], {}),
    "conv_pool": (
        [zeros(2, 1, 6, 8), zeros(16, 1, 3, 3), zeros(16)],
        {"margin": 1, "relu": True, "dtype": BF16},
    ),
    "conv_pool_backward": (
        [images(2, 16, 3, 4), zeros(384, dtype=U8), zeros(2, 1, 6, 8)],
        {"k": 3, "margin": 1},
    ),
    "linear_forward": ([zeros(5, 6, dtype=BF16), zeros(7, 6), zeros(7)], {}),
    "linear_backward": ([zeros(5, 7), zeros(7, 6)], {}),
    "linear_step": (
        [zeros(5, 7), zeros(5, 6), AdamStep(), zeros(7, 6), zeros(7, 6), zeros(7, 6)],
        {},
    ),
}


def call(name: str, arguments: list[Any], named: dict[str, Any]) -> list[str]:
    library = Library()
    getattr(Kernels(cast("ctypes.CDLL", library), matrix_units=True), name)(*arguments, **named)
    return library.called


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_handed_on(name: str) -> None:
    (called,) = call(name, *RIGHT[name])
    assert called.startswith(name)


def larger(tensor: torch.Tensor) -> torch.Tensor:
    return torch.zeros([size + 1 for size in tensor.shape], dtype=tensor.dtype)


def of_other_type(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.double()


def with_gaps(tensor: torch.Tensor) -> torch.Tensor:
    twice = torch.zeros(*tensor.shape[:-1], 2 * tensor.shape[-1], dtype=tensor.dtype)
    return twice[..., ::2]


def elsewhere(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to("meta")


@pytest.mark.parametrize("spoil", [larger, of_other_type, with_gaps, elsewhere])
@pytest.mark.parametrize(
    ("name", "place"),
    [
        (name, place)
        for name, (arguments, _) in RIGHT.items()
        for place, argument in enumerate(arguments)
        if isinstance(argument, torch.Tensor)
    ],
)
def test_no_other_tensor_is(
    name: str, place: int, spoil: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    arguments, named = RIGHT[name]
    if spoil is larger and name == "max_pool":
        pytest.skip("larger images are images")
    changed = [*arguments[:place], spoil(arguments[place]), *arguments[place + 1 :]]
    with pytest.raises((ValueError, AttributeError), match=r"kernel"):
        call(name, changed, named)


@pytest.mark.parametrize(
    ("weight", "margin", "told"),
    [
        (zeros(16, 1, 6, 6), 1, "no kernel for 16 filters of 6 x 6, margin 1, on 6 x 8"),
        (zeros(17, 1, 3, 3), 1, "no kernel for 17 filters of 3 x 3, margin 1, on 6 x 8"),
        (zeros(16, 1, 3, 3), -1, "no kernel for 16 filters of 3 x 3, margin -1, on 6 x 8"),
        (zeros(16, 1, 5, 3), 1, "a kernel takes torch.float32 [16, 1, 5, 5] on the CPU"),
    ],
)
def test_no_other_filters_are(weight: torch.Tensor, margin: int, told: str) -> None:
    named = {"margin": margin, "relu": True, "dtype": F32}
    with pytest.raises(ValueError, match=r"kernel") as caught:
        call("conv_pool", [zeros(2, 1, 6, 8), weight, zeros(16)], named)
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(("relu", "named"), [(False, "max_pool"), (True, "relu_pool")])
def test_a_relu_is_another_function(relu: bool, named: str) -> None:
    assert call("max_pool", [images(2, 3, 5, 4)], {"relu": relu}) == [f"{named}_float32"]


def test_the_matrix_units_take_pairs() -> None:
    with pytest.raises(ValueError, match=r"^no kernel for 3 inputs: give an even number$"):
        call("linear_forward", [zeros(5, 3, dtype=BF16), zeros(7, 3), zeros(7)], {})
