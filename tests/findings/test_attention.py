from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode

from bakeoff.findings.attention import heeded, over_patches, rolled_out
from bakeoff.findings.trace import Trace
from bakeoff.networks.build import build


class Heard(TorchFunctionMode):
    """Collects the attention of every function that is called."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[torch.Tensor] = []

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        output = function(*args, **(kwargs or {}))
        heed = heeded(function.__name__, function, args, kwargs or {}, output)
        if heed is not None:
            self.found.append(heed)
        return output


def heard(call: Callable[[], object]) -> list[torch.Tensor]:
    listening = Heard()
    with torch.no_grad(), listening:
        call()
    return listening.found


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape)))


QUERY, KEY = drawn(1, 2, 5, 4), drawn(1, 2, 5, 4).flip(2)
MASK = torch.ones(5, 5, dtype=torch.bool).tril()


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"scale": 0.3},
        {"is_causal": True},
        {"attn_mask": MASK},
        {"attn_mask": drawn(5, 5)},
        {"enable_gqa": True},
    ],
    ids=str,
)
def test_fused_attention_is_what_its_own_values_say(how: dict[str, Any]) -> None:
    """With the unit matrix for values the output is the attention itself."""
    key = KEY[:, :1] if "enable_gqa" in how else KEY
    values = torch.eye(5).expand(1, key.shape[1], 5, 5)
    (found,) = heard(lambda: F.scaled_dot_product_attention(QUERY, key, values, **how))
    expected = F.scaled_dot_product_attention(QUERY, key, values, **how)[0].mean(0)
    torch.testing.assert_close(found, expected)
    assert found.sum(1).allclose(torch.ones(5))


def test_multihead_attention_is_asked_once_more_for_its_weights() -> None:
    torch.manual_seed(0)
    layer = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    tokens = drawn(1, 6, 8)
    (found,) = heard(lambda: layer(tokens, tokens, tokens, need_weights=False))
    torch.testing.assert_close(found, layer(tokens, tokens, tokens)[1][0])


@pytest.mark.parametrize(
    "call",
    [
        lambda: drawn(1, 2, 5, 5).softmax(2),  # the columns sum to 1, not the rows
        lambda: drawn(1, 2, 5, 4).softmax(3),
        lambda: drawn(3, 2, 5, 5).softmax(3),  # windows, each by itself
        lambda: drawn(5, 5).softmax(1),
        lambda: drawn(1, 2, 1, 1).softmax(3),
        lambda: F.scaled_dot_product_attention(three := drawn(3, 2, 5, 4), three, three),
    ],
)
def test_what_is_no_attention_of_one_image_is_left_out(call: Callable[[], object]) -> None:
    assert heard(call) == []


def test_rollout_is_the_product_of_attention_and_what_is_kept() -> None:
    rng = np.random.default_rng(0)
    layers = rng.random((3, 5, 5))
    layers /= layers.sum(2, keepdims=True)
    first, second, third = (0.5 * weights + 0.5 * np.eye(5) for weights in layers)
    found = rolled_out([torch.tensor(weights).float() for weights in layers])
    np.testing.assert_allclose(found, third @ second @ first, rtol=1e-5)


def test_one_layer_worked_out_by_hand() -> None:
    # The first token heeds the two patches as 1 to 3; each patch heeds itself.
    weights = torch.tensor([[0.0, 0.25, 0.75], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    share = over_patches([weights], (1, 2))
    assert share is not None
    assert share.tolist() == [[0.25, 0.75]]
    # Without a token before them their mean is read.
    share = over_patches([weights[1:, 1:]], (1, 2))
    assert share is not None
    assert share.tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize(
    ("tokens", "grid"), [([], (2, 2)), ([6], (2, 2)), ([4, 5], (2, 2)), ([2], (1, 1))]
)
def test_tokens_that_are_no_patches_have_no_picture(
    tokens: list[int], grid: tuple[int, int]
) -> None:
    assert over_patches([torch.eye(count) for count in tokens], grid) is None


@pytest.mark.parametrize("depth", [6])
def test_the_attention_of_a_network_that_ships_is_seen(depth: int) -> None:
    """Its own attention, written out: what hooks read of queries and keys."""
    model = build("small-vit", (1, 16, 16), 10, initialisation="framework-default", seed=0).eval()
    asked: list[torch.Tensor] = []
    for name, layer in model.named_modules():
        if name.endswith("attention.asked"):
            layer.register_forward_hook(lambda _, __, output: asked.append(output))
    with torch.no_grad(), Trace(model) as trace:
        model(drawn(1, 1, 16, 16))
    assert len(trace.attention) == len(asked) == depth
    assert trace.grid == (8, 8)
    for found, each in zip(trace.attention, asked, strict=True):
        queries, keys, _ = each[0].numpy().reshape(64, 3, 4, 32).transpose(1, 2, 0, 3)
        weights = np.exp(queries @ keys.transpose(0, 2, 1) / np.sqrt(32))
        expected = (weights / weights.sum(2, keepdims=True)).mean(0)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)
