"""The split of the training images into those that train and those that validate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import StudyError
from bakeoff.seeds import derive_seed


@dataclass(frozen=True)
class Split:
    """Indices into the training images; together they are all of them."""

    train: NDArray[np.int64]
    """[n - validation_examples], ascending."""
    validation: NDArray[np.int64]
    """[validation_examples], ascending."""


def split_examples(
    examples: int, validation_examples: int, *, study_seed: int, trial_seed: int
) -> Split:
    """Return a random split that every entrant of one trial seed shares.

    Raises StudyError where nothing would be left to train on.
    """
    if not 0 < validation_examples < examples:
        raise StudyError(
            f"protocol.validation_examples: {validation_examples:,} of {examples:,} examples; "
            f"give a number from 1 to {examples - 1:,}"
        )
    seed = derive_seed("split", study_seed=study_seed, trial_seed=trial_seed)
    shuffled = np.random.default_rng(seed).permutation(examples)
    validation, train = np.split(shuffled, [validation_examples])
    return Split(train=np.sort(train), validation=np.sort(validation))
