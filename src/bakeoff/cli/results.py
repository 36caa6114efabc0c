"""Verbs that read a run: its comparison and report, what lies inside, all of it live."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from bakeoff.cli.options import AsJson, Reopen, RunDirectory, TrustCode
from bakeoff.cli.output import codes_output_aside, print_as
from bakeoff.errors import BakeoffError
from bakeoff.runners.interruption import Interrupted

EntrantName = Annotated[
    str | None, typer.Option("--entrant", help="Which network.", show_default="the winner")
]
ImageIndex = Annotated[
    int | None,
    typer.Option(
        "--index", min=0, help="Which test image.", show_default="one that entrants disagree about"
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Which trial of it.")]
Everyone = Annotated[
    bool, typer.Option("--all", help="Who is right about the image, of all entrants.")
]


def compare(directory: RunDirectory, reopen: Reopen = False, as_json: AsJson = False) -> None:
    """Compare the trials of a run: differences, intervals, verdicts."""
    from bakeoff.cli.tables import results_text
    from bakeoff.commands.compare import compare_run

    conclusion = compare_run(directory, reopen=reopen)
    said = conclusion.said_of(conclusion.comparison.tested)
    print_as(as_json, conclusion.to_dict, lambda: results_text(conclusion, said))


def report(
    directory: RunDirectory,
    reopen: Reopen = False,
    trust_code: TrustCode = False,
    show_it: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Write comparison.json, the figures and report.html of a run anew."""
    from bakeoff.commands.report import report_run

    with codes_output_aside():
        conclusion = report_run(directory, reopen=reopen, trust_code=trust_code)
    print(conclusion.report)
    if show_it:
        import webbrowser

        if not webbrowser.open(conclusion.report.absolute().as_uri()):
            raise BakeoffError("--open: no browser is found here; open the page yourself")


def runs(
    directory: Annotated[
        Path | None, typer.Argument(help="Where runs lie.", show_default="runs")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List runs: how far they are, and who stands first."""
    from bakeoff.commands.runs import runs_in
    from bakeoff.records.own_study import RUNS

    found = runs_in(RUNS if directory is None else directory)
    print_as(
        as_json,
        lambda: [each.to_dict() for each in found],
        lambda: "\n".join(each.to_text() for each in found),
    )


def verify(directory: RunDirectory, trust_code: TrustCode = False, as_json: AsJson = False) -> None:
    """Compute scores, predictions and report anew; write nothing."""
    from bakeoff.commands.verify import verify_run

    with codes_output_aside():
        found = verify_run(directory, trust_code=trust_code)
    print_as(as_json, found.to_dict, found.to_text)
    if found.disagreements:
        raise BakeoffError(f"{directory}: disagreements: {len(found.disagreements)}")


def inspect(
    directory: RunDirectory,
    entrant: EntrantName = None,
    index: ImageIndex = None,
    seed: Seed = 0,
    everyone: Everyone = False,
    own: Annotated[
        bool, typer.Option("--own", help="How all do on images that you kept (bakeoff serve).")
    ] = False,
    trust_code: TrustCode = False,
    as_json: AsJson = False,
) -> None:
    """Look inside a network: where it looks, filters, feature maps."""
    if own:
        from bakeoff.commands.own import own_of_run

        with codes_output_aside():
            cases = own_of_run(directory, trust_code=trust_code)
        print_as(as_json, cases.to_dict, cases.to_text)
        return
    from bakeoff.commands.inspect import inspect_run, opinions

    if everyone:
        told = opinions(directory, index)
        print_as(as_json, told.to_dict, told.to_text)
    else:
        with codes_output_aside():
            seen = inspect_run(directory, entrant, index, seed, trust_code=trust_code)
        print_as(as_json, seen.to_dict, seen.to_text)


def serve(
    directory: RunDirectory,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8080,
    host: Annotated[
        str, typer.Option(help="Where it listens; from elsewhere a token is needed.")
    ] = "127.0.0.1",
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")
    ] = True,
    trust_code: TrustCode = False,
) -> None:
    """Draw, drop or pick an image: every trained network answers, live."""
    from bakeoff.live.serve import serve as serve_run

    # To interrupt it is how it ends.
    with suppress(Interrupted):
        serve_run(
            directory,
            host=host,
            port=port,
            browser=browser,
            trust_code=trust_code,
            say=lambda line: print(line, flush=True),
        )
