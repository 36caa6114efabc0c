"""One entrant's scores, with intervals that speak of new seeds and new test images."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from bakeoff.comparison.statistics.checks import Floats, Integers, classes, proportion
from bakeoff.comparison.statistics.layout import OF_A_SCORE, Layout, labels_of, layout_of
from bakeoff.comparison.statistics.pivot import critical_distance
from bakeoff.comparison.statistics.resolution import least_seed_part
from bakeoff.comparison.statistics.variance import Strata
from bakeoff.errors import DataError

Population = Literal["new seeds and new test images", "this trained model, new test images"]


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
    predicted: ArrayLike,
    labels: ArrayLike,
    number_of_classes: int,
    confidence: float = 0.95,
    *,
    groups: ArrayLike | None = None,
) -> EntrantScores:
    """Return the scores of one entrant.

    Args:
        predicted: predicted classes, integer [seeds, images], at least one seed.
        labels: true classes, integer [images].
        number_of_classes: classes are 0 .. number_of_classes - 1.
        confidence: of the intervals, between 0 and 1.
        groups: the group of each image, integer [images], where images come in groups: intervals
            are then over new groups.

    Raises:
        DataError: wrong dtype or shape, or a class out of range.

    """
    if number_of_classes < 1:
        raise DataError(f"number_of_classes is {number_of_classes}: give at least 1")
    guess = classes(predicted, "predicted", ("seeds", "images"), number_of_classes)
    truth = labels_of(classes(labels, "labels", ("images",), number_of_classes), guess.shape[1])
    confidence = proportion(confidence, "confidence")
    # Numbers of the smallest kind: all of them are gone through for each class.
    kind = np.min_scalar_type(number_of_classes - 1)
    guess, truth = guess.astype(kind), truth.astype(kind)
    correct = (guess == truth).view(np.int8)
    single = layout_of(len(truth), None, groups, OF_A_SCORE)
    by_class = layout_of(len(truth), truth, groups, OF_A_SCORE)
    return EntrantScores(
        accuracy=_estimate(single.strata.means(correct), correct, single, confidence),
        balanced_accuracy=_estimate(by_class.strata.means(correct), correct, by_class, confidence),
        f1=tuple(_f1(guess, truth, each, single, confidence) for each in range(number_of_classes)),
    )


def mean_accuracy(
    correct: ArrayLike, confidence: float = 0.95, *, groups: ArrayLike | None = None
) -> Estimate:
    """Return the accuracy from boolean [seeds, images], or from one row of shares of right runs."""
    scores = np.asarray(correct)
    scores = scores.view(np.int8) if scores.dtype == np.bool_ else scores
    layout = layout_of(scores.shape[1], None, groups, OF_A_SCORE)
    return _estimate(scores.mean(axis=1), scores, layout, confidence)


def mean_score(
    scores: ArrayLike, confidence: float = 0.95, *, groups: ArrayLike | None = None
) -> Estimate:
    """Return the mean of scores that are not right or wrong, real [seeds, items], in their unit.

    The interval is `mean` +- the critical distance of the error distribution (`pivot`); with one
    seed that of the t distribution over items (or groups).
    """
    values = np.asarray(scores).astype(np.float64)
    layout = layout_of(values.shape[1], None, groups, 0.0)
    mean, by_seed = float(values.mean()), values.mean(axis=1)
    variance, quantile = _spread(by_seed, values, layout, (1 - confidence) / 2)
    reach = quantile * math.sqrt(variance)
    return Estimate(
        mean=mean,
        standard_deviation=None if len(values) == 1 else float(by_seed.std(ddof=1)),
        low=mean - reach,
        high=mean + reach,
        over=_population(len(values)),
    )


def _population(seeds: int) -> Population:
    if seeds == 1:
        return "this trained model, new test images"
    return "new seeds and new test images"


def _spread(
    by_seed: Floats,
    contributions: Floats,
    layout: Layout,
    tail: float,
    least_seed_part: float = 0.0,
) -> tuple[float, float]:
    """Return the squared standard error of mean(by_seed), and the quantile that goes with it."""
    # The spread of right and wrong answers follows from their mean; that of groups is estimated.
    df = layout.groups.degrees_of_freedom if layout.groups else math.inf
    if len(by_seed) == 1:
        # Repeating the row leaves the image part as it is and makes the seed part nothing.
        by_seed, contributions = np.repeat(by_seed, 2), np.repeat(contributions, 2, axis=0)
        variance = layout.crossed_parts(by_seed, contributions).raw_images
        return variance, -float(special.stdtrit(df, tail) if layout.groups else special.ndtri(tail))
    parts = layout.crossed_parts(by_seed, contributions)
    seed_part = max(parts.seeds, least_seed_part)
    variance = seed_part + parts.images
    if variance == 0:
        return 0.0, 0.0
    seed_df = len(by_seed) - 1
    distance = critical_distance(tail, seed_part, lambda _: parts.images, seed_df, None, df)
    return variance, distance / math.sqrt(variance)


def _f1(
    guess: Integers, truth: Integers, which: int, layout: Layout, confidence: float
) -> Estimate | None:
    """Return the F1 of one class, its images' parts by linearisation (delta method).

    F1 of a seed is 2 TP / (2 TP + FP + FN), a ratio of two sums over images. To first order an
    image adds (its 2 TP - F1 * its share of the denominator) / denominator, as for any ratio
    (Takahashi et al. 2022, Appl. Intell. 52:4961-4972 do the same for one seed).
    """
    real = truth == which
    if not real.any():
        return None
    named = guess == which
    if layout.groups is None:
        # Other images add nothing, and need not be gone through.
        there = real | named.any(axis=0)
        real, named = real[there], named[:, there]
        one = Strata(np.zeros(len(real), np.int64), layout.strata.sizes, layout.strata.weights)
        layout = replace(layout, strata=one)
    twice_hits = 2.0 * (named & real)
    mentions = named.astype(np.float64) + real
    totals = mentions.sum(axis=1)
    f1 = twice_hits.sum(axis=1) / totals
    influence = (twice_hits - f1[:, None] * mentions) * (len(truth) / totals)[:, None]
    # F1 rests on the images of its class, so a rule of three counts those alone.
    return _estimate(f1, influence, layout, confidence, int(real.sum()))


def _estimate(
    by_seed: Floats,
    contributions: Floats,
    layout: Layout,
    confidence: float,
    images_that_count: float | None = None,
) -> Estimate:
    seeds, tail = len(by_seed), (1 - confidence) / 2
    # A perfect score must be 1, not the 1.0000000000000007 that sums of fractions leave.
    mean = round(float(by_seed.mean()), 14)
    least = least_seed_part(seeds, layout.strata) if seeds > 1 else 0.0
    variance, quantile = _spread(by_seed, contributions, layout, tail, least)
    if not 0 < mean < 1:
        # Of a mean of 0 or 1 no seed and no image was seen to differ: the number of images (or
        # groups) alone bounds what may.
        quantile = -float(special.ndtri(tail))
    if images_that_count is None:
        images_that_count = 1 / layout.heaviest
    low, high = _wilson(mean, variance, quantile, images_that_count)
    return Estimate(
        mean=mean,
        standard_deviation=None if seeds == 1 else float(by_seed.std(ddof=1)),
        low=low,
        high=high,
        over=_population(seeds),
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
