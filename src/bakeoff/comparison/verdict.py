"""The verdict on a pair, and the sentence that says it.

A sentence claims no more than its numbers do: differences in percentage points ("points") or the
score's own unit, over new seeds and new test images, the p-value after correction for the number of
pairs. Where it speaks of these trained models alone, over new items, it says so first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bakeoff.comparison.scale import POINTS, Scale
from bakeoff.comparison.statistics.crossed import PairedDifference
from bakeoff.comparison.statistics.mcnemar import McNemar
from bakeoff.comparison.statistics.over_items import OverItems
from bakeoff.comparison.statistics.power import (
    DecisionRule,
    MoreItems,
    Plan,
    items_that_would_decide,
    what_would_decide,
)
from bakeoff.comparison.words import p_text, p_values_text, plan_text, points

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
        ahead: who is ahead in an undecided pair whose own test, were it the only pair and seen
            once, would show it: not yet proven. About trained models where there is one seed.

    """

    kind: Kind
    better: str | None
    sentence: str
    plan: Plan | MoreItems | None = None
    ahead: str | None = None

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class Nearness:
    """The test for equivalence: its margin (a proportion, or in the score's unit) and p-values.

    `p_value_holm` is the one after Holm's correction.
    """

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

    @property
    def corrected_confidence(self) -> float:
        """Of the interval that leaves out zero where, and only where, a difference is shown.

        1 - the level that Holm's step and earlier looks leave this pair.
        """
        return 1 - self.level / (_factor(self, self) * self.price)


def verdict(
    a: str,
    b: str,
    found: PairedDifference | OverItems,
    evidence: Evidence,
    scale: Scale = POINTS,
    items: str = "test images",
) -> Verdict:
    """Return the verdict on the pair of entrants named `a` and `b` (a minus b).

    Equivalence is looked at first. The margin is what the study declared too small to matter, so a
    pair shown to lie within it is "equivalent" even if a difference is shown too; the sentence then
    says both. Where the interval of the pair alone leaves out zero and the verdict is open, the
    corrected one stands beside it. Undecided pairs are told from the side of who is ahead.

    Args:
        a: the one entrant.
        b: the other.
        found: over new seeds and items, or of these models over new items.
        evidence: p-values.
        scale: in what unit differences are told, and which way is better.
        items: what predictions are about.

    """
    differs = evidence.p_value_holm < evidence.level
    leader, other = (a, b) if scale.sign * found.difference >= 0 else (b, a)
    better = leader if differs else None
    led = found if leader == a else found.turned()
    speaks_of = of_what(found, items)
    near, p_value = evidence.nearness, _p(evidence, evidence)
    if near is not None and near.p_value_holm < evidence.level:
        near_p = _p(near, evidence)
        sentence = (
            f"{speaks_of}{a} and {b} are equivalent within {scale.size(near.margin)}, {near_p}: "
        )
        if better is None:
            sentence += scale.stands(leader, other, led)
        else:
            sentence += f"{better} is better, but only {scale.ahead_by(found)}, {p_value}"
        return Verdict("equivalent", better, sentence)
    if better is not None:
        sentence = f"{speaks_of}{better} is better than {other} {scale.ahead_by(found)}, {p_value}"
        return Verdict("better", better, sentence)
    plan = plan_of(found, _rule(evidence))
    ahead, corrected = None, None
    if evidence.p_value < evidence.level:
        ahead, corrected = leader, led.interval(evidence.corrected_confidence)
    sentence = (
        f"{'not yet proven' if ahead else 'cannot be told apart'}: {speaks_of}"
        f"{scale.stands(leader, other, led, corrected)}, {p_value}; {plan_text(plan, items)}"
    )
    return Verdict("undecided", None, sentence, plan, ahead)


def of_what(found: PairedDifference | OverItems, items: str) -> str:
    """Return of what a sentence speaks, where that is not new seeds and new items."""
    if isinstance(found, OverItems):
        new = f"new {items}" if found.groups is None else f"new groups of {items}"
        return f"of these trained models, on {new}: "
    return ""


def plan_of(found: PairedDifference | OverItems, rule: DecisionRule) -> Plan | MoreItems:
    """Return what would decide: more seeds or items, or more items for these models."""
    if isinstance(found, OverItems):
        return items_that_would_decide(found, rule)
    return what_would_decide(found, rule)


def verdict_untested(
    a: str, b: str, difference: float | None, baseline: str, scale: Scale, items: str
) -> Verdict:
    """Return the verdict of a pair without the baseline: none, and the difference at hand."""
    sentence = f"not tested, since only pairs with {baseline} are"
    if difference is not None:
        sentence += f"; on these {items} {_here(a, b, difference, scale)}"
    return Verdict("undecided", None, sentence)


def verdict_of_one_score(a: str, b: str, difference: float, scale: Scale, items: str) -> Verdict:
    """Return the verdict for one seed in common, of scores that are not right or wrong."""
    sentence = f"of these two trained models, on these {items}, {_here(a, b, difference, scale)}"
    return Verdict("undecided", None, sentence)


def _here(a: str, b: str, difference: float, scale: Scale) -> str:
    if scale.sign * difference >= 0:
        return scale.stands_here(a, b, difference)
    return scale.stands_here(b, a, -difference)


def verdict_of_one_seed(
    a: str, b: str, result: McNemar, ahead: str | None, items: str = "test images"
) -> Verdict:
    """Return the verdict for one seed in common: undecided, whatever the test says.

    ahead: who is, by that test after Holm's correction; None where it shows nothing.
    """
    differ = "differ" if ahead else "cannot be told apart"
    said = f"these two trained models {differ}: {_of_trained_models(a, b, result, items)}"
    return Verdict("undecided", None, said, ahead=ahead)


def _of_trained_models(a: str, b: str, result: McNemar, items: str) -> str:
    ahead, behind = (a, b) if result.difference >= 0 else (b, a)
    if result.only_a == result.only_b:
        compared = f"{a} and {b} get equally many {items} right"
    else:
        compared = (
            f"{ahead} gets {points(abs(result.difference))} points more of the {items} right "
            f"than {behind}"
        )
    return f"{compared} ({_alone(result)}), exact McNemar {p_text(result.p_value)}"


def alone_right(result: McNemar) -> str:
    """Return on how many items one of two models alone is right, and what that says exactly."""
    return f"{_alone(result)}, exact McNemar {p_text(result.p_value)}"


def _alone(result: McNemar) -> str:
    more, fewer = sorted((result.only_a, result.only_b), reverse=True)
    return f"alone right on {more} and {fewer}"


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
