"""Training as a page of a textbook has it, slow and without a single trick.

It shares no code with `bakeoff`: seeds, order, loss and Adam are written out here. The real loop
(fused Adam, channels last, batches gathered in memory) must reach the same weights after each step.
It computes in float64, so whatever differs is the rounding of the real loop and not its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


def seed_of(purpose: str, **factors: str | int) -> int:
    text = json.dumps([purpose, sorted(factors.items())], separators=(",", ":"))
    return int(hashlib.sha256(text.encode()).hexdigest()[:16], 16) // 2


class Adam:
    """Algorithm 1 of Kingma & Ba, "Adam", 2015."""

    def __init__(self, parameters: list[nn.Parameter], rate: float) -> None:
        self.parameters, self.rate, self.t = parameters, rate, 0
        self.m = [torch.zeros_like(p) for p in parameters]
        self.v = [torch.zeros_like(p) for p in parameters]

    @torch.no_grad()
    def step(self, gradients: tuple[torch.Tensor, ...]) -> None:
        self.t += 1
        for p, g, m, v in zip(self.parameters, gradients, self.m, self.v, strict=True):
            m.copy_(BETA_1 * m + (1 - BETA_1) * g)
            v.copy_(BETA_2 * v + (1 - BETA_2) * g * g)
            m_hat = m / (1 - BETA_1**self.t)
            v_hat = v / (1 - BETA_2**self.t)
            p.sub_(self.rate * m_hat / (v_hat.sqrt() + EPSILON))


def losses(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return -log of the probability of each label: [n]."""
    return logits.exp().sum(1).log() - logits[torch.arange(len(labels)), labels]


def logits_of(model: nn.Module, x: torch.Tensor, bits: np.random.SFC64) -> torch.Tensor:
    """Apply the layers in turn; dropout of one half is written out, a bit for each number."""
    for layer in model.children():
        if isinstance(layer, nn.Dropout):
            assert layer.p == 0.5
            drawn = bits.random_raw((x.numel() + 63) // 64).view(np.uint8)
            kept = torch.from_numpy(np.unpackbits(drawn)[: x.numel()] == 1).view(x.shape)
            x = torch.where(kept, 2 * x, 0.0)
        else:
            x = layer(x)
    return x


def train(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    rate: float,
    batch_size: int,
    epochs: int,
    pixel_scale: float,
    seeds: dict[str, int],
    entrant: str,
    after_step: Callable[[], object],
) -> Iterator[float]:
    """Train `model`, of float64; after each epoch yield the mean loss over its examples."""
    adam = Adam(list(model.parameters()), rate)
    for epoch in range(1, epochs + 1):
        generator = np.random.default_rng(seed_of("order", epoch=epoch, **seeds))
        order = generator.permutation(len(images))
        seed = seed_of("dropout", epoch=epoch, entrant=entrant, **seeds)
        bits = np.random.SFC64([seed, 0])
        of_examples: list[float] = []
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size].tolist()
            batch = torch.stack([images[i] for i in chosen]).double() * pixel_scale
            loss = losses(logits_of(model, batch, bits), torch.stack([labels[i] for i in chosen]))
            adam.step(torch.autograd.grad(loss.mean(), list(model.parameters())))
            of_examples += loss.tolist()
            after_step()
        yield sum(of_examples) / len(of_examples)
