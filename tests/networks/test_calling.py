"""How a network is called, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from bakeoff.errors import NetworkError
from bakeoff.networks.calling import called


class Kept(nn.Module):
    """A network that keeps what it was called with."""

    def __init__(self, **given: Any) -> None:
        super().__init__()
        self.given = given
        self.weight = nn.Parameter(torch.zeros(1))


def call(
    found: Callable[..., Any],
    arguments: Mapping[str, Any] | None = None,
    shape: tuple[int, int, int] = (3, 32, 32),
) -> Any:
    return called(found, "Net", arguments or {}, None)(shape, 10)


def given(found: Callable[..., Any], **how: Any) -> Any:
    return call(found, **how).given


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (lambda classes: Kept(c=classes), {"c": 10}),
        (lambda num_classes=1000: Kept(c=num_classes), {"c": 10}),
        (lambda n_classes=None: Kept(c=n_classes), {"c": 10}),
        (lambda num_classes, classes=None: Kept(a=num_classes, b=classes), {"a": 10, "b": None}),
        (lambda channels: Kept(c=channels), {"c": 3}),
        (lambda in_channels=1: Kept(c=in_channels), {"c": 3}),
        (lambda in_chans, channels=64: Kept(a=in_chans, b=channels), {"a": 3, "b": 64}),
        (lambda channels=(16, 32): Kept(c=channels), {"c": (16, 32)}),
        (lambda classes=("a", "b"): Kept(c=classes), {"c": ("a", "b")}),
        (lambda image_shape: Kept(s=image_shape), {"s": (3, 32, 32)}),
        (lambda image_size=224: Kept(s=image_size), {"s": 32}),
        (lambda img_size=(224, 224): Kept(s=img_size), {"s": (32, 32)}),
        (lambda input_size=(3, 224, 224): Kept(s=input_size), {"s": (3, 32, 32)}),
        (lambda input_size=3072: Kept(s=input_size), {"s": 3072}),
        (lambda input_size: Kept(s=input_size), {"s": 32}),
        (lambda image_shape, classes: Kept(s=image_shape, c=classes), {"s": (3, 32, 32), "c": 10}),
        (lambda width=64, **rest: Kept(w=width, **rest), {"w": 64}),
        (lambda *rest: Kept(n=len(rest)), {"n": 0}),
        (partial(lambda width, classes: Kept(w=width, c=classes), 5), {"w": 5, "c": 10}),
        (Kept, {}),
    ],
)  # fmt: skip
def test_it_is_given_what_its_signature_asks_for_and_nothing_else(
    found: Callable[..., Any], expected: Mapping[str, Any]
) -> None:
    assert given(found) == expected


def test_images_that_are_no_square_have_two_sides() -> None:
    def net(image_size: int = 224) -> Kept:
        return Kept(s=image_size)

    assert given(net, shape=(3, 32, 48)) == {"s": (32, 48)}


def test_the_arguments_of_the_study_go_before_all_else() -> None:
    def net(width: int, classes: int, channels: int = 64, **rest: Any) -> Kept:
        return Kept(w=width, c=classes, ch=channels, **rest)

    found = given(net, arguments={"width": 8, "channels": 16, "depth": 2})
    assert found == {"w": 8, "c": 10, "ch": 16, "depth": 2}


def test_what_it_is_given_by_position_alone_is_named_as_missing() -> None:
    def net(classes: int, /) -> Kept:
        return Kept(c=classes)

    with pytest.raises(NetworkError, match="Net needs classes, which nobody gives"):
        call(net)


def test_an_argument_that_nobody_gives_is_named() -> None:
    def net(classes: int, width: int, depth: int) -> Kept:
        return Kept()

    with pytest.raises(NetworkError) as caught:
        call(net, {"depth": 2})
    assert str(caught.value) == (
        "Net needs width, which nobody gives; say arguments = { width = … } in the study"
    )
    with pytest.raises(NetworkError, match="Net needs width and depth, which nobody gives"):
        call(net)


def test_an_argument_that_it_does_not_take_is_refused_before_it_is_called() -> None:
    def net(classes: int, width: int = 3) -> Kept:
        raise AssertionError

    with pytest.raises(NetworkError) as caught:
        called(net, "Net", {"widht": 2}, None)
    assert str(caught.value) == "Net takes no argument 'widht'; did you mean 'width'?"

    def nothing() -> Kept:
        raise AssertionError

    with pytest.raises(NetworkError) as caught:
        called(nothing, "Net", {"width": 2}, None)
    assert str(caught.value) == "Net takes no argument 'width'; it takes none"


def test_what_has_no_signature_is_refused() -> None:
    with pytest.raises(NetworkError, match="Net does not say which arguments it takes"):
        called(type, "Net", {}, None)


@pytest.mark.parametrize("other", [None, 3, "net", [nn.Linear(1, 1)], nn.Linear])
def test_what_is_no_module_is_refused(other: object) -> None:
    with pytest.raises(NetworkError) as caught:
        call(lambda: other)
    kind = type(other).__name__
    assert str(caught.value) == f"Net gave a {kind}, and a network is a torch.nn.Module"


def test_what_goes_wrong_while_it_is_made_is_told_with_its_name() -> None:
    def net(classes: int) -> nn.Module:
        return nn.Linear(-1, classes)

    with pytest.raises(NetworkError, match=r"^Net: .*RuntimeError: Trying to create tensor with "):
        call(net)


def test_memory_that_runs_out_is_no_mistake_of_the_network() -> None:
    def net() -> nn.Module:
        raise MemoryError

    with pytest.raises(MemoryError):
        call(net)


def test_what_trains_while_it_is_made_is_stopped() -> None:
    def net(classes: int) -> nn.Module:
        made = nn.Linear(3, classes)
        made(torch.ones(1, 3)).sum().backward()
        return made

    with pytest.raises(NetworkError, match=r"^Net: .*: it trains before it is asked to$"):
        call(net)


def test_a_lazy_network_learns_its_shapes_from_an_empty_image_and_nothing_else() -> None:
    def net(classes: int) -> nn.Module:
        return nn.Sequential(
            nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(classes)
        )

    made = call(net, shape=(3, 8, 8))
    assert made.training
    assert made[0].weight.shape == (4, 3, 3, 3)
    assert made[3].weight.shape == (10, 4 * 6 * 6)
    assert made[1].num_batches_tracked == 0
    assert not made[1].running_mean.any()
    assert all(each.grad is None for each in made.parameters())
