"""What the training of an entrant takes, told from a few batches."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional as F

from bakeoff.data.dataset import Dataset
from bakeoff.data.split import split_of
from bakeoff.networks.randomness import own_numbers
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Entrant, Study
from bakeoff.training.timing_pass import all_examples, make_burst
from bakeoff.training.trial import build_entrant, code_of, pixels_of

_BATCHES = 3


@dataclass(frozen=True)
class Taken:
    """What one trial takes."""

    seconds_per_epoch: float
    """Wall seconds of training and validation, as this machine is now."""
    bytes_of_memory: int
    """Weights, gradients, what the optimizer keeps of each, and what a step keeps for its way back;
    not what a layer needs while it computes."""


def tried(
    study: Study, entrant: Entrant, dataset: Dataset, device: torch.device, precision: str
) -> Taken:
    """Return what a trial of an entrant takes, from so few batches that it takes seconds.

    Raises NetworkError where code of the user's fails in one of them.
    """
    with code_of(entrant):
        return _tried(study, entrant, dataset, device, precision)


def _tried(
    study: Study, entrant: Entrant, dataset: Dataset, device: torch.device, precision: str
) -> Taken:
    split, size = split_of(study, 0, dataset), entrant.recipe.batch_size
    examples = min(_BATCHES * size, len(split.train))
    validation = max(1, examples * len(split.validation) // len(split.train))
    burst = make_burst(
        study, entrant, dataset, all_examples(dataset, device),
        precision=precision, examples=examples, validation=validation,
    )  # fmt: skip
    burst()  # What is done once, such as finding the fastest way to convolve.
    began = time.perf_counter()
    burst()
    taken = time.perf_counter() - began
    model = build_entrant(study, entrant, 0, dataset, device)
    images = torch.from_numpy(dataset.train_images[split.train[:size]]).to(device)
    return Taken(
        seconds_per_epoch=taken * len(split.train) / examples,
        bytes_of_memory=_bytes_of_memory(
            model, entrant.recipe, pixels_of(study.protocol, dataset, device)(images)
        ),
    )


def _bytes_of_memory(model: nn.Module, recipe: Recipe, batch: torch.Tensor) -> int:
    """Return the bytes of a training step on `batch`, float32 [b, channels, height, width]."""
    weights = sum(each.nbytes for each in model.parameters())
    moving = sum(each.nbytes for each in model.parameters() if each.requires_grad)
    copies = 3 if recipe.optimizer == "sgd" else 4  # Weights, gradients, one moment or two.
    kept = {each.data_ptr() for each in model.parameters()}
    activations = 0

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal activations
        if tensor.data_ptr() not in kept:
            kept.add(tensor.data_ptr())
            activations += tensor.nbytes
        return tensor

    with own_numbers(0), saved_tensors_hooks(keep, lambda tensor: tensor):
        logits = model.train()(batch)
        F.cross_entropy(logits, torch.zeros(len(batch), dtype=torch.int64, device=batch.device))
    return weights + (copies - 1) * moving + batch.nbytes + activations
