"""Requirements on two entrants, such as "new >= old - 0.25": shown, refuted, or undecided.

A gate in continuous integration must not be passed by luck. So a requirement is met only if it is
shown, at the level of the verdicts: `>` and `>=` if the whole interval lies where they want it,
`==` if the two are shown equivalent within the margin.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self, cast

from bakeoff.comparison.scale import Scale
from bakeoff.comparison.statistics.crossed import PairedDifference
from bakeoff.comparison.statistics.equivalence import equivalence_p
from bakeoff.comparison.statistics.holm import holm
from bakeoff.comparison.statistics.over_items import OverItems
from bakeoff.comparison.statistics.power import DecisionRule, MoreItems, Plan
from bakeoff.comparison.verdict import of_what, plan_of
from bakeoff.comparison.words import p_text, plan_text
from bakeoff.errors import UsageError

Outcome = Literal["met", "refuted", "undecided"]
Sign = Literal[">", ">=", "=="]
_FORM = re.compile(
    r"(?P<a>.+?)\s*(?P<sign>>=|==|>)\s*(?P<b>.+?)(?:\s+(?P<way>[+-])\s*(?P<by>[0-9]*\.?[0-9]+))?"
)


@dataclass(frozen=True)
class Requirement:
    """What is required of two entrants.

    Attributes:
        text: as it was given.
        a, b: names of entrants.
        sign: ">" or ">=" (a is better than b, or than b and the offset), or "==" (equivalent).
        offset: by how much a has to be better than b; points for right and wrong answers, else the
            score's unit. Below zero for `b - 0.25`: it may be that much worse. Where less is better
            (a loss), better and worse are meant all the same.

    """

    text: str
    a: str
    b: str
    sign: Sign
    offset: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the requirement that `text` states.

        Raises:
            UsageError: a text of another form.

        """
        found = _FORM.fullmatch(text.strip())
        if found is None or (found["sign"] == "==" and found["by"]):
            raise UsageError(
                f"cannot read the requirement {text!r}: give one like 'new > old', "
                "'new >= old - 0.25' or 'new == old'"
            )
        offset = float(found["way"] + found["by"]) if found["by"] else 0.0
        return cls(text.strip(), found["a"], found["b"], cast("Sign", found["sign"]), offset)


@dataclass(frozen=True)
class Required:
    """What a requirement came to.

    Attributes:
        requirement: as it was given.
        outcome: "met" if it is shown, "refuted" if its contrary is, else "undecided".
        sentence: that, in words.
        p_value, p_value_holm: of the requirement, alone and after Holm's correction for their
            number and the price of earlier looks, to be read against the level of the verdicts;
            None where nothing can be said.
        plan: what would decide, where it is undecided and can be planned.

    """

    requirement: Requirement
    outcome: Outcome
    sentence: str
    p_value: float | None
    p_value_holm: float | None
    plan: Plan | MoreItems | None = None


@dataclass(frozen=True)
class Asked:
    """A requirement and what is known of its two entrants.

    Attributes:
        requirement: on a and b.
        found: a minus b; None where too few seeds are in common.
        looks: how many seeds there were at each look that counts, this one last.
        price: of the looks before this one.

    """

    requirement: Requirement
    found: PairedDifference | OverItems | None
    looks: tuple[int, ...]
    price: float


@dataclass(frozen=True)
class Rule:
    """By what requirements are judged.

    Attributes:
        scale: in what unit differences are told, and which way is better.
        margin: of equivalence, as verdicts have it; None where none was given.
        level: 1 - confidence.
        items: what predictions are about.

    """

    scale: Scale
    margin: float | None
    level: float
    items: str


def required(asked: Sequence[Asked], rule: Rule) -> tuple[Required, ...]:
    """Return what each requirement came to; Holm's correction counts them all.

    Raises:
        UsageError: "==" without a margin.

    """
    both = [_p_values(each, rule) for each in asked]
    shown, contrary = (holm([each[which] for each in both]) for which in (0, 1))
    return tuple(
        _required(each, rule, alone, *after, len(asked))
        for each, (alone, _), after in zip(
            asked, both, zip(shown, contrary, strict=True), strict=True
        )
    )


def _p_values(asked: Asked, rule: Rule) -> tuple[float, float]:
    """Return those of the requirement and of its contrary, earlier looks paid for.

    Both are on the scale of two-sided tests, by which verdicts are read too.
    """
    found = asked.found
    if asked.requirement.sign == "==" and rule.margin is None:
        raise UsageError(f"{asked.requirement.text!r} needs a margin of equivalence: give one")
    if found is None:
        return 1.0, 1.0
    if asked.requirement.sign == "==" and rule.margin is not None:
        shown = equivalence_p(found, rule.margin)
        contrary = 2 * min(found.beyond(rule.margin, +1), found.beyond(-rule.margin, -1))
    else:
        bound, sign = _bound(asked.requirement, rule.scale), rule.scale.sign
        shown, contrary = (2 * found.beyond(bound, way) for way in (sign, -sign))
    return min(shown * asked.price, 1.0), min(contrary * asked.price, 1.0)


def _bound(requirement: Requirement, scale: Scale) -> float:
    """Return the difference, a minus b, on whose better side a has to be."""
    return scale.sign * requirement.offset * scale.per_unit


def _required(
    asked: Asked, rule: Rule, alone: float, shown: float, contrary: float, number: int
) -> Required:
    requirement, found = asked.requirement, asked.found
    if found is None:
        needed = "at least two seeds that both completed are needed"
        return Required(
            requirement, "undecided", f"undecided: {requirement.text}: {needed}", None, None
        )
    scale, within = rule.scale, ""
    if requirement.sign == "==" and rule.margin is not None:
        within = f" within {scale.size(rule.margin)}"
    told = (
        f"{requirement.text}{within}: {of_what(found, rule.items)}"
        f"{scale.stands(requirement.a, requirement.b, found)}"
    )
    causes = [f"Holm's correction for {number} requirements"] if number > 1 else []
    causes += [f"{len(asked.looks)} looks"] if len(asked.looks) > 1 else []
    after = f" after {' and '.join(causes)}" if causes else ""
    for outcome, p_value in (("met", shown), ("refuted", contrary)):
        if p_value < rule.level:
            sentence = f"{outcome}: {told}, {p_text(p_value, rule.level)}{after}"
            return Required(requirement, cast("Outcome", outcome), sentence, alone, shown)
    plan = _plan(asked.requirement, found, asked.looks, rule, number)
    sentence = (
        f"undecided: {told}, {p_text(shown, rule.level)}{after}; {plan_text(plan, rule.items)}"
    )
    return Required(requirement, "undecided", sentence, alone, shown, plan)


def _plan(
    requirement: Requirement,
    found: PairedDifference | OverItems,
    looks: tuple[int, ...],
    rule: Rule,
    number: int,
) -> Plan | MoreItems:
    """Return what would show the requirement or its contrary."""
    level = rule.level / number
    if requirement.sign == "==":
        return plan_of(found, DecisionRule(level, rule.margin, level, looks))
    # As if the difference were that to the bound.
    away = replace(found, difference=found.difference - _bound(requirement, rule.scale))
    return plan_of(away, DecisionRule(level, None, level, looks))
