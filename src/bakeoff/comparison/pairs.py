"""All pairs of entrants: from their trials to the numbers and verdicts."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bakeoff.comparison.judged import Judged, difference_of_models, difference_with
from bakeoff.comparison.outcome import EntrantOutcome, common_seeds, in_order
from bakeoff.comparison.pair import Flips, PairComparison
from bakeoff.comparison.requirement import Asked, Requirement
from bakeoff.comparison.scale import Scale
from bakeoff.comparison.statistics.checks import Bools, Integers
from bakeoff.comparison.statistics.crossed import PairedDifference, crossed_difference
from bakeoff.comparison.statistics.equivalence import equivalence_p
from bakeoff.comparison.statistics.holm import holm
from bakeoff.comparison.statistics.interval import Interval
from bakeoff.comparison.statistics.layout import Layout
from bakeoff.comparison.statistics.mcnemar import McNemar, mcnemar
from bakeoff.comparison.statistics.over_items import OverItems, over_items
from bakeoff.comparison.statistics.spending import price, seeds_at_looks
from bakeoff.comparison.statistics.survival import LogRank, log_rank
from bakeoff.comparison.statistics.timing import TimeRatio, time_ratio
from bakeoff.comparison.verdict import (
    Evidence,
    Nearness,
    Verdict,
    alone_right,
    verdict,
    verdict_of_one_score,
    verdict_of_one_seed,
    verdict_untested,
    verdict_without_seeds,
)
from bakeoff.comparison.words import left_out_text, plan_text
from bakeoff.errors import UsageError, did_you_mean

About = Literal["architectures", "models"]
Seeds = tuple[int | str, ...]


@dataclass(frozen=True)
class Question:
    """What all pairs of a comparison have in common.

    `labels` and `groups` are integer [images], `layout` is that of the items under the metric,
    `plain_layout` that of accuracy, on the items that are not known to be labelled wrong
    (`known_right`, boolean [images]). The rest is as in `compare`.
    """

    labels: Integers | None
    groups: Integers | None
    layout: Layout
    plain_layout: Layout
    known_right: Bools
    scale: Scale
    about: About
    baseline: str | None
    confidence: float
    equivalence_margin: float | None
    items: str
    earlier: Sequence[Mapping[str, frozenset[int | str]]] = ()
    reopened: str | None = None

    def tests(self, a: Judged, b: Judged) -> bool:
        """Return whether the two are tested, not only described."""
        return self.baseline is None or self.baseline in (a.outcome.name, b.outcome.name)


def compare_pairs(entrants: Sequence[Judged], question: Question) -> list[PairComparison]:
    """Return the comparison of every pair, each entrant with those after it.

    Holm's correction spans all pairs that can be tested and are (with the baseline, if there is
    one): once over the tests for a difference, once over the tests for equivalence, and once over
    McNemar's tests of pairs of trained models where one seed is in common.
    """
    pairs = [(a, b) for place, a in enumerate(entrants) for b in entrants[place + 1 :]]
    measured = [analysis(a, b, question) if question.tests(a, b) else None for a, b in pairs]
    tested = [(*pair, each) for pair, each in zip(pairs, measured, strict=True) if each is not None]
    next_evidence = iter(_evidence(tested, question))
    single = [_mcnemar_of_a_seed(a, b, question) for a, b in pairs]
    differ = _trained_models_that_differ(pairs, single, question)
    return [
        _comparison(
            a,
            b,
            question,
            found,
            None if found is None else next(next_evidence),
            one_seed,
            trained_differ,
        )
        for (a, b), found, one_seed, trained_differ in zip(
            pairs, measured, single, differ, strict=True
        )
    ]


def _trained_models_that_differ(
    pairs: Sequence[tuple[Judged, Judged]], single: Sequence[McNemar | None], question: Question
) -> list[bool]:
    """Return, for each pair, whether McNemar's test shows it of the two after Holm's correction."""
    tested = [
        one_seed is not None and question.tests(a, b)
        for (a, b), one_seed in zip(pairs, single, strict=True)
    ]
    adjusted = iter(holm([each.p_value for each in itertools.compress(single, tested) if each]))
    return [each and next(adjusted) < 1 - question.confidence for each in tested]


def analysis(a: Judged, b: Judged, question: Question) -> PairedDifference | OverItems | None:
    """Return what a minus b says of what the question is about; None where it cannot say that."""
    if question.about == "models":
        if not _both_ran(a, b):
            return None
        runs = (len(a.outcome.seeds), len(b.outcome.seeds))
        found = difference_of_models(a, b)
        return over_items(found, question.layout, runs, question.confidence)
    seeds = common_seeds(a.outcome, b.outcome)
    if len(seeds) < 2:
        return None
    return crossed_difference(difference_with(a, b, seeds), question.layout, question.confidence)


def _both_ran(a: Judged, b: Judged) -> bool:
    return bool(a.outcome.seeds and b.outcome.seeds)


def asked(requirement: Requirement, entrants: Sequence[Judged], question: Question) -> Asked:
    """Return a requirement with what is known of its two entrants.

    Raises:
        UsageError: one that names no entrant.

    """
    named = {each.outcome.name: each for each in entrants}
    for name in (requirement.a, requirement.b):
        if name not in named:
            raise UsageError(
                f"{requirement.text!r} names no entrant {name!r}; {did_you_mean(name, named)}"
            )
    a, b = named[requirement.a], named[requirement.b]
    looks = _looks(a, b, question)
    found = analysis(a, b, question)
    return Asked(requirement, found, looks, price(looks, 1 - question.confidence))


def _evidence(
    tested: Sequence[tuple[Judged, Judged, PairedDifference | OverItems]], question: Question
) -> list[Evidence]:
    """Return the p-values of each pair, earlier looks paid for, with Holm's corrections."""
    level, margin = 1 - question.confidence, question.equivalence_margin
    looks = [_looks(a, b, question) for a, b, _ in tested]
    prices = [price(each, level / len(tested)) for each in looks]

    def corrected(p_values: Sequence[float]) -> list[float]:
        return holm([min(p * cost, 1.0) for p, cost in zip(p_values, prices, strict=True)])

    alone = [found.p_value for _, _, found in tested]
    nearness: list[Nearness | None] = [None] * len(tested)
    if margin is not None:
        within = [equivalence_p(found, margin) for _, _, found in tested]
        nearness = [Nearness(margin, *both) for both in zip(within, corrected(within), strict=True)]
    return [
        Evidence(p_value, p_value_holm, near, len(tested), level, counted, cost)
        for p_value, p_value_holm, near, counted, cost in zip(
            alone, corrected(alone), nearness, looks, prices, strict=True
        )
    ]


def _looks(a: Judged, b: Judged, question: Question) -> tuple[int, ...]:
    """Return how many seeds the two had in common at each look that counts.

    Of models that are there, more seeds are other models, and a first look.
    """
    if question.about == "models":
        return ()
    nothing: frozenset[int | str] = frozenset()
    earlier = [
        look.get(a.outcome.name, nothing) & look.get(b.outcome.name, nothing)
        for look in question.earlier
    ]
    return seeds_at_looks(earlier, frozenset(common_seeds(a.outcome, b.outcome)))


def _comparison(
    a: Judged,
    b: Judged,
    question: Question,
    found: PairedDifference | OverItems | None,
    evidence: Evidence | None,
    one_seed: McNemar | None,
    trained_differ: bool,
) -> PairComparison:
    seeds = common_seeds(a.outcome, b.outcome)
    lost = _lost(a.outcome, b.outcome) if question.about == "architectures" else []
    difference = found.difference if found else _point(a, b, seeds, question)
    said = _verdict(a, b, question, found, evidence, difference, one_seed, trained_differ)
    if evidence and len(a.outcome.seeds) == len(b.outcome.seeds) == 1:
        one_seed = _mcnemar_of_runs(a, b, question)
    if evidence and one_seed:
        said = replace(said, sentence=f"{said.sentence}; {alone_right(one_seed)}")
    if question.layout.groups and found:
        said = replace(said, sentence=f"{said.sentence}; {question.layout.groups.number} groups")
    if lost:
        said = replace(said, sentence=f"{said.sentence}; {left_out_text(lost)}")
    if question.reopened:
        reopened = f"reopened, looked at before {question.reopened}"
        said = replace(said, sentence=f"{said.sentence}; {reopened}")

    one, other = a.outcome, b.outcome
    return PairComparison(
        a=one.name,
        b=other.name,
        metric=question.scale.metric,
        seeds=seeds,
        verdict=said,
        what_would_decide=_what_would_decide(said, len(seeds), question),
        difference=difference,
        paired=found if isinstance(found, PairedDifference) else None,
        evidence=evidence,
        mcnemar=one_seed,
        accuracy_without_known_wrong=_without_known_wrong(a, b, seeds, question),
        flips=_flips(a, b, seeds, question),
        seconds_to_target=_log_rank(one, other, "seconds"),
        epochs_to_target=_log_rank(one, other, "epochs"),
        time_ratio=_time_ratio(one, other, question.confidence),
        notes=tuple(f"seed {seed} is left out of this pair: {why}" for seed, why in lost),
        over_items=found if isinstance(found, OverItems) else None,
        corrected=_corrected(found, evidence),
    )


def _corrected(
    found: PairedDifference | OverItems | None, evidence: Evidence | None
) -> Interval | None:
    if found is None or evidence is None or evidence.corrected_confidence <= found.confidence:
        return None
    return found.interval(evidence.corrected_confidence)


def _verdict(
    a: Judged,
    b: Judged,
    question: Question,
    found: PairedDifference | OverItems | None,
    evidence: Evidence | None,
    difference: float | None,
    one_seed: McNemar | None,
    trained_differ: bool,
) -> Verdict:
    names, items = (a.outcome.name, b.outcome.name), question.items
    if found is not None and evidence is not None:
        return verdict(*names, found, evidence, question.scale, items)
    if question.baseline is not None and not question.tests(a, b):
        return verdict_untested(*names, difference, question.baseline, question.scale, items)
    if one_seed is not None:
        leader = names[0] if one_seed.difference > 0 else names[1]
        return verdict_of_one_seed(*names, one_seed, leader if trained_differ else None, items)
    if difference is not None:
        return verdict_of_one_score(*names, difference, question.scale, items)
    return verdict_without_seeds(*names)


def _mcnemar_of_runs(a: Judged, b: Judged, question: Question) -> McNemar | None:
    """Return the test on the only run of each; None where it would pass over groups."""
    if a.graded or question.layout.groups:
        return None
    of_a, of_b = (each.of_seeds(each.outcome.seeds)[0] for each in (a, b))
    return mcnemar(of_a, of_b, question.confidence)


def _mcnemar_of_a_seed(a: Judged, b: Judged, question: Question) -> McNemar | None:
    """Return the test on the only seed in common; None where there are others, or none."""
    seeds = common_seeds(a.outcome, b.outcome)
    if a.graded or question.about == "models" or len(seeds) != 1:
        return None
    return mcnemar(a.of_seeds(seeds)[0], b.of_seeds(seeds)[0], question.confidence)


def _point(a: Judged, b: Judged, seeds: Seeds, question: Question) -> float | None:
    """Return the difference at hand, without any interval; None where nothing is in common."""
    if question.about == "models":
        if not _both_ran(a, b):
            return None
        found = difference_of_models(a, b)
    elif seeds:
        found = difference_with(a, b, seeds)
    else:
        return None
    return round(float(question.layout.strata.means(found.d).mean()), 15)


def _flips(a: Judged, b: Judged, seeds: Seeds, question: Question) -> Flips | None:
    """Return the images where, in more than half of the seeds, one is right and the other wrong.

    About models, whose runs are no pairs: where their shares of right runs are that far apart.
    """
    if a.graded:
        return None
    if question.about == "models":
        if not _both_ran(a, b):
            return None
        apart = difference_of_models(a, b).d[0]
        return Flips(only_a=np.flatnonzero(apart > 0.5), only_b=np.flatnonzero(apart < -0.5))
    if not seeds:
        return None
    right_a, right_b = a.of_seeds(seeds), b.of_seeds(seeds)
    only_a, only_b = (
        np.flatnonzero((mine > other).sum(axis=0, dtype=np.int32) > len(mine) / 2)
        for mine, other in ((right_a, right_b), (right_b, right_a))
    )
    return Flips(only_a=only_a, only_b=only_b)


def _without_known_wrong(
    a: Judged, b: Judged, seeds: Seeds, question: Question
) -> PairedDifference | None:
    kept = question.known_right
    if len(seeds) < 2 or kept.all() or not kept.any() or a.graded:
        return None
    found = difference_with(a, b, seeds)
    found = replace(found, d=found.d[:, kept])
    return crossed_difference(found, question.plain_layout, question.confidence)


def _what_would_decide(found: Verdict, seeds: int, question: Question) -> str | None:
    if found.plan is not None:
        return plan_text(found.plan, question.items)
    if seeds < 2 and question.about == "architectures":
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


def _lost(a: EntrantOutcome, b: EntrantOutcome) -> list[tuple[int | str, str]]:
    """Return the seed of each trial that cannot take part, and whose it is and why."""
    found = []
    for mine, other in ((a, b), (b, a)):
        named = {trial.seed: trial.reason for trial in mine.left_out}
        named |= {seed: "missing" for seed in other.seeds if seed not in {*mine.seeds, *named}}
        found += [
            (seed, f"{mine.name} {named[seed].replace('_', ' ')}") for seed in in_order(named)
        ]
    return found
