"""The whole comparison of a study's entrants."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from bakeoff.comparison.entrant import EntrantComparison, entrant_comparison
from bakeoff.comparison.judged import Judged, judge
from bakeoff.comparison.outcome import EntrantOutcome, check_outcomes, common_seeds
from bakeoff.comparison.pair import PairComparison
from bakeoff.comparison.pairs import About, Question, asked, compare_pairs
from bakeoff.comparison.plain import plain
from bakeoff.comparison.requirement import Required, Requirement, Rule, required
from bakeoff.comparison.scale import METRICS, Metric, Scale
from bakeoff.comparison.statistics.checks import Bools, Integers, classes, integers, proportion
from bakeoff.comparison.statistics.layout import Layout, layout_of
from bakeoff.errors import DataError, UsageError, did_you_mean

# With fewer groups a line says what that costs.
FEW_GROUPS = 10
# A page has room for so many.
HARDEST_SHOWN = 50


@dataclass(frozen=True)
class HardImage:
    """A test image and how many trials, of all entrants, get it wrong."""

    index: int
    label: int | None
    wrong: int
    known_wrong_label: bool


@dataclass(frozen=True)
class Comparison:
    """What all trials of a study together support.

    Attributes:
        metric: what the verdicts are about.
        confidence: of all intervals (and 1 - level of all tests).
        equivalence_margin: a proportion, or None.
        images: number of test images.
        trials: number of complete trials, over all entrants.
        known_wrong: indices of test images with labels known to be wrong.
        entrants, pairs: in the order of the entrants given.
        hardest_images: at most 50, most often wrong first, ties by index, none
            that all get right.
        notes: one line per planned trial that is not there.
        time_note: one line where seconds of trials are not known.
        reopened: how the rule of earlier looks differed from this one, or None.
        about: what the verdicts speak of.
        baseline: the entrant whose pairs alone are tested, or None.
        group_note: one line on how many groups of images there are, where they come in groups.
        required: what each requirement came to, in their order.

    """

    metric: Metric
    confidence: float
    equivalence_margin: float | None
    images: int
    trials: int
    known_wrong: tuple[int, ...]
    entrants: tuple[EntrantComparison, ...]
    pairs: tuple[PairComparison, ...]
    hardest_images: tuple[HardImage, ...]
    notes: tuple[str, ...]
    time_note: str | None
    reopened: str | None
    about: About = "architectures"
    baseline: str | None = None
    group_note: str | None = None
    required: tuple[Required, ...] = ()

    @property
    def tested(self) -> tuple[PairComparison, ...]:
        """The pairs that are tested, and not only described: all, or those with the baseline."""
        return tuple(pair for pair in self.pairs if self.baseline in (None, pair.a, pair.b))

    @property
    def scale(self) -> Scale:
        """The unit of differences, and which way is better."""
        graded = any(entrant.score is not None for entrant in self.entrants)
        return Scale(self.metric, proportion=not graded)

    def pair(self, a: str, b: str) -> PairComparison:
        """Return the comparison of two entrants, whichever stands first in it.

        Raises UsageError where there is no such pair.
        """
        for pair in self.pairs:
            if {pair.a, pair.b} == {a, b}:
                return pair
        names = [entrant.name for entrant in self.entrants]
        wrong = next((name for name in (a, b) if name not in names), b)
        raise UsageError(f"no pair of {a!r} and {b!r}; {did_you_mean(wrong, names)}")

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it; proportions stay proportions, None is "cannot be told".

        What was not asked for, of the later things that can be, has no key.
        """
        found: dict[str, Any] = plain(
            {
                each.name: getattr(self, each.name)
                for each in fields(self)
                if each.default is MISSING or getattr(self, each.name) != each.default
            }
        )
        return found | {
            "entrants": [entrant.to_dict() for entrant in self.entrants],
            "pairs": [pair.to_dict() for pair in self.pairs],
        }


def compare(
    outcomes: Sequence[EntrantOutcome],
    labels: ArrayLike | None,
    number_of_classes: int | None,
    *,
    metric: Metric = "balanced_accuracy",
    confidence: float = 0.95,
    equivalence_margin: float | None = 0.0025,
    known_wrong: Sequence[int] = (),
    earlier: Sequence[Mapping[str, frozenset[int | str]]] = (),
    reopened: str | None = None,
    about: About | None = "architectures",
    baseline: str | None = None,
    groups: ArrayLike | None = None,
    requirements: Sequence[Requirement] = (),
    items: str = "test images",
) -> Comparison:
    """Return the comparison of all entrants.

    Args:
        outcomes: one per entrant, in the order in which they shall stand.
        labels: true classes of the test images, integer [images]; None where there are none, and
            all that is known is whether answers are right, or how good they are.
        number_of_classes: classes are 0 .. number_of_classes - 1; None without classes.
        metric: what the verdicts on pairs are about. Of `log_loss` and `brier`, whose losses are
            the outcomes' `scores`, less is better.
        confidence: of the intervals; tests are at 1 - confidence.
        equivalence_margin: a difference too small to matter, a proportion or, for scores that are
            not right or wrong, in their unit; None not to ask.
        known_wrong: indices of test images with labels known to be wrong.
        earlier: of each look that was taken before, the oldest first, the seeds that each entrant
            had completed; verdicts pay for them.
        reopened: how the rule of those looks differed from this one, where it did; every verdict
            names it.
        about: what verdicts speak of: architectures (new seeds and new images) or these very models
            (new images; all runs of each are averaged per image). None: architectures where every
            two entrants that are tested have at least two seeds in common, else models.
        baseline: an entrant; only pairs with it are then tested, and counted by Holm's correction.
        groups: the group of each image, integer [images], where images come in groups: then groups
            are drawn, not images.
        requirements: what is required of pairs.
        items: what predictions are about, in sentences.

    Raises:
        DataError: arrays that do not fit together; the message names entrant and array.
        UsageError: a baseline or requirement that names no entrant.

    """
    if metric not in METRICS:
        raise DataError(f"metric is {metric!r}: give one of {', '.join(METRICS)}")
    images = _number_of_images(outcomes, labels)
    truth = None
    if labels is not None and number_of_classes is not None:
        truth = classes(labels, "labels", ("images",), number_of_classes)
    check_outcomes(outcomes, images, number_of_classes)
    if baseline is not None and baseline not in {outcome.name for outcome in outcomes}:
        names = [outcome.name for outcome in outcomes]
        raise UsageError(f"no entrant {baseline!r} as baseline; {did_you_mean(baseline, names)}")
    if metric == "balanced_accuracy" and truth is None:
        raise DataError("balanced_accuracy needs labels")
    judged = judge(outcomes, truth, metric)
    right = _known_right(known_wrong, images)
    index = None if groups is None else integers(groups, "groups", ("images",))
    question = Question(
        labels=truth,
        groups=index,
        layout=layout_of(images, truth if metric == "balanced_accuracy" else None, index),
        plain_layout=layout_of(int(right.sum()), None, None if index is None else index[right]),
        known_right=right,
        scale=Scale(metric, proportion=not any(each.graded for each in judged)),
        about=about or _what_can_be_said(outcomes, baseline),
        baseline=baseline,
        confidence=proportion(confidence, "confidence"),
        equivalence_margin=equivalence_margin,
        items=items,
        earlier=earlier,
        reopened=reopened,
    )
    found_required = required(
        [asked(each, judged, question) for each in requirements],
        Rule(question.scale, equivalence_margin, 1 - question.confidence, items),
    )
    return Comparison(
        metric=metric,
        confidence=confidence,
        equivalence_margin=equivalence_margin,
        images=images,
        trials=sum(len(outcome.seeds) for outcome in outcomes),
        known_wrong=tuple(sorted({int(index) for index in known_wrong})),
        entrants=tuple(entrant_comparison(each, question, number_of_classes) for each in judged),
        pairs=tuple(compare_pairs(judged, question)),
        hardest_images=_hardest(judged, question, truth),
        notes=tuple(
            f"{outcome.name} seed {trial.seed} is not part of the comparison: {trial.reason}"
            for outcome in outcomes
            for trial in outcome.left_out
        ),
        time_note=_time_note(outcomes),
        reopened=reopened,
        about=question.about,
        baseline=baseline,
        group_note=_group_note(question.layout, confidence, items),
        required=found_required,
    )


def _number_of_images(outcomes: Sequence[EntrantOutcome], labels: ArrayLike | None) -> int:
    if labels is not None:
        return len(np.asarray(labels))
    for outcome in outcomes:
        for array in (outcome.scores, outcome.predicted):
            if array is not None and np.ndim(array) == 2:
                return int(np.shape(array)[1])
    raise DataError("no entrant has answers as [seeds, images]: give at least one")


def _what_can_be_said(outcomes: Sequence[EntrantOutcome], baseline: str | None) -> About:
    """Return "architectures" where each two that are tested have two seeds in common."""
    pairs = itertools.combinations(outcomes, 2)
    tested = [(a, b) for a, b in pairs if baseline in (None, a.name, b.name)]
    several = all(len(common_seeds(a, b)) > 1 for a, b in tested)
    return "architectures" if several else "models"


def _group_note(layout: Layout, confidence: float, items: str) -> str | None:
    """Return the line that says how many groups there are, and what it costs if they are few."""
    if layout.groups is None:
        return None
    number, df = layout.groups.number, layout.groups.degrees_of_freedom
    line = f"{number:,} groups of {items} were drawn, not single {items}"
    if number >= FEW_GROUPS:
        return line
    tail = (1 - confidence) / 2
    wider = float(special.stdtrit(df, tail) / special.ndtri(tail))
    return (
        f"{line}; so few cost: with {df:.1f} degrees of freedom the part of an interval that they "
        f"bring is {wider:.1f} times as wide as with many"
    )


def _time_note(outcomes: Sequence[EntrantOutcome]) -> str | None:
    """Return the line that says how many seconds are left out, or None."""
    told = [outcome for outcome in outcomes if outcome.seconds is not None]
    unknown = sum(int(np.isnan(np.asarray(outcome.seconds)).sum()) for outcome in told)
    trials = sum(len(outcome.seeds) for outcome in told)
    if not unknown:
        return None
    return (
        f"{unknown} of {trials} trials have no clean seconds, and are left out of all that is said "
        "of time"
    )


def _known_right(known_wrong: Sequence[int], images: int) -> Bools:
    right = np.ones(images, dtype=np.bool_)
    for index in known_wrong:
        if not 0 <= index < images:
            raise DataError(
                f"known_wrong names test image {index}: there are images 0 to {images - 1}"
            )
        right[index] = False
    return right


def _hardest(
    entrants: Sequence[Judged], question: Question, labels: Integers | None
) -> tuple[HardImage, ...]:
    """Return the images that some trial gets wrong; mislabelled images tend to lead them."""
    wrong = np.zeros(len(question.known_right), dtype=np.int64)
    for entrant in entrants:
        if entrant.correct is not None:
            wrong += (~entrant.correct).sum(axis=0)
    return tuple(
        HardImage(
            index=int(index),
            label=None if labels is None else int(labels[index]),
            wrong=int(wrong[index]),
            known_wrong_label=not question.known_right[index],
        )
        for index in np.argsort(-wrong, kind="stable")[:HARDEST_SHOWN]
        if wrong[index]
    )
