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
    """[train_examples], ascending."""
    validation: NDArray[np.int64]
    """[validation_examples], ascending."""


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
    left = examples - validation_examples
    if train_examples is not None and train_examples > left:
        raise StudyError(
            f"protocol.train_examples: {train_examples:,} of {left:,} that validation leaves; "
            f"give a number from 1 to {left:,}"
        )
    seed = derive_seed("split", study_seed=study_seed, trial_seed=trial_seed)
    shuffled = np.random.default_rng(seed).permutation(examples)
    validation, train = np.split(shuffled, [validation_examples])
    return Split(train=np.sort(train[:train_examples]), validation=np.sort(validation))


def split_of(study: Study, seed: int, dataset: Dataset) -> Split:
    """Return the split of a trial seed; raise StudyError where there are not enough examples."""
    return split_examples(
        len(dataset.train_images),
        study.protocol.validation_examples,
        study.protocol.train_examples,
        study_seed=study.study_seed,
        trial_seed=seed,
    )
