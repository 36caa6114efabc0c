"""One entrant's scores, with intervals that speak of new seeds and new test images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from bakeoff.comparison.statistics.checks import Floats, Integers, classes, proportion
from bakeoff.comparison.statistics.crossed import labels_of
from bakeoff.comparison.statistics.pivot import critical_distance
from bakeoff.comparison.statistics.resolution import least_seed_part
from bakeoff.comparison.statistics.variance import (
    Strata,
    crossed_parts,
    one_stratum,
    strata_of_classes,
)
from bakeoff.errors import DataError

Population = Literal["new seeds and new test images", "this trained model, new test images"]

# A score that is right or wrong varies most when half are right.
LARGEST_VARIANCE = 0.25


@dataclass(frozen=True)
class Estimate:
    """A score of an entrant: a proportion in [0, 1].

    Attributes:
        mean: over the seeds.
        standard_deviation: over the seeds (n - 1); None with one seed.
        low, high: interval for the mean, at the confidence asked for.
        over: the population that the interval speaks of. With one seed it cannot speak of the
            entrant, only of the one trained model.

    """

    mean: float
    standard_deviation: float | None
    low: float
    high: float
    over: Population


@dataclass(frozen=True)
class EntrantScores:
    """Accuracy, balanced accuracy and the F1 of each class; None for a class not in the labels."""

    accuracy: Estimate
    balanced_accuracy: Estimate
    f1: tuple[Estimate | None, ...]


def entrant_scores(
    predicted: ArrayLike, labels: ArrayLike, number_of_classes: int, confidence: float = 0.95
) -> EntrantScores:
    """Return the scores of one entrant.

    Args:
        predicted: predicted classes, integer [seeds, images], at least one seed.
        labels: true classes, integer [images].
        number_of_classes: classes are 0 .. number_of_classes - 1.
        confidence: of the intervals, between 0 and 1.

    Raises:
        DataError: wrong dtype or shape, or a class out of range.

    """
    if number_of_classes < 1:
        raise DataError(f"number_of_classes is {number_of_classes}: give at least 1")
    guess = classes(predicted, "predicted", ("seeds", "images"), number_of_classes)
    truth = labels_of(classes(labels, "labels", ("images",), number_of_classes), guess.shape[1])
    confidence = proportion(confidence, "confidence")
    correct = (guess == truth).astype(np.float64)
    single, by_class = one_stratum(len(truth)), strata_of_classes(truth)
    return EntrantScores(
        accuracy=_estimate(single.means(correct), correct, single, confidence),
        balanced_accuracy=_estimate(by_class.means(correct), correct, by_class, confidence),
        f1=tuple(_f1(guess, truth, each, confidence) for each in range(number_of_classes)),
    )


def mean_accuracy(correct: ArrayLike, confidence: float = 0.95) -> Estimate:
    """Return the accuracy from boolean [seeds, images]."""
    scores = np.asarray(correct).astype(np.float64)
    return _estimate(scores.mean(axis=1), scores, one_stratum(scores.shape[1]), confidence)


def mean_score(scores: ArrayLike, confidence: float = 0.95) -> Estimate:
    """Return the mean of scores that are not right or wrong, real [seeds, items], in their unit.

    The interval is `mean` +- the critical distance of the error distribution (`pivot`); with one
    seed that of the t distribution over items.
    """
    values = np.asarray(scores).astype(np.float64)
    seeds, items = values.shape
    strata = one_stratum(items)
    tail, mean = (1 - confidence) / 2, float(values.mean())
    by_seed = values.mean(axis=1)
    if seeds == 1:
        spread = float(values.std(ddof=1)) / math.sqrt(items) if items > 1 else 0.0
        reach = -float(special.stdtrit(max(items - 1, 1), tail)) * spread
    else:
        parts = crossed_parts(by_seed, values, strata, 0.0)
        reach = 0.0
        if parts.seeds + parts.images > 0:
            reach = critical_distance(tail, parts.seeds, lambda _: parts.images, seeds - 1)
    return Estimate(
        mean=mean,
        standard_deviation=None if seeds == 1 else float(by_seed.std(ddof=1)),
        low=mean - reach,
        high=mean + reach,
        over=(
            "this trained model, new test images" if seeds == 1 else "new seeds and new test images"
        ),
    )


def _f1(guess: Integers, truth: Integers, which: int, confidence: float) -> Estimate | None:
    """Return the F1 of one class, its images' parts by linearisation (delta method).

    F1 of a seed is 2 TP / (2 TP + FP + FN), a ratio of two sums over images. To first order an
    image adds (its 2 TP - F1 * its share of the denominator) / denominator, as for any ratio
    (Takahashi et al. 2022, Appl. Intell. 52:4961-4972 do the same for one seed).
    """
    real = truth == which
    if not real.any():
        return None
    named = guess == which
    twice_hits = 2.0 * (named & real)
    mentions = named.astype(np.float64) + real
    totals = mentions.sum(axis=1)
    f1 = twice_hits.sum(axis=1) / totals
    images = len(truth)
    influence = (twice_hits - f1[:, None] * mentions) * (images / totals)[:, None]
    # F1 rests on the images of its class, so a rule of three counts those alone.
    return _estimate(f1, influence, one_stratum(images), confidence, int(real.sum()))


def _estimate(
    by_seed: Floats,
    contributions: Floats,
    strata: Strata,
    confidence: float,
    images_that_count: float | None = None,
) -> Estimate:
    seeds = len(by_seed)
    # A perfect score must be 1, not the 1.0000000000000007 that sums of fractions leave.
    mean = round(float(by_seed.mean()), 14)
    tail = (1 - confidence) / 2
    quantile = float(-special.ndtri(tail))
    if seeds == 1:
        # Repeating the row leaves the image part as it is and makes the seed part nothing.
        by_seed, contributions = np.repeat(by_seed, 2), np.repeat(contributions, 2, axis=0)
        variance = crossed_parts(by_seed, contributions, strata, LARGEST_VARIANCE).raw_images
    else:
        parts = crossed_parts(by_seed, contributions, strata, LARGEST_VARIANCE)
        seed_part = max(parts.seeds, least_seed_part(seeds, strata))
        variance = seed_part + parts.images
        # Of a mean of 0 or 1 no seed and no image was seen to differ: the number of images alone
        # bounds what may.
        if 0 < mean < 1:
            distance = critical_distance(tail, seed_part, lambda _: parts.images, seeds - 1)
            quantile = distance / math.sqrt(variance)
    if images_that_count is None:
        images_that_count = 1 / strata.heaviest_image
    low, high = _wilson(mean, variance, quantile, images_that_count)
    return Estimate(
        mean=mean,
        standard_deviation=None if seeds == 1 else float(by_seed.std(ddof=1)),
        low=low,
        high=high,
        over=(
            "this trained model, new test images" if seeds == 1 else "new seeds and new test images"
        ),
    )


def _wilson(
    mean: float, variance: float, quantile: float, images_that_count: float
) -> tuple[float, float]:
    """Return Wilson's (1927, JASA 22:209-212) interval at the effective number of images.

    That is the number of independent images whose binomial variance would be `variance`, as with
    proportions from surveys (Korn & Graubard 1998, Surv. Methodol. 24:193-201). The interval stays
    within [0, 1] and does not shrink to nothing at a perfect score, where the images themselves are
    counted.
    """
    binomial = mean * (1 - mean)
    number = binomial / variance if binomial > 1e-12 and variance > 0 else images_that_count
    pull = quantile**2 / number
    centre = (mean + pull / 2) / (1 + pull)
    reach = quantile * float(np.sqrt(binomial / number + pull / (4 * number))) / (1 + pull)
    # At a mean of 0 or 1 the end is that mean; rounding must not move it past.
    return min(max(centre - reach, 0.0), mean), max(min(centre + reach, 1.0), mean)
