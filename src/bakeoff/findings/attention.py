"""Attention: how much each place of an image heeds each other one, layer by layer.

It is seen in the functions that compute it, whatever module calls them: PyTorch's fused
`scaled_dot_product_attention`, whose weights are computed again from what went in, that of
`nn.MultiheadAttention`, which is asked once more for its weights, and a softmax over squares. What
else computes it, as a kernel of the network's own, is not seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch


def heeded(
    name: str,
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    output: Any,
) -> torch.Tensor | None:
    """Return the attention of one image that a function computed, or None where it computes none.

    name: of the function. Returns float32 [tokens, tokens], each row the mean over heads of what a
    token heeds, which sums to 1.
    """
    query = args[0] if args else kwargs.get("query", output)
    weights = None
    if name == "softmax":
        weights = output
    elif name == "scaled_dot_product_attention" and len(query) == 1:
        weights = _scaled_dot_products(*args, **kwargs)
    elif name == "multi_head_attention_forward" and query.shape[-2] == 1:
        asked = {"need_weights": True, "average_attn_weights": False}
        weights = function(*args, **{**kwargs, **asked})[1]
    # Of one image: what is attended to in windows is several.
    if weights is None or weights.ndim != 4 or len(weights) != 1:
        return None
    heed = weights[0].float().mean(0)
    square = heed.shape[0] == heed.shape[1] > 1
    # A softmax over another dimension is none.
    return heed if square and heed.sum(1).allclose(torch.ones(len(heed)), atol=1e-3) else None


def _scaled_dot_products(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> torch.Tensor:
    """Return softmax(Q K^T / sqrt(width)) (Vaswani et al., 2017, equation 1), as PyTorch has it."""
    del value, dropout_p
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], dim=-3)
    products = query @ key.transpose(-2, -1)
    products = products * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        attn_mask = torch.ones(products.shape[-2:], dtype=torch.bool).tril()
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        products = products.masked_fill(~attn_mask, -math.inf)
    elif attn_mask is not None:
        products = products + attn_mask
    return products.softmax(-1)


def rolled_out(layers: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return how much of each token of the image is in each token at the end, [tokens, tokens].

    layers: attention [tokens, tokens], in their order. Each layer hands on half of what it heeds
    and half of what it had (Abnar & Zuidema, "Quantifying Attention Flow in Transformers", 2020,
    section 3).
    """
    kept = torch.eye(len(layers[0]))
    for weights in layers:
        kept = (weights + torch.eye(len(weights))) / 2 @ kept
    return kept


def over_patches(layers: Sequence[torch.Tensor], grid: tuple[int, int]) -> torch.Tensor | None:
    """Return the share of each patch in what is read at the end, [rows, columns], whose sum is 1.

    layers: as of `rolled_out`. grid: rows and columns of patches. A token before them is taken for
    the one that is read; without it the mean over all is. None where the tokens are others.
    """
    patches = math.prod(grid)
    tokens = {len(weights) for weights in layers}
    if patches == 1 or not tokens <= {patches, patches + 1} or len(tokens) != 1:
        return None
    rolled = rolled_out(layers)
    share = rolled.mean(0) if tokens == {patches} else rolled[0, 1:]
    return (share / share.sum()).view(grid)
