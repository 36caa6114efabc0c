"""One trial: from an entrant and a seed to its record, weights and predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bakeoff.architectures.catalogue import build, count_parameters
from bakeoff.data.dataset import Dataset
from bakeoff.data.split import Split, split_examples
from bakeoff.evaluation.cost import measure_cost
from bakeoff.evaluation.predict import predict_logits
from bakeoff.evaluation.scores import score
from bakeoff.record import Epoch, Provenance, Record, Stopped
from bakeoff.seeds import derive_seed
from bakeoff.study import Entrant, Protocol, Study
from bakeoff.training.devices import place
from bakeoff.training.fit import Examples, Streams, fit
from bakeoff.training.provenance import provenance


@dataclass(frozen=True)
class TrialSpec:
    """All that a trial depends on."""

    study: Study
    entrant: Entrant
    seed: int
    dataset: Dataset
    device: torch.device
    precision: str
    """`float32`, or `bfloat16` for autocast. Scores are float32 either way."""

    @property
    def split(self) -> Split:
        """The examples that train and those that validate, shared by all entrants of the seed."""
        return split_of(self.study, self.seed, self.dataset)


@dataclass(frozen=True)
class Trial:
    """What is left when a trial ends: all that a run folder keeps of it."""

    record: Record
    weights: dict[str, torch.Tensor]
    """The state of the model that the record speaks of, on the CPU, contiguous."""
    predictions: dict[str, NDArray[np.float32] | NDArray[np.int64]]
    """`validation_index`, and logits and labels of validation and test; empty where diverged."""


def split_of(study: Study, seed: int, dataset: Dataset) -> Split:
    """Return the split of a trial seed; raise StudyError where there are not enough examples."""
    return split_examples(
        len(dataset.train_images),
        study.protocol.validation_examples,
        study.protocol.train_examples,
        study_seed=study.study_seed,
        trial_seed=seed,
    )


def pixel_scale(protocol: Protocol) -> float:
    """Return what a pixel of 0 to 255 is multiplied by."""
    return 1 / 255 if protocol.pixels == "scaled-once" else 1 / 255 / 255


def autocast_for(device: torch.device, precision: str) -> torch.autocast:
    """Return what the forward pass of a training step runs under."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")


def build_entrant(study: Study, entrant: Entrant, seed: int, dataset: Dataset) -> nn.Module:
    """Return the entrant's network as it starts the trial with this seed."""
    return build(
        entrant.architecture,
        dataset.image_shape,
        len(dataset.classes),
        initialisation=entrant.recipe.initialisation,
        seed=derive_seed(
            "initialisation", study_seed=study.study_seed, trial_seed=seed, entrant=entrant.name
        ),
    )


def run_trial(spec: TrialSpec, on_epoch: Callable[[Epoch], None]) -> Trial:
    """Train the entrant once and score it, calling `on_epoch` after each epoch.

    Validation data stop the training; test data are read once, at the end. The global random
    state is left as it was.
    """
    study, entrant, dataset = spec.study, spec.entrant, spec.dataset
    origin = provenance(
        device=spec.device,
        precision=spec.precision,
        study_hash=study.hash,
        data_hash=dataset.sha256,
    )
    split = spec.split
    train = to_device(dataset.train_images, dataset.train_labels, split.train, spec.device)
    held_out = to_device(dataset.train_images, dataset.train_labels, split.validation, spec.device)
    model = place(build_entrant(study, entrant, spec.seed, dataset), spec.device)
    history, stopped = fit(
        model,
        entrant.recipe,
        train,
        held_out,
        Streams(study.study_seed, spec.seed, entrant.name),
        pixel_scale=pixel_scale(study.protocol),
        autocast=autocast_for(spec.device, spec.precision),
        on_epoch=on_epoch,
    )
    return finish_trial(spec, model, history, stopped, held_out, origin)


def finish_trial(
    spec: TrialSpec,
    model: nn.Module,
    history: Sequence[Epoch],
    stopped: Stopped,
    held_out: Examples,
    origin: Provenance,
    *,
    contended: bool = False,
) -> Trial:
    """Return what is left of a trained model: its record, with scores unless it diverged."""
    entrant = spec.entrant
    diverged = stopped.reason == "loss not finite"
    record = Record(
        study=spec.study.name,
        entrant=entrant.name,
        architecture=entrant.architecture,
        recipe=entrant.recipe,
        seed=spec.seed,
        status="diverged" if diverged else "complete",
        trouble=f"the loss was not finite in epoch {stopped.epoch}" if diverged else None,
        parameters=count_parameters(model),
        epochs=tuple(history),
        stopped=stopped,
        training_seconds=sum(epoch.seconds for epoch in history),
        contended=contended,
        validation=None,
        test=None,
        cost=None,
        provenance=origin,
    )
    weights = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
    if diverged:
        return Trial(record, weights, predictions={})
    return _evaluated(spec, model, record, weights, held_out)


def to_device(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    chosen: NDArray[np.int64],
    device: torch.device,
) -> Examples:
    """Return the chosen images and labels as tensors on `device`."""
    return Examples(
        torch.from_numpy(images[chosen]).to(device), torch.from_numpy(labels[chosen]).to(device)
    )


def _evaluated(
    spec: TrialSpec,
    model: nn.Module,
    record: Record,
    weights: dict[str, torch.Tensor],
    held_out: Examples,
) -> Trial:
    """Score the trained model: the one place where test data are read."""
    scale = pixel_scale(spec.study.protocol)
    test_labels = spec.dataset.test_labels
    test = to_device(
        spec.dataset.test_images, test_labels, np.arange(len(test_labels)), spec.device
    )
    validation_logits = predict_logits(model, held_out.images, scale).cpu().numpy()
    validation_labels = held_out.labels.cpu().numpy()
    test_logits = predict_logits(model, test.images, scale).cpu().numpy()
    scored = {
        "validation": score(validation_logits, validation_labels),
        "test": score(test_logits, test_labels),
        "cost": measure_cost(model, held_out.images[:1000], scale),
    }
    predictions: dict[str, NDArray[np.float32] | NDArray[np.int64]] = {
        "validation_index": spec.split.validation,
        "validation_logits": validation_logits,
        "validation_labels": validation_labels,
        "test_logits": test_logits,
        "test_labels": test_labels,
    }
    return Trial(record.model_copy(update=scored), weights, predictions)
