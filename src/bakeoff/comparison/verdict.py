"""The verdict on a pair, and the sentence that says it.

A sentence claims no more than its numbers do: differences in percentage points ("points") over new
seeds and new test images, the p-value after correction for the number of pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bakeoff.comparison.statistics.crossed import PairedDifference
from bakeoff.comparison.statistics.mcnemar import McNemar
from bakeoff.comparison.statistics.power import DecisionRule, Plan, what_would_decide
from bakeoff.comparison.words import amount, amount_ahead, p_text, p_values_text, plan_text, points

Kind = Literal["better", "equivalent", "undecided"]


@dataclass(frozen=True)
class Verdict:
    """What can be said of a pair.

    Attributes:
        kind: "better" (shown to differ), "equivalent" (shown to differ by less than the margin,
            whether or not a difference is also shown), or "undecided" (neither).
        better: the name of the entrant shown to score higher, or None. Set for every "better", and
            for an "equivalent" pair whose difference, though within the margin, is shown.
        sentence: the verdict in words.
        plan: what would decide an undecided pair; None otherwise, or where nothing can be planned.

    """

    kind: Kind
    better: str | None
    sentence: str
    plan: Plan | None = None

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class Nearness:
    """The test for equivalence: its margin (a proportion), p-value, and that after Holm."""

    margin: float
    p_value: float
    p_value_holm: float


@dataclass(frozen=True)
class Evidence:
    """The p-values of one pair among several.

    Attributes:
        p_value, p_value_holm: for the null of no difference, alone and after Holm's correction of
            p-values that have paid the price of earlier looks.
        nearness: the test for equivalence, or None where it is not asked for.
        pairs: number of pairs tested together.
        level: 1 - confidence, the level of both tests.
        looks: how many seeds the pair had at each look that counts, this one last.
        price: by what the looks before this one multiply p-values (`spending.price`).

    """

    p_value: float
    p_value_holm: float
    nearness: Nearness | None
    pairs: int
    level: float
    looks: tuple[int, ...] = ()
    price: float = 1.0


def verdict(a: str, b: str, paired: PairedDifference, evidence: Evidence) -> Verdict:
    """Return the verdict on the pair of entrants named `a` and `b` (a minus b).

    Equivalence is looked at first. The margin is what the study declared too small to matter, so a
    pair shown to lie within it is "equivalent" even if a difference is shown too; the sentence then
    says both.
    """
    differs = evidence.p_value_holm < evidence.level
    better = (a if paired.difference > 0 else b) if differs else None
    near, p_value = evidence.nearness, _p(evidence, evidence)
    if near is not None and near.p_value_holm < evidence.level:
        near_p = _p(near, evidence)
        sentence = f"{a} and {b} are equivalent within {points(near.margin)} points, {near_p}: "
        if better is None:
            sentence += f"{a} minus {b} is {amount(paired)}"
        else:
            sentence += f"{better} is better, but only by {amount_ahead(paired)}, {p_value}"
        return Verdict("equivalent", better, sentence)
    if better is not None:
        other = b if better == a else a
        sentence = f"{better} is better than {other} by {amount_ahead(paired)}, {p_value}"
        return Verdict("better", better, sentence)
    plan = what_would_decide(paired, _rule(evidence))
    sentence = f"undecided: {a} minus {b} is {amount(paired)}, {p_value}; {plan_text(plan)}"
    return Verdict("undecided", None, sentence, plan)


def verdict_of_one_seed(a: str, b: str, result: McNemar) -> Verdict:
    """Return the verdict for one seed in common: undecided, whatever the test says."""
    return Verdict(
        "undecided",
        None,
        "undecided: one seed cannot support a claim about architectures; "
        f"of these two trained models, {of_trained_models(a, b, result)}",
    )


def of_trained_models(a: str, b: str, result: McNemar) -> str:
    """Return what one seed in common says of the two models that were trained with it."""
    ahead, behind = (a, b) if result.difference >= 0 else (b, a)
    only_ahead, only_behind = sorted((result.only_a, result.only_b), reverse=True)
    if result.only_a == result.only_b:
        compared = f"{a} and {b} get equally many test images right"
    else:
        compared = (
            f"{ahead} gets {points(abs(result.difference))} points more of the test images right "
            f"than {behind}"
        )
    return (
        f"{compared} (alone right on {only_ahead} and {only_behind}), "
        f"exact McNemar {p_text(result.p_value)}"
    )


def verdict_without_seeds(a: str, b: str) -> Verdict:
    """Return the verdict where no seed was completed by both."""
    sentence = f"undecided: {a} and {b} have no completed seed in common, so nothing can be said"
    return Verdict("undecided", None, sentence)


def _p(test: Evidence | Nearness, evidence: Evidence) -> str:
    """Return what the p-values of a test say, and for what they were corrected."""
    looks = len(evidence.looks)
    return p_values_text(test.p_value, test.p_value_holm, evidence.pairs, looks, evidence.level)


def _rule(evidence: Evidence) -> DecisionRule:
    """Return the levels that this pair must meet alone, given what Holm's correction asks of it."""
    near = evidence.nearness
    return DecisionRule(
        level=evidence.level / _factor(evidence, evidence),
        margin=None if near is None else near.margin,
        equivalence_level=evidence.level / (1 if near is None else _factor(near, evidence)),
        looks=evidence.looks,
    )


def _factor(test: Evidence | Nearness, evidence: Evidence) -> float:
    """Return by what Holm's correction multiplied a p-value."""
    # A value adjusted to 1, or lifted to its predecessor's, hides the factor: then the number of
    # pairs bounds it.
    if test.p_value == 0 or test.p_value_holm >= 1:
        return float(evidence.pairs)
    return min(max(test.p_value_holm / (evidence.price * test.p_value), 1.0), float(evidence.pairs))
