"""Small studies, records and data sets that never were, for tests to change one thing in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Cost, Epoch, Provenance, Record, Scores, Stopped
from bakeoff.runners.listener import PlannedTrial
from bakeoff.runners.plan import plan_trials
from bakeoff.study.protocol import Protocol
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Entrant, Study
from bakeoff.training.scores import score
from bakeoff.training.size import NetworkSize, network_sizes, size_of
from bakeoff.training.trial import TrialSpec


def entrant(
    name: str = "linear", architecture: str = "logistic-regression", **recipe: Any
) -> Entrant:
    return Entrant(name=name, architecture=architecture, recipe=Recipe(**recipe))


def study(*entrants: Entrant, dataset: str = "digits", validation: int = 297, **keys: Any) -> Study:
    return Study(
        name="tiny",
        protocol=Protocol(dataset=dataset, validation_examples=validation),
        entrants=entrants or (entrant(),),
        **keys,
    )


def scores(value: float, classes: int = 3) -> Scores:
    return Scores(
        loss=1 - value,
        accuracy=value,
        balanced_accuracy=value,
        precision=(value,) * classes,
        recall=(value,) * classes,
        f1=(value,) * classes,
        confusion=((1,) * classes,) * classes,
    )


def epoch(number: int, **keys: Any) -> Epoch:
    values = {"train_loss": 0.5, "validation_loss": 0.4, "validation_accuracy": 0.9, "seconds": 1.5}
    return Epoch(epoch=number, **(values | keys))


def provenance(study_hash: str) -> Provenance:
    return Provenance(
        versions={"bakeoff": "0"},
        commit=None,
        device="cpu",
        cpu="none",
        threads=1,
        precision="float32",
        platform="none",
        study_hash=study_hash,
        data_hash="0" * 64,
        started="2025-01-01T00:00:00+00:00",
    )


def record(of: Study, name: str, seed: int = 0, value: float = 0.5, **keys: Any) -> Record:
    one = of.entrant(name)
    content: dict[str, Any] = {
        "study": of.name,
        "entrant": name,
        "architecture": one.architecture,
        "recipe": one.recipe,
        "seed": seed,
        "status": "complete",
        "parameters": 100,
        "epochs": (epoch(1), epoch(2)),
        "stopped": Stopped(epoch=2, reason="budget used"),
        "training_seconds": 3.0,
        "validation": scores(value),
        "test": scores(value / 2),
        "cost": Cost(multiply_adds_per_image=90),
        "provenance": provenance(of.hash),
    }
    return Record(**(content | keys))


def scored(made: Record, predictions: Mapping[str, NDArray[Any]]) -> Record:
    """Return a record with the scores that its predictions have."""
    parts = {
        part: score(predictions[f"{part}_logits"], predictions[f"{part}_labels"])
        for part in ("validation", "test")
    }
    return made.model_copy(update=parts)


WEIGHTS = {"weight": torch.zeros(100)}
"""As many as `record` speaks of."""


def whole(
    of: Study, name: str, seed: int = 0
) -> tuple[Record, dict[str, torch.Tensor], dict[str, NDArray[Any]]]:
    """Return a complete trial, as a run folder takes it."""
    labels = np.arange(3)
    logits = np.eye(3, dtype=np.float32)
    predictions: dict[str, NDArray[Any]] = {"validation_index": labels}
    for part in ("validation", "test"):
        predictions |= {f"{part}_logits": logits, f"{part}_labels": labels}
    return scored(record(of, name, seed), predictions), WEIGHTS, predictions


def diverged(of: Study, name: str, seed: int = 0) -> Record:
    return record(
        of,
        name,
        seed,
        status="diverged",
        trouble="the loss was not finite in epoch 1",
        epochs=(),
        stopped=Stopped(epoch=1, reason="loss not finite"),
        training_seconds=0.0,
        validation=None,
        test=None,
        cost=None,
    )


def out_of_memory(of: Study, name: str, seed: int = 0) -> Record:
    return diverged(of, name, seed).model_copy(
        update={
            "status": "out_of_memory",
            "trouble": "the memory was used up in epoch 1",
            "stopped": Stopped(epoch=1, reason="out of memory"),
        }
    )


def planned(of: Entrant, seed: int = 0) -> PlannedTrial:
    """Return a trial of a network with 650 weights."""
    return PlannedTrial(of, seed, NetworkSize(650, 4 * 650, 640), work_per_epoch=1e6)


def plan(folder: RunFolder, dataset: Dataset) -> list[PlannedTrial]:
    return plan_trials(folder, dataset, network_sizes(folder.study, dataset))


def trial_spec(
    asked: Study, of: Entrant, seed: int, dataset: Dataset, device: torch.device, precision: str
) -> TrialSpec:
    size = size_of(of.architecture, dataset.image_shape, len(dataset.classes))
    return TrialSpec(asked, of, seed, dataset, device, precision, size)


def first_of(whole: Dataset, train: int, test: int) -> Dataset:
    """Return the data set cut down to its first examples."""
    return Dataset(
        name=whole.name,
        classes=whole.classes,
        train_images=np.array(whole.train_images[:train]),
        train_labels=whole.train_labels[:train],
        test_images=np.array(whole.test_images[:test]),
        test_labels=whole.test_labels[:test],
    )
