"""The one place that knows how comparison.json is laid out: its parts as values, or their lack.

There differences are proportions; here they are percentage points, as the page prints them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_POINTS = 100.0
Part = Mapping[str, Any]


@dataclass(frozen=True)
class Spread:
    """A score of one entrant, as proportions."""

    mean: float
    deviation: float | None
    """Standard deviation over seeds; None with one seed."""
    interval: tuple[float, float] | None
    over: str
    """What the interval speaks of."""


@dataclass(frozen=True)
class Wait:
    """How long an entrant takes to the target: median with interval, None where left open."""

    median: float | None
    low: float | None
    high: float | None
    trials: int
    reached: int


@dataclass(frozen=True)
class Compared:
    """One entrant by itself."""

    name: str
    accuracy: Spread | None
    balanced_accuracy: Spread | None
    f1: tuple[Spread | None, ...]
    """One per class; None for a class that no test image has."""
    accuracy_without_known_wrong: Spread | None
    target: float | None
    """The validation accuracy at which training stops."""
    seconds_to_target: Wait | None
    epochs_to_target: Wait | None


@dataclass(frozen=True)
class Alone:
    """Test images that only one of two trained models gets right, and the exact McNemar test."""

    only_a: int
    only_b: int
    p_value: float


@dataclass(frozen=True)
class FixedTest:
    """What is said of new seeds on these very test images: percentage points, and a p-value."""

    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Ratio:
    """Seconds per training example of a over those of b, measured in turns."""

    ratio: float
    low: float | None
    high: float | None
    rounds: int


@dataclass(frozen=True)
class Pair:
    """What is known of the difference a - b."""

    a: str
    b: str
    metric: str
    verdict: str
    """`better`, `equivalent` or `undecided`."""
    better: str | None
    sentence: str
    what_would_decide: str
    difference: float | None
    """Percentage points, as `low` and `high`."""
    low: float | None
    high: float | None
    p_value: float | None
    p_value_holm: float | None
    seed_share: float | None
    """Of the squared standard error, in [0, 1], as `image_share`."""
    image_share: float | None
    equivalence_p_holm: float | None
    fixed_test: FixedTest | None
    alone: Alone | None
    """Where the two have one seed in common."""
    seconds_log_rank: float | None
    """p-value, as `epochs_log_rank`."""
    epochs_log_rank: float | None
    ratio: Ratio | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Concluded:
    """The parts of comparison.json that the page shows."""

    entrants: Mapping[str, Compared]
    pairs: tuple[Pair, ...]
    time_note: str
    """Which seconds are left out; empty where none are."""
    known_wrong: int
    """How many test images have labels that are known to be wrong."""

    def spread(self, entrant: str) -> Spread | None:
        """Return the entrant's accuracy over seeds, if it was compared."""
        return self.entrants[entrant].accuracy if entrant in self.entrants else None

    def pair(self, a: str, b: str) -> Pair | None:
        """Return the pair in whichever order it was compared."""
        return next((pair for pair in self.pairs if {pair.a, pair.b} == {a, b}), None)


def _number(part: Part | None, key: str, factor: float = 1.0) -> float | None:
    value = (part or {}).get(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return factor * float(value)
    return None


def _whole(part: Part, key: str) -> int:
    return int(_number(part, key) or 0)


def _spread(part: Part | None) -> Spread | None:
    mean = _number(part, "mean")
    if part is None or mean is None:
        return None
    low, high = _number(part, "low"), _number(part, "high")
    return Spread(
        mean=mean,
        deviation=_number(part, "standard_deviation"),
        interval=None if low is None or high is None else (low, high),
        over=str(part.get("over", "")),
    )


def _wait(part: Part | None) -> Wait | None:
    if part is None:
        return None
    return Wait(
        median=_number(part, "median"),
        low=_number(part, "low"),
        high=_number(part, "high"),
        trials=_whole(part, "trials"),
        reached=_whole(part, "reached"),
    )


def _compared(part: Part) -> Compared:
    return Compared(
        name=str(part["name"]),
        accuracy=_spread(part.get("accuracy")),
        balanced_accuracy=_spread(part.get("balanced_accuracy")),
        f1=tuple(_spread(each) for each in part.get("f1") or ()),
        accuracy_without_known_wrong=_spread(part.get("accuracy_without_known_wrong")),
        target=_number(part, "target"),
        seconds_to_target=_wait(part.get("seconds_to_target")),
        epochs_to_target=_wait(part.get("epochs_to_target")),
    )


def _alone(part: Part | None) -> Alone | None:
    p_value = _number(part, "p_value")
    if part is None or p_value is None:
        return None
    return Alone(_whole(part, "only_a"), _whole(part, "only_b"), p_value)


def _fixed_test(part: Part | None) -> FixedTest | None:
    low, high = _number(part, "low", _POINTS), _number(part, "high", _POINTS)
    p_value = _number(part, "p_value")
    if low is None or high is None or p_value is None:
        return None
    return FixedTest(low, high, p_value)


def _ratio(part: Part | None) -> Ratio | None:
    ratio = _number(part, "ratio")
    if part is None or ratio is None:
        return None
    return Ratio(ratio, _number(part, "low"), _number(part, "high"), _whole(part, "rounds"))


def _pair(part: Part) -> Pair:
    return Pair(
        a=str(part["a"]),
        b=str(part["b"]),
        metric=str(part.get("metric", "score")),
        verdict=str(part.get("verdict", "undecided")),
        better=part.get("better"),
        sentence=str(part.get("sentence") or ""),
        what_would_decide=str(part.get("what_would_decide") or ""),
        difference=_number(part, "difference", _POINTS),
        low=_number(part, "low", _POINTS),
        high=_number(part, "high", _POINTS),
        p_value=_number(part, "p_value"),
        p_value_holm=_number(part, "p_value_holm"),
        seed_share=_number(part, "seed_share"),
        image_share=_number(part, "image_share"),
        equivalence_p_holm=_number(part, "equivalence_p_holm"),
        fixed_test=_fixed_test(part.get("fixed_test_set")),
        alone=_alone(part.get("mcnemar")),
        seconds_log_rank=_number(part.get("seconds_to_target"), "p_value"),
        epochs_log_rank=_number(part.get("epochs_to_target"), "p_value"),
        ratio=_ratio(part.get("time_ratio")),
        notes=tuple(str(note) for note in part.get("notes") or ()),
    )


def concluded(comparison: Part) -> Concluded:
    """Return what comparison.json holds; parts that it lacks are empty."""
    entrants = [_compared(part) for part in comparison.get("entrants") or ()]
    return Concluded(
        entrants={entrant.name: entrant for entrant in entrants},
        pairs=tuple(_pair(part) for part in comparison.get("pairs") or ()),
        time_note=str(comparison.get("time_note") or ""),
        known_wrong=len(comparison.get("known_wrong") or ()),
    )
