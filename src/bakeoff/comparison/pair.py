"""One pair of entrants: every number that its verdict rests on, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

from bakeoff.comparison.plain import plain
from bakeoff.comparison.statistics.checks import Integers
from bakeoff.comparison.statistics.crossed import PairedDifference
from bakeoff.comparison.statistics.mcnemar import McNemar
from bakeoff.comparison.statistics.survival import LogRank
from bakeoff.comparison.statistics.timing import TimeRatio
from bakeoff.comparison.verdict import Evidence, Verdict

Metric = Literal["accuracy", "balanced_accuracy"]


@dataclass(frozen=True)
class Flips:
    """Images that change hands between two entrants: indices, int64, ascending."""

    only_a: Integers
    only_b: Integers


@dataclass(frozen=True)
class PairComparison:
    """The comparison of a with b; differences are a minus b, proportions.

    Attributes:
        a, b: names of the entrants.
        metric: what `difference`, `paired` and the verdict are about.
        seeds: that both completed; all numbers rest on these alone.
        verdict: what can be said, and in which words.
        what_would_decide: in words, None for a decided pair.
        difference: the mean over the common seeds, None without any.
        paired, evidence: the analysis and its p-values; None with fewer than two common seeds.
        mcnemar: with exactly one common seed, about the two trained models' accuracy.
        accuracy_without_known_wrong: the analysis of accuracy with the images of known wrong labels
            left out; None with fewer than two common seeds, or without such images.
        flips: images that one gets right and the other wrong in most common seeds.
        seconds_to_target, epochs_to_target: log-rank tests, if both have the same target.
        time_ratio: seconds per training example of a over those of b, if both were timed in turns.
        notes: one line per trial that cannot take part, whichever of the two lacks it.

    """

    a: str
    b: str
    metric: Metric
    seeds: tuple[int, ...]
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

    def to_dict(self) -> dict[str, Any]:
        """Return it flat for JSON: the parts of `paired`, `verdict` and `evidence` on one level.

        All keys are there whatever is known; what is not known is None.
        """
        flat: dict[str, Any] = {each.name: None for each in fields(PairedDifference)}
        flat |= {each.name: getattr(self, each.name) for each in fields(self)}
        paired, evidence = flat.pop("paired"), flat.pop("evidence")
        if paired is not None:
            flat |= {each.name: getattr(paired, each.name) for each in fields(PairedDifference)}
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
