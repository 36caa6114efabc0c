"""`bakeoff judge`: predictions that were made anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bakeoff.cli.options import AsJson
from bakeoff.cli.output import print_as
from bakeoff.errors import NotShownError, UsageError


def judge(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders of predictions.")],
    labels: Annotated[Path | None, typer.Option(help="A file of true labels.")] = None,
    metric: Annotated[
        str | None,
        typer.Option(help="accuracy, balanced_accuracy, log_loss, brier or score."),
    ] = None,
    about: Annotated[
        Literal["architectures", "models"] | None,
        typer.Option(help="New seeds and new items, or these models on new items."),
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="An entrant: only pairs with it are tested.")
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(help="What does not matter: points (0.25), or the unit of scores."),
    ] = None,
    confidence: Annotated[float, typer.Option(help="Of intervals.")] = 0.95,
    group: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="What items belong to, as patients.")
    ] = None,
    intersect: Annotated[
        bool, typer.Option("--intersect", help="Leave out items that not all have.")
    ] = False,
    require: Annotated[
        list[str] | None,
        typer.Option(metavar='"A >= B - 0.25"', help="Exit with 3 unless shown. Repeatable."),
    ] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="label=NAME,...", help="Which column is what.")
    ] = None,
    score: Annotated[str | None, typer.Option(help="Which score of several.")] = None,
    task: Annotated[str | None, typer.Option(help="Which task of several.")] = None,
    images: Annotated[
        Path | None, typer.Option(help="A folder with a picture of each item, by its name.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where a report goes.")] = None,
    as_json: AsJson = False,
) -> None:
    """Judge predictions that were made anywhere; train nothing."""
    from bakeoff.cli.judge_text import judgement_text
    from bakeoff.commands.judge import judge_files

    judged = judge_files(
        paths,
        labels=labels,
        columns=_columns(columns),
        score=score,
        task=task,
        group=group,
        intersect=intersect,
        metric=metric,
        about=about,
        baseline=baseline,
        margin=margin,
        confidence=confidence,
        require=require or (),
    )
    page = None if out is None else judged.report(out, images=images)
    print_as(as_json, judged.to_dict, lambda: judgement_text(judged, page))
    if judged.not_met:
        sentences = "; ".join(each.sentence for each in judged.not_met)
        raise NotShownError(f"not shown: {sentences}")


def _columns(asked: str | None) -> dict[str, str]:
    """Return which column is what, from "label=answer,predicted=choice"."""
    found = {}
    for each in asked.split(",") if asked else ():
        role, equals, name = each.partition("=")
        if not (equals and role.strip() and name.strip()):
            raise UsageError(f"--columns {asked}: write label=NAME,predicted=NAME")
        found[role.strip()] = name.strip()
    return found
