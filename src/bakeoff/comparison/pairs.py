"""All pairs of entrants: from their trials to the numbers and verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bakeoff.comparison.outcome import EntrantOutcome
from bakeoff.comparison.pair import Flips, Metric, PairComparison
from bakeoff.comparison.statistics.checks import Bools, Integers
from bakeoff.comparison.statistics.crossed import (
    PairedDifference,
    paired_difference,
    paired_difference_of_balanced_accuracy,
)
from bakeoff.comparison.statistics.equivalence import equivalence_p
from bakeoff.comparison.statistics.holm import holm
from bakeoff.comparison.statistics.mcnemar import mcnemar
from bakeoff.comparison.statistics.spending import price, seeds_at_looks
from bakeoff.comparison.statistics.survival import LogRank, log_rank
from bakeoff.comparison.statistics.timing import TimeRatio, time_ratio
from bakeoff.comparison.statistics.variance import one_stratum, strata_of_classes
from bakeoff.comparison.verdict import (
    Evidence,
    Nearness,
    Verdict,
    verdict,
    verdict_of_one_seed,
    verdict_without_seeds,
)
from bakeoff.comparison.words import left_out_text, plan_text


@dataclass(frozen=True)
class Question:
    """What all pairs of a comparison have in common.

    `known_right` is boolean [images], False for images whose label is known to be wrong.
    `earlier` and `reopened` are as in `compare`.
    """

    labels: Integers
    known_right: Bools
    metric: Metric
    confidence: float
    equivalence_margin: float | None
    earlier: Sequence[Mapping[str, frozenset[int]]] = ()
    reopened: str | None = None


def compare_pairs(outcomes: Sequence[EntrantOutcome], question: Question) -> list[PairComparison]:
    """Return the comparison of every pair, each entrant with those after it.

    Holm's correction spans all pairs with at least two seeds in common: once over the tests for a
    difference and once over the tests for equivalence.
    """
    pairs = [(a, b) for place, a in enumerate(outcomes) for b in outcomes[place + 1 :]]
    measured = [_paired(a, b, question) for a, b in pairs]
    tested = [(*pair, each) for pair, each in zip(pairs, measured, strict=True) if each is not None]
    next_evidence = iter(_evidence(tested, question))
    return [
        _comparison(a, b, question, paired, None if paired is None else next(next_evidence))
        for (a, b), paired in zip(pairs, measured, strict=True)
    ]


def _common_seeds(a: EntrantOutcome, b: EntrantOutcome) -> tuple[int, ...]:
    return tuple(sorted(set(a.seeds) & set(b.seeds)))


def _correct(outcome: EntrantOutcome, seeds: Sequence[int], labels: Integers) -> Bools:
    return np.equal(outcome.rows(seeds), labels)


def _paired(a: EntrantOutcome, b: EntrantOutcome, question: Question) -> PairedDifference | None:
    seeds = _common_seeds(a, b)
    if len(seeds) < 2:
        return None
    right_a, right_b = (_correct(each, seeds, question.labels) for each in (a, b))
    if question.metric == "accuracy":
        return paired_difference(right_a, right_b, question.confidence)
    return paired_difference_of_balanced_accuracy(
        right_a, right_b, question.labels, question.confidence
    )


def _evidence(
    tested: Sequence[tuple[EntrantOutcome, EntrantOutcome, PairedDifference]], question: Question
) -> list[Evidence]:
    """Return the p-values of each pair, earlier looks paid for, with Holm's corrections."""
    level, margin = 1 - question.confidence, question.equivalence_margin
    looks = [_looks(a, b, question) for a, b, _ in tested]
    prices = [price(each, level / len(tested)) for each in looks]

    def corrected(p_values: Sequence[float]) -> list[float]:
        return holm([min(p * cost, 1.0) for p, cost in zip(p_values, prices, strict=True)])

    alone = [paired.p_value for _, _, paired in tested]
    nearness: list[Nearness | None] = [None] * len(tested)
    if margin is not None:
        within = [equivalence_p(paired, margin) for _, _, paired in tested]
        nearness = [Nearness(margin, *both) for both in zip(within, corrected(within), strict=True)]
    return [
        Evidence(p_value, p_value_holm, near, len(tested), level, counted, cost)
        for p_value, p_value_holm, near, counted, cost in zip(
            alone, corrected(alone), nearness, looks, prices, strict=True
        )
    ]


def _looks(a: EntrantOutcome, b: EntrantOutcome, question: Question) -> tuple[int, ...]:
    """Return how many seeds the two had in common at each look that counts."""
    nothing: frozenset[int] = frozenset()
    earlier = [look.get(a.name, nothing) & look.get(b.name, nothing) for look in question.earlier]
    return seeds_at_looks(earlier, frozenset(_common_seeds(a, b)))


def _comparison(
    a: EntrantOutcome,
    b: EntrantOutcome,
    question: Question,
    paired: PairedDifference | None,
    evidence: Evidence | None,
) -> PairComparison:
    seeds, lost = _common_seeds(a, b), _lost(a, b)
    right_a, right_b = (_correct(each, seeds, question.labels) for each in (a, b))
    one_seed = None
    if paired is not None and evidence is not None:
        found = verdict(a.name, b.name, paired, evidence)
    elif seeds:
        one_seed = mcnemar(right_a[0], right_b[0], question.confidence)
        found = verdict_of_one_seed(a.name, b.name, one_seed)
    else:
        found = verdict_without_seeds(a.name, b.name)
    if lost:
        found = replace(found, sentence=f"{found.sentence}; {left_out_text(lost)}")
    if question.reopened:
        reopened = f"reopened, looked at before {question.reopened}"
        found = replace(found, sentence=f"{found.sentence}; {reopened}")

    return PairComparison(
        a=a.name,
        b=b.name,
        metric=question.metric,
        seeds=seeds,
        verdict=found,
        what_would_decide=_what_would_decide(found, len(seeds)),
        difference=paired.difference if paired else _point(right_a, right_b, question),
        paired=paired,
        evidence=evidence,
        mcnemar=one_seed,
        accuracy_without_known_wrong=_without_known_wrong(right_a, right_b, question),
        flips=_flips(right_a, right_b) if seeds else None,
        seconds_to_target=_log_rank(a, b, "seconds"),
        epochs_to_target=_log_rank(a, b, "epochs"),
        time_ratio=_time_ratio(a, b, question.confidence),
        notes=tuple(f"seed {seed} is left out of this pair: {why}" for seed, why in lost),
    )


def _point(right_a: Bools, right_b: Bools, question: Question) -> float | None:
    """Return the difference of the one common seed, without any interval."""
    if not len(right_a):
        return None
    by_class = question.metric == "balanced_accuracy"
    labels = question.labels
    strata = strata_of_classes(labels) if by_class else one_stratum(len(labels))
    a, b = (float(strata.means(right.astype(np.float64))[0]) for right in (right_a, right_b))
    return round(a - b, 15)


def _flips(right_a: Bools, right_b: Bools) -> Flips:
    """Return the images where, in more than half of the seeds, one is right and the other wrong."""
    only_a, only_b = (
        np.flatnonzero((mine & ~other).sum(axis=0) > len(mine) / 2)
        for mine, other in ((right_a, right_b), (right_b, right_a))
    )
    return Flips(only_a=only_a, only_b=only_b)


def _without_known_wrong(
    right_a: Bools, right_b: Bools, question: Question
) -> PairedDifference | None:
    kept = question.known_right
    if len(right_a) < 2 or kept.all() or not kept.any():
        return None
    return paired_difference(right_a[:, kept], right_b[:, kept], question.confidence)


def _what_would_decide(found: Verdict, seeds: int) -> str | None:
    if found.plan is not None:
        return plan_text(found.plan)
    if seeds < 2:
        return "at least two seeds, better five, that both complete"
    return None


def _log_rank(
    a: EntrantOutcome, b: EntrantOutcome, unit: Literal["seconds", "epochs"]
) -> LogRank | None:
    if a.target is None or b.target is None or a.target.score != b.target.score:
        return None
    if not len(a.target.reached) or not len(b.target.reached):
        return None
    of_a, of_b = a.target.told(unit), b.target.told(unit)
    return log_rank(*of_a, *of_b) if len(of_a[0]) and len(of_b[0]) else None


def _time_ratio(a: EntrantOutcome, b: EntrantOutcome, confidence: float) -> TimeRatio | None:
    if a.seconds_per_example is None or b.seconds_per_example is None:
        return None
    return time_ratio(a.seconds_per_example, b.seconds_per_example, confidence)


def _lost(a: EntrantOutcome, b: EntrantOutcome) -> list[tuple[int, str]]:
    """Return the seed of each trial that cannot take part, and whose it is and why."""
    found = []
    for mine, other in ((a, b), (b, a)):
        named = {trial.seed: trial.reason for trial in mine.left_out}
        named |= {seed: "missing" for seed in other.seeds if seed not in {*mine.seeds, *named}}
        found += [
            (seed, f"{mine.name} {why.replace('_', ' ')}") for seed, why in sorted(named.items())
        ]
    return found
