"""Is this trial of this study, of these data, in this precision? The one room that answers.

What is foreign gets a complaint, with what to do; its caller names the file. What changes the last
bits of a training alone is listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.data.split import split_of
from bakeoff.records.record import Provenance, Record
from bakeoff.study.study import Study


def foreign_record(record: Record, entrant: str, seed: int, study: Study) -> str | None:
    """Return why a record is not that of this trial of this study."""
    if (record.entrant, record.seed) != (entrant, seed):
        return (
            f"speaks of {record.entrant} seed {record.seed}, not of {entrant} seed {seed}; "
            "move it away"
        )
    return foreign_origin(record.provenance, study_hash=study.hash)


def foreign_origin(
    origin: Provenance,
    *,
    study_hash: str | None = None,
    data_hash: str | None = None,
    precision: str | None = None,
) -> str | None:
    """Return why a trial or checkpoint is of another study, other data or precision than asked.

    None for what is not asked.
    """
    if study_hash not in (None, origin.study_hash):
        return f"belongs to another study ({origin.study_hash[:12]}); move it away"
    if data_hash not in (None, origin.data_hash):
        return "trained on other data; bring those back, or train in another folder"
    if precision not in (None, origin.precision):
        return (
            f"trained in {origin.precision}, not {precision}; "
            f"give --precision {origin.precision} or another --out"
        )
    return None


def foreign_machine(origin: Provenance, here: Provenance) -> str | None:
    """Return why no trial of a run that was begun as `origin` says may be trained `here`."""
    if here.data_hash != origin.data_hash:
        return "other data than the run was begun with; bring those here"
    for name in ("bakeoff", "torch"):
        # Builds of one version for other processors or GPUs are one version.
        theirs, ours = (each.versions.get(name, "").partition("+")[0] for each in (origin, here))
        if theirs != ours:
            return f"{name} {ours}, and the run was begun with {theirs}; install that"
    return None


def foreign_predictions(
    found: Mapping[str, NDArray[Any]], study: Study, seed: int, dataset: Dataset
) -> str | None:
    """Return why predictions are not of the images that the trials of this seed share."""
    validation = split_of(study, seed, dataset).validation
    if not np.array_equal(found["validation_index"], validation):
        return f"trained on another split than seed {seed} has here"
    for part, of, labels in (
        ("validation", "validation part", dataset.train_labels[validation]),
        ("test", "test set", dataset.test_labels),
    ):
        same_labels = np.array_equal(found[f"{part}_labels"], labels)
        if not same_labels or found[f"{part}_logits"].shape[1] != len(dataset.classes):
            return f"predictions are of another {of} than {dataset.name}'s"
    return None


def changed_conditions(then: Provenance, now: Provenance) -> tuple[str, ...]:
    """Return what differs between two processes that may change the last bits of a training."""
    fields = ("device", "cpu", "threads", "platform", "commit")
    pairs = [(name, getattr(then, name), getattr(now, name)) for name in fields]
    pairs += [("kernels", _without_reason(then.kernels), _without_reason(now.kernels))]
    pairs += [("numerics", _listed(then.numerics), _listed(now.numerics))]
    pairs += [
        (name, then.versions.get(name), now.versions.get(name))
        for name in sorted({*then.versions, *now.versions})
    ]
    return tuple(f"{name}: {old} then, {new} now" for name, old, new in pairs if old != new)


def _listed(numerics: tuple[str, ...]) -> str:
    return ", ".join(numerics) or "the usual"


def _without_reason(kernels: str) -> str:
    """Return `PyTorch` for `PyTorch: no C compiler`: why they serve changes no bit."""
    return kernels.partition(":")[0]
