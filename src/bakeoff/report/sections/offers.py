"""What accuracy costs: who is beaten by whom, as far as verdicts show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bakeoff.comparison.compare import Comparison
from bakeoff.comparison.words import listed
from bakeoff.findings.findings import Findings

Price = Literal["training_seconds", "parameters"]


@dataclass(frozen=True)
class Offer:
    """An entrant's mean score on test data and what it costs, each with its interval.

    Scores are proportions. Parameters are known, so that both ends are the number itself; ends of
    seconds are None where nothing tells how sure they are.
    """

    cost: float
    cost_low: float | None
    cost_high: float | None
    score: float
    score_low: float
    score_high: float


@dataclass(frozen=True)
class Beaten:
    """An entrant that another beats, and in what."""

    name: str
    by: str
    how: str


def offers(findings: Findings, price: Price) -> dict[str, Offer]:
    """Return the offers of the entrants that have scores, in the order of the study."""
    rows = {row.entrant: row for row in findings.standings}
    seen = {each.name: each for each in findings.comparison.entrants}
    found = {}
    for entrant in findings.study.entrants:
        cost, each = getattr(rows[entrant.name], price), seen.get(entrant.name)
        score = getattr(each, findings.comparison.metric, None)
        if not cost or each is None or score is None:
            continue
        low = high = float(cost)
        ends: tuple[float | None, float | None] = (low, high)
        if price == "training_seconds":
            interval = each.seconds_interval
            ends = (interval.low, interval.high) if interval else (None, None)
        found[entrant.name] = Offer(float(cost), *ends, score.mean, score.low, score.high)
    return found


def beaten(found: Mapping[str, Offer], comparison: Comparison) -> list[Beaten]:
    """Return the entrants that another one beats, in the order of `found`.

    One is beaten by another that is shown to be better and costs no more, or that is equivalent and
    costs less. What verdicts leave open beats nobody, nor do costs whose intervals overlap.
    """
    return [
        Beaten(name, other, how)
        for name in found
        for other, how in [_beaten_by(name, found, comparison)]
        if other
    ]


def _beaten_by(
    name: str, found: Mapping[str, Offer], comparison: Comparison
) -> tuple[str | None, str]:
    """Return by whom, the best first, and in what."""
    rivals = sorted((each for each in found if each != name), key=lambda each: -found[each].score)
    for other in rivals:
        verdict = comparison.pair(name, other).verdict
        cheaper, same = _cheaper(found[other], found[name]), found[other].cost == found[name].cost
        if verdict.kind == "better" and verdict.better == other and (cheaper or same):
            return other, "better and cheaper" if cheaper else "better at the same cost"
        if verdict.kind == "equivalent" and cheaper:
            return other, "equivalent and cheaper"
    return None, ""


def _cheaper(one: Offer, other: Offer) -> bool:
    return (
        one.cost_high is not None and other.cost_low is not None and one.cost_high < other.cost_low
    )


def beaten_text(found: Mapping[str, Offer], comparison: Comparison) -> str:
    """Return who is beaten, by whom and in what: "a and b by c (better and cheaper)"."""
    said: dict[tuple[str, str], list[str]] = {}
    for each in beaten(found, comparison):
        said.setdefault((each.by, each.how), []).append(each.name)
    parts = [f"{listed(names)} by {by} ({how})" for (by, how), names in said.items()]
    return ", ".join(parts) or "nobody"
