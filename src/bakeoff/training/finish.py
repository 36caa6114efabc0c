"""The end of a trial, however it ended: its record, with scores where the training was whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bakeoff.networks.known import network_of
from bakeoff.records.limits import LARGEST_NUMBER
from bakeoff.records.record import Cost, Epoch, Given, Provenance, Record, Scores, Stopped
from bakeoff.training.fit import Examples
from bakeoff.training.predict import predict_logits
from bakeoff.training.scores import score
from bakeoff.training.trial import Trial, TrialSpec


def unscored(
    spec: TrialSpec,
    history: Sequence[Epoch],
    stopped: Stopped,
    origin: Provenance,
) -> Record:
    """Return the record of a training, without scores."""
    return Record(
        study=spec.study.name,
        entrant=spec.entrant.name,
        architecture=spec.entrant.architecture,
        recipe=spec.entrant.recipe,
        seed=spec.seed,
        status="complete",
        parameters=spec.size.parameters,
        trained_parameters=spec.size.trained,
        given=_given(spec),
        epochs=tuple(history),
        stopped=stopped,
        training_seconds=sum(epoch.seconds for epoch in history),
        validation=None,
        test=None,
        cost=None,
        provenance=origin,
    )


def _given(spec: TrialSpec) -> Given | None:
    given = network_of(*spec.entrant.network).given
    if given is None:
        return None
    return Given(origin=given.origin, sha256=given.sha256, anew=spec.size.anew)


def finish_trial(spec: TrialSpec, model: nn.Module, record: Record, held_out: Examples) -> Trial:
    """Return what is left of a trained model: its record, with scores unless it diverged.

    It may turn out here: weights that nothing depends on any more can be of any size, and the test
    images may lead to numbers that the validation images did not.
    """
    weights = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
    stopped = record.stopped
    trouble = _trouble(stopped, weights)
    if trouble is None:
        try:
            return _evaluated(spec, model, record, weights, held_out)
        except FloatingPointError as error:
            trouble = f"{error} after epoch {stopped.epoch}"
    if not stopped.diverged:
        stopped = Stopped(epoch=stopped.epoch, reason="numbers too large")
    update = {"status": "diverged", "trouble": trouble, "stopped": stopped}
    return Trial(record.model_copy(update=update), weights, predictions={})


def _trouble(stopped: Stopped, weights: Mapping[str, torch.Tensor]) -> str | None:
    """Return what a training came to that says nothing, or None where it can be scored."""
    epoch = f"epoch {stopped.epoch}"
    if stopped.step is not None:
        return f"the loss was not finite in {epoch}, step {stopped.step}"
    if stopped.reason == "loss not finite":
        return f"the validation loss was not finite in {epoch}"
    if stopped.diverged:
        return f"the loss was above {LARGEST_NUMBER:g} in {epoch}"
    if not all(bool((value.abs() < LARGEST_NUMBER).all()) for value in weights.values()):
        return f"weights were above {LARGEST_NUMBER:g} after {epoch}"
    return None


def ended_by_memory(record: Record) -> Trial:
    """Return what is left of a trial for which the memory was too small.

    Where the training was at its end, and the evaluation was not, `stopped` is its last epoch.
    """
    epoch = record.stopped.epoch
    evaluated = epoch == len(record.epochs)
    trouble = f"evaluation after epoch {epoch}" if evaluated else f"epoch {epoch}"
    update = {"status": "out_of_memory", "trouble": f"the memory was used up in {trouble}"}
    return Trial(record.model_copy(update=update), weights={}, predictions={})


def _evaluated(
    spec: TrialSpec,
    model: nn.Module,
    record: Record,
    weights: dict[str, torch.Tensor],
    held_out: Examples,
) -> Trial:
    """Score the trained model: the one place where test data are read.

    Raises FloatingPointError where its logits can't be scored.
    """
    test, test_labels = spec.test_examples(), spec.dataset.test_labels
    validation_logits = (
        predict_logits(model, held_out.images, spec.pixels, held_out.rows).cpu().numpy()
    )
    validation_labels = held_out.labels.cpu().numpy()
    test_logits = predict_logits(model, test.images, spec.pixels).cpu().numpy()
    scored = {
        "validation": _scored("validation", validation_logits, validation_labels),
        "test": _scored("test", test_logits, test_labels),
        "cost": Cost(multiply_adds_per_image=spec.size.multiply_adds_per_image),
    }
    predictions: dict[str, NDArray[np.float32] | NDArray[np.int64]] = {
        "validation_index": spec.split.validation,
        "validation_logits": validation_logits,
        "validation_labels": validation_labels,
        "test_logits": test_logits,
        "test_labels": test_labels,
    }
    return Trial(record.model_copy(update=scored), weights, predictions)


def _scored(part: str, logits: NDArray[np.float32], labels: NDArray[np.int64]) -> Scores:
    try:
        return score(logits, labels)
    except FloatingPointError as error:
        raise FloatingPointError(f"the {part} {error}") from error
