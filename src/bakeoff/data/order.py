"""The order of the training examples: a pure function of study seed, trial seed and epoch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from bakeoff.study.seeds import derive_seed

_BLOCK = 16
"""Batches that are gathered at once: the call costs as much as copying a small batch."""


def epoch_order(examples: int, *, study_seed: int, trial_seed: int, epoch: int) -> torch.Tensor:
    """Return a permutation of `examples`, int64 [examples], the same for every entrant.

    It depends on nothing that happened before, so no validation pass, worker or resume shifts it.
    """
    seed = derive_seed("order", study_seed=study_seed, trial_seed=trial_seed, epoch=epoch)
    return torch.from_numpy(np.random.default_rng(seed).permutation(examples))


def batches(
    images: torch.Tensor,
    labels: torch.Tensor,
    order: torch.Tensor,
    batch_size: int,
    rows: torch.Tensor | None = None,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield (images, labels) of `batch_size` examples at a time, gathered in memory.

    images: uint8 [n, channels, height, width]; labels: int64 [n]; order: int64 [m], indices;
    rows: int64 [n], where each example's image lies, if not in the order of the labels.
    The last batch is smaller where `batch_size` does not divide m; no example is left out.
    """
    for block in order.split(_BLOCK * batch_size) if len(order) else ():
        yield from zip(
            images[block if rows is None else rows[block]].split(batch_size),
            labels[block].split(batch_size),
            strict=True,
        )
