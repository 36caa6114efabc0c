"""`bakeoff judge`: the verdict for predictions that were made anywhere. It needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from numpy.typing import ArrayLike

from bakeoff.findings.judgement import Judgement, judge_predictions
from bakeoff.records.predictions.given import predictions_of_arrays
from bakeoff.records.predictions.read import read_predictions


class Judged(Judgement):
    """What predictions support; a notebook shows it as a table with its verdicts."""

    def report(self, out: str | Path, *, images: str | Path | None = None) -> Path:
        """Write comparison.json, figures and report.html to the folder `out`; return the page.

        images: a folder with a picture of each item, called as the item is.
        """
        from bakeoff.commands.judge_report import write_report

        return write_report(self, Path(out), None if images is None else Path(images))

    def _repr_html_(self) -> str:
        from bakeoff.report.card import draw_card

        return draw_card(self)


def judge(
    answers: Mapping[str, ArrayLike],
    labels: ArrayLike | None = None,
    *,
    metric: str | None = None,
    about: Literal["architectures", "models"] | None = None,
    baseline: str | None = None,
    margin: float | None = None,
    confidence: float = 0.95,
    groups: ArrayLike | None = None,
    require: Sequence[str] = (),
    items: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
) -> Judged:
    """Return what arrays of answers support.

    Args:
        answers: of each entrant: whole numbers [seeds, items] are classes, floats
            [seeds, items, classes] probabilities, booleans [seeds, items] right and wrong, floats
            [seeds, items] scores; [items] is one run. Runs are paired by their place.
        labels: true classes, integer [items].
        metric: accuracy, balanced_accuracy, log_loss, brier or score; None: accuracy, or score
            where scores are given. Of log_loss and brier less is better.
        about: architectures (new seeds and new items) or models (these very models, new items);
            None: architectures where every two entrants have two runs or more in common.
        baseline: an entrant; only pairs with it are then tested.
        margin: within which a difference does not matter, in points (0.25 by default), or in the
            unit of the scores (none by default).
        confidence: of the intervals.
        groups: what each item belongs to, [items]: then groups are drawn, not items.
        require: requirements, as "new >= old - 0.25"; `comparison.required` has what they came to.
        items: what each item is called.
        classes: what class numbers stand for.

    Raises:
        DataError: arrays that do not fit together.
        UsageError: an option that means nothing here.

    """
    predictions = predictions_of_arrays(answers, labels, groups, items, classes)
    found = judge_predictions(
        predictions,
        metric=metric,
        about=about,
        baseline=baseline,
        margin=margin,
        confidence=confidence,
        requirements=require,
    )
    return Judged(found.predictions, found.comparison)


def judge_files(
    paths: Sequence[Path],
    *,
    labels: Path | None = None,
    columns: Mapping[str, str] | None = None,
    score: str | None = None,
    task: str | None = None,
    group: str | None = None,
    intersect: bool = False,
    metric: str | None = None,
    about: Literal["architectures", "models"] | None = None,
    baseline: str | None = None,
    margin: float | None = None,
    confidence: float = 0.95,
    require: Sequence[str] = (),
) -> Judged:
    """Return what files of predictions support; nothing is written.

    Options up to `intersect` are those of `read_predictions`, the others those of `judge`. Raises
    DataError and UsageError.
    """
    predictions = read_predictions(
        paths,
        labels=labels,
        columns=columns,
        score=score,
        task=task,
        group=group,
        intersect=intersect,
    )
    found = judge_predictions(
        predictions,
        metric=metric,
        about=about,
        baseline=baseline,
        margin=margin,
        confidence=confidence,
        requirements=require,
    )
    return Judged(found.predictions, found.comparison)
