"""The split of the training images into those that train and those that validate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.errors import StudyError
from bakeoff.study.seeds import derive_seed
from bakeoff.study.study import Study


@dataclass(frozen=True)
class Split:
    """Indices into the training images; no image is in both."""

    train: NDArray[np.int64]
    """Ascending."""
    validation: NDArray[np.int64]
    """Ascending."""


def split_examples(
    examples: int,
    validation_examples: int,
    train_examples: int | None = None,
    *,
    study_seed: int,
    trial_seed: int,
) -> Split:
    """Return a random split that every entrant of one trial seed shares.

    What validation leaves trains, or `train_examples` of it. The validation part does not depend
    on `train_examples`. Raises StudyError where there are not enough examples.
    """
    if not 0 < validation_examples < examples:
        raise StudyError(
            f"protocol.validation_examples: {validation_examples:,} of {examples:,} examples; "
            f"give a number from 1 to {examples - 1:,}"
        )
    seed = derive_seed("split", study_seed=study_seed, trial_seed=trial_seed)
    shuffled = np.random.default_rng(seed).permutation(examples)
    validation, train = np.split(shuffled, [validation_examples])
    return _split(train, validation, train_examples)


def split_stratified(
    labels: NDArray[np.int64],
    groups: NDArray[np.int64] | None,
    validation: float,
    train_examples: int | None = None,
    *,
    study_seed: int,
    trial_seed: int,
) -> Split:
    """Return a random split with the same share of each class in both parts, and no group divided.

    labels: int64 [n]; groups: int64 [n], or None where each example stands alone; validation: a
    share below 1, or a number. A group counts for the class of the first of its examples that was
    drawn, so with groups the shares are nearly the same. Raises StudyError where there are not
    enough examples.
    """
    examples = validation if validation >= 1 else max(round(validation * len(labels)), 1)
    if examples >= len(labels):
        raise StudyError(
            f"protocol.validation: {validation:,} of {len(labels):,} examples; give a share, or a "
            f"number from 1 to {len(labels) - 1:,}"
        )
    seed = derive_seed("split", study_seed=study_seed, trial_seed=trial_seed)
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    validates = _drawn(labels[shuffled], None if groups is None else groups[shuffled], examples)
    if validates.all() or not validates.any():
        raise StudyError(
            f"protocol.validation: {validation:,} of {len(labels):,} examples leaves no group to "
            "train on, or none to validate on; give another share"
        )
    return _split(shuffled[~validates], shuffled[validates], train_examples)


def _drawn(
    labels: NDArray[np.int64], groups: NDArray[np.int64] | None, examples: float
) -> NDArray[np.bool_]:
    """Return which of the shuffled examples validate: the first groups of each class."""
    if groups is None:
        groups = np.arange(len(labels))
    _, first, group, sizes = np.unique(
        groups, return_index=True, return_inverse=True, return_counts=True
    )
    chosen: NDArray[np.bool_] = np.zeros(len(first), dtype=np.bool_)
    wanted = class_quotas(np.bincount(labels), examples)
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels[first] == label)
        of_class = of_class[np.argsort(first[of_class])]
        taken_before = np.cumsum(sizes[of_class]) - sizes[of_class]
        chosen[of_class[taken_before < wanted[label]]] = True
    return chosen[group]


def class_quotas(counts: NDArray[np.int64], examples: float) -> NDArray[np.int64]:
    """Share `examples` out in proportion to the counts; what is left goes to the largest rests."""
    shares = counts * (examples / counts.sum())
    quotas: NDArray[np.int64] = np.floor(shares).astype(np.int64)
    largest_rests = np.argsort(quotas - shares, kind="stable")
    quotas[largest_rests[: round(examples - quotas.sum())]] += 1
    return quotas


def _split(
    train: NDArray[np.int64], validation: NDArray[np.int64], train_examples: int | None
) -> Split:
    """Return the split, with `train_examples` of those that train."""
    if train_examples is not None and train_examples > len(train):
        left = len(train)
        raise StudyError(
            f"protocol.train_examples: {train_examples:,} of {left:,} that validation leaves; "
            f"give a number from 1 to {left:,}"
        )
    return Split(train=np.sort(train[:train_examples]), validation=np.sort(validation))


def split_of(study: Study, seed: int, dataset: Dataset) -> Split:
    """Return the split of a trial seed; raise StudyError where there are not enough examples."""
    protocol, labels = study.protocol, dataset.train_labels
    train_examples = protocol.train_examples
    seeds = {"study_seed": study.study_seed, "trial_seed": seed}
    if protocol.validation_examples is not None:
        return split_examples(len(labels), protocol.validation_examples, train_examples, **seeds)
    share = protocol.validation or 0.0  # One of the two is given.
    return split_stratified(labels, dataset.train_groups, share, train_examples, **seeds)
