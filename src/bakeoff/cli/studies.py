"""Verbs before a run: look at images, write a study, try it; what ships."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from bakeoff.cli.options import (
    AsJson,
    Device,
    Overrides,
    Precision,
    Seeds,
    StudyName,
    file_of,
    resolved,
)
from bakeoff.cli.output import codes_output_aside, in_words, print_as
from bakeoff.errors import BakeoffError


def data(
    source: Annotated[str, typer.Argument(help="A shipped data set's name, or a file or folder.")],
    image_size: Annotated[
        str | None, typer.Option(metavar="N|HxW", help="Pixels that images are brought to.")
    ] = None,
    fit: Annotated[str | None, typer.Option(help="How: crop, pad or stretch.")] = None,
    colour: Annotated[str | None, typer.Option(help="Turn all images into grey or rgb.")] = None,
    group: Annotated[
        str | None, typer.Option(help="What keeps images together: a column, or folder.")
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Where the contact sheet goes.", show_default="NAME-contact-sheet.png"),
    ] = None,
    augmented: Annotated[
        str | None,
        typer.Option(metavar="STUDY", help="A sheet of what networks see in this study instead."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look at images: counts, copies, what is odd, a contact sheet."""
    from rich.console import Console

    from bakeoff.cli.survey_text import survey_text
    from bakeoff.commands.data import asked_protocol, survey_data

    protocol = asked_protocol(source, image_size=image_size, fit=fit, colour=colour, group=group)
    if augmented is not None:
        from bakeoff.commands.augmented import write_augmented_sheet

        written = write_augmented_sheet(protocol, resolved(augmented), sheet)
        print_as(as_json, lambda: {"sheet": str(written)}, lambda: f"sheet: {written}")
        return
    # A large folder takes a minute: who sits at a terminal sees that something happens.
    with Console(stderr=True).status("looking at every image"):
        surveyed = survey_data(protocol, sheet)
    print_as(as_json, surveyed.to_dict, lambda: survey_text(surveyed))


def clear() -> None:
    """Remove the decoded images that are kept."""
    from bakeoff.commands.data import clear_kept

    print(clear_kept())


def new(
    source: Annotated[str, typer.Argument(help="Images: a folder, a file, or a shipped name.")],
    out: Annotated[
        Path | None, typer.Option(help="Where the study goes.", show_default="NAME.toml")
    ] = None,
) -> None:
    """Write a study of three networks for images of yours."""
    from bakeoff.commands.new import new_study

    print(in_words(new_study(source, out).to_text(), sys.stdout))


def check(
    study: StudyName,
    seeds: Seeds = None,
    overrides: Overrides = None,
    device: Device = "auto",
    precision: Precision = "auto",
    as_json: AsJson = False,
) -> None:
    """Try a study: its faults, what it takes, what it can show."""
    from bakeoff.cli.check_text import check_text
    from bakeoff.commands.check import check_study

    with codes_output_aside():
        checked = check_study(
            resolved(study, seeds, overrides),
            device=device,
            precision=precision,
            source=file_of(study),
        )
    print_as(as_json, checked.to_dict, lambda: check_text(checked))
    if checked.faults:
        raise BakeoffError(f"{study}: faults: {len(checked.faults)}; mend them before it is run")


def list_names(
    what: Annotated[
        str | None,
        typer.Argument(help="studies, architectures or datasets.", show_default="all three"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the studies, architectures or data sets that ship."""
    from bakeoff.commands.listing import KINDS, describe

    if what is None:
        shipped = {kind: describe(kind) for kind in KINDS}
        print_as(
            as_json,
            lambda: {kind: _name_rows(rows) for kind, rows in shipped.items()},
            lambda: "\n\n".join(f"{kind}\n{_name_lines(rows)}" for kind, rows in shipped.items()),
        )
        return
    rows = describe(what)
    print_as(as_json, lambda: _name_rows(rows), lambda: _name_lines(rows))


def _name_rows(rows: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "description": text} for name, text in rows.items()]


def _name_lines(rows: Mapping[str, str]) -> str:
    width = max(map(len, rows))
    return "\n".join(f"{name:<{width}}  {text}" for name, text in rows.items())


def show(
    study: StudyName, seeds: Seeds = None, overrides: Overrides = None, as_json: AsJson = False
) -> None:
    """Print a study as resolved: every key, unset ones as comments."""
    from bakeoff.study.toml import to_toml

    asked = resolved(study, seeds, overrides)
    if as_json:
        print(json.dumps(asked.model_dump(mode="json"), indent=1))
    else:
        # As a file would have it, however narrow the terminal.
        print(to_toml(asked, unset=True).removesuffix("\n"))
