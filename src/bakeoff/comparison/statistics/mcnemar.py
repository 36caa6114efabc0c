"""Two trained models on one test set: the exact McNemar test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from bakeoff.comparison.statistics.checks import correct_pair, proportion


@dataclass(frozen=True)
class McNemar:
    """What two trained models' answers say of these two models on new test images.

    It says nothing of the architectures: another seed would give other models.

    Attributes:
        only_a, only_b: images that only a, or only b, gets right.
        images: how many in all.
        difference: accuracy of a minus accuracy of b, a proportion.
        low, high: interval at `confidence` for it, over new test images.
        p_value: exact and two-sided; the null is that either model alone is right equally often.
        confidence: of the interval.

    """

    only_a: int
    only_b: int
    images: int
    difference: float
    low: float
    high: float
    p_value: float
    confidence: float


def mcnemar(correct_a: ArrayLike, correct_b: ArrayLike, confidence: float = 0.95) -> McNemar:
    """Return the exact McNemar test (1947, Psychometrika 12:153-157) for two trained models.

    Where the models agree, nothing is learnt of their difference; of the images on which one alone
    is right, under the null each model has half: a binomial test. The interval is that of Bonett &
    Price (2012, J. Educ. Behav. Stat. 37:479-488): one image is added to each of the two counts,
    so that no disagreement at all still leaves room for a small difference.

    Args:
        correct_a: boolean [images], True where model a is right.
        correct_b: the same of model b.
        confidence: of the interval, between 0 and 1.

    Raises:
        DataError: wrong dtype or shape.

    """
    a, b = correct_pair(correct_a, correct_b, ("images",))
    images = len(a)
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())

    share_a, share_b = (only_a + 1) / (images + 2), (only_b + 1) / (images + 2)
    centre = share_a - share_b
    variance = (share_a + share_b - centre**2) / (images + 2)
    reach = float(
        -special.ndtri((1 - proportion(confidence, "confidence")) / 2) * np.sqrt(variance)
    )
    difference = (only_a - only_b) / images
    return McNemar(
        only_a=only_a,
        only_b=only_b,
        images=images,
        difference=difference,
        # The two images added pull the centre to zero, at a low confidence away from what was seen.
        low=min(max(centre - reach, -1.0), difference),
        high=max(min(centre + reach, 1.0), difference),
        # Both tails of the binomial; without a disagreement nothing is learnt.
        p_value=min(1.0, 2 * float(special.bdtr(min(only_a, only_b), only_a + only_b, 0.5))),
        confidence=confidence,
    )
