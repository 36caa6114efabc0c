"""One pair of entrants: every number that its verdict rests on, and the verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from bakeoff.comparison.plain import plain
from bakeoff.comparison.scale import Metric
from bakeoff.comparison.statistics.checks import Integers
from bakeoff.comparison.statistics.crossed import PairedDifference
from bakeoff.comparison.statistics.interval import Interval
from bakeoff.comparison.statistics.mcnemar import McNemar
from bakeoff.comparison.statistics.over_items import OverItems
from bakeoff.comparison.statistics.survival import LogRank
from bakeoff.comparison.statistics.timing import TimeRatio
from bakeoff.comparison.verdict import Evidence, Verdict

# Fields of later versions stand in JSON only where they say something, so that of what could be
# asked before, every line is as it was.
_OF_THE_ANALYSIS = [
    each.name
    for each in fields(PairedDifference)
    if each.name not in {"extent", "image_degrees_of_freedom", "groups", "furthest"}
]
_OF_BOTH = [each.name for each in fields(OverItems) if each.name in _OF_THE_ANALYSIS]


@dataclass(frozen=True)
class Flips:
    """Images that change hands between two entrants: indices, int64, ascending."""

    only_a: Integers
    only_b: Integers


@dataclass(frozen=True)
class PairComparison:
    """The comparison of a with b; differences are a minus b.

    They are proportions for right and wrong answers, else in the score's unit.

    Attributes:
        a, b: names of the entrants.
        metric: what `difference`, `paired` and the verdict are about.
        seeds: that both completed; all numbers rest on these alone, but `over_items`.
        verdict: what can be said, and in which words.
        what_would_decide: in words, None for a decided pair.
        difference: the mean over the common seeds, None without any.
        paired: the analysis over new seeds and new items; None with fewer than two common seeds.
        evidence: the p-values that the verdict rests on, of `paired` or of `over_items`; None where
            the pair is not tested.
        mcnemar: with exactly one common seed, about the two trained models' accuracy; about models
            where each has one run.
        accuracy_without_known_wrong: the analysis of accuracy with the images of known wrong labels
            left out; None with fewer than two common seeds, or without such images.
        flips: images that one gets right and the other wrong in most common seeds.
        seconds_to_target, epochs_to_target: log-rank tests, if both have the same target.
        time_ratio: seconds per training example of a over those of b, if both were timed in turns.
        notes: one line per trial that cannot take part, whichever of the two lacks it.
        over_items: the analysis of these very models over new items, where the verdict is about
            them; else None. It takes all runs of each.
        corrected: the interval that leaves out zero where, and only where, a difference is shown:
            at the level that Holm's correction and earlier looks leave this pair. None where that
            is the whole level, or the pair is not tested.

    """

    a: str
    b: str
    metric: Metric
    seeds: tuple[int | str, ...]
    verdict: Verdict
    what_would_decide: str | None
    difference: float | None
    paired: PairedDifference | None
    evidence: Evidence | None
    mcnemar: McNemar | None
    accuracy_without_known_wrong: PairedDifference | None
    flips: Flips | None
    seconds_to_target: LogRank | None
    epochs_to_target: LogRank | None
    time_ratio: TimeRatio | None
    notes: tuple[str, ...]
    over_items: OverItems | None = None
    corrected: Interval | None = None

    @property
    def of_one_seed(self) -> McNemar | None:
        """McNemar's test, where nothing else can be said."""
        return None if self.over_items else self.mcnemar

    def to_dict(self) -> dict[str, Any]:
        """Return it flat for JSON: the parts of `paired`, `verdict` and `evidence` on one level.

        All keys are there whatever is known; what is not known is None.
        """
        flat: dict[str, Any] = dict.fromkeys(_OF_THE_ANALYSIS)
        flat |= {each.name: getattr(self, each.name) for each in fields(self)}
        paired, evidence = flat.pop("paired"), flat.pop("evidence")
        over_items, corrected = flat.pop("over_items"), flat.pop("corrected")
        if paired is not None:
            flat |= {name: getattr(paired, name) for name in _OF_THE_ANALYSIS}
            if math.isfinite(paired.image_degrees_of_freedom):
                flat["image_degrees_of_freedom"] = paired.image_degrees_of_freedom
            if paired.groups is not None:
                flat["groups"] = paired.groups
        if over_items is not None:
            flat |= {name: getattr(over_items, name) for name in _OF_BOTH}
            flat["over_items"] = over_items
        if corrected is not None:
            flat["corrected"] = corrected
        if self.verdict.ahead is not None:
            flat["ahead"] = self.verdict.ahead
        near = evidence.nearness if evidence else None
        flat |= {
            # Here `seeds` is the list of them, not their number.
            "seeds": self.seeds,
            "verdict": self.verdict.kind,
            "better": self.verdict.better,
            "sentence": self.verdict.sentence,
            "plan": self.verdict.plan,
            "seed_share": paired.seed_share if paired else None,
            "image_share": paired.image_share if paired else None,
            "p_value_holm": evidence.p_value_holm if evidence else None,
            "looks": len(evidence.looks) if evidence else None,
            "price_of_looks": evidence.price if evidence else None,
            "equivalence_margin": near.margin if near else None,
            "equivalence_p": near.p_value if near else None,
            "equivalence_p_holm": near.p_value_holm if near else None,
        }
        return {key: plain(value) for key, value in flat.items()}
