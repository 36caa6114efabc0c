"""Training with nothing around it: the other side of against_bare_loop.py.

Two loops of plain functions over tensors in memory, each with a validation pass after every epoch.
They keep no history, know no stopping rule, and shuffle with whatever state torch is in.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from bakeoff.training.fit import Examples
from benchmarks.task import SameTricks


def with_same_tricks(
    tricks: SameTricks,
    train: Examples,
    validation: Examples,
    *,
    scale: float,
    batch_size: int,
    epochs: int,
) -> float:
    """Train with the engine's own update of the weights; return the last accuracy."""
    right = 0.0
    for _ in range(epochs):
        tricks.twin.train()
        for chosen in torch.randperm(len(train)).split(batch_size):
            tricks.update(train.images[chosen], train.labels[chosen])
        right = validate(tricks.model, validation, scale)
    return right


def without_tricks(
    model: nn.Module,
    train: Examples,
    validation: Examples,
    *,
    learning_rate: float,
    scale: float,
    batch_size: int,
    epochs: int,
) -> float:
    """Train in float32, the default layout and unfused Adam; return the last accuracy."""
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    right = 0.0
    for _ in range(epochs):
        model.train()
        for chosen in torch.randperm(len(train)).split(batch_size):
            logits = model(train.images[chosen].float() * scale)
            loss = F.cross_entropy(logits, train.labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        right = validate(model, validation, scale)
    return right


@torch.inference_mode()
def validate(model: nn.Module, validation: Examples, scale: float) -> float:
    """Return the accuracy on the validation examples, 500 at a time as bakeoff scores them."""
    model.eval()
    parts = zip(validation.images.split(500), validation.labels.split(500), strict=True)
    right = sum((model(part.float() * scale).argmax(1) == labels).sum() for part, labels in parts)
    return float(right) / len(validation)
