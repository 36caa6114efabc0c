"""The command line: parse, one library call, print. Heavy imports wait inside the commands."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bakeoff.errors import BakeoffError, TrialsFailedError
from bakeoff.runners.interruption import Interrupted, how_to_go_on

if TYPE_CHECKING:
    from bakeoff.comparison.pair import PairComparison
    from bakeoff.findings.conclusion import Conclusion
    from bakeoff.study.study import Study

app = typer.Typer(
    name="bakeoff",
    help="Which architecture is better, by how much, how sure are we, and what does it cost?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


StudyName = Annotated[str, typer.Argument(help="A shipped study's name, or a TOML file.")]
RunDirectory = Annotated[Path, typer.Argument(help="The folder of a run.")]
Seeds = Annotated[
    int | None, typer.Option(min=1, max=10_000, help="How often each entrant is trained.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="ENTRANT.KEY=VALUE",
        help="Change a recipe (all of them: recipe.KEY). Repeatable.",
    ),
]
Reopen = Annotated[
    bool,
    typer.Option(
        "--reopen", help="Decide by another rule than verdicts were seen by; each names it."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def run(arguments: Sequence[str]) -> int:
    """Run the command line; return the exit code. An error of the user's is one line."""
    debug = "--debug" in arguments
    # Accepted anywhere: nobody remembers on which side of a command's name an option goes.
    rest = [argument for argument in arguments if argument != "--debug"]
    try:
        code = _exit_code_of(rest)
        # What is still to be written may fail, too: now, and not as Python ends.
        if sys.stdout is not None:
            sys.stdout.flush()
    except BakeoffError as error:
        if debug:
            raise
        _complain(f"bakeoff: {error}")
        return error.exit_code
    except Interrupted as stop:
        _complain(how_to_go_on(arguments))
        return stop.exit_code
    except BrokenPipeError:
        # The reader of our output went away, as `head` does. Whom a signal ends exits so.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        if debug:
            raise
        _complain(f"bakeoff: {error.filename or 'input/output'}: {error.strerror or error}")
        return 1
    return code


def _exit_code_of(arguments: Sequence[str]) -> int:
    """Run a command; return what it exits with. A broken pipe stays one."""
    try:
        app(arguments)
    except SystemExit as stop:
        # typer and rich make an exit of it.
        if isinstance(stop.__context__, BrokenPipeError):
            raise stop.__context__ from None
        return int(stop.code or 0)
    return 0


def _complain(line: str) -> None:
    """Print a line on standard error, if anybody reads there."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"bakeoff {version('bakeoff')}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Answer which architecture is better, by how much, how sure we are, and what it costs."""


@app.command("run")
def run_command(
    study: StudyName = "fair",
    out: Annotated[
        Path | None, typer.Option(help="Where the run goes.", show_default="runs/NAME")
    ] = None,
    seeds: Seeds = None,
    overrides: Overrides = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = "auto",
    jobs: Annotated[
        str, typer.Option(help="Trials that train at once: a number, or auto, one for each core.")
    ] = "auto",
    threads: Annotated[
        str,
        typer.Option(
            help="Threads of each trial: a number, or auto, which is 1. Others change last digits."
        ),
    ] = "auto",
    stack: Annotated[
        bool,
        typer.Option(
            "--stack",
            help="Train all seeds of an entrant in one program. Times are not compared, and what "
            "an interruption leaves unfinished begins anew.",
        ),
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Set failed trials aside, train them again.")
    ] = False,
    reopen: Reopen = False,
    as_json: AsJson = False,
) -> None:
    """Train what is missing of a study, compare, and write the report."""
    resolved = _resolve(study, seeds, overrides or [])
    folder = out or Path("runs") / resolved.name
    from rich.console import Console

    from bakeoff.cli.display import RunDisplay
    from bakeoff.runners.cores import usable_cores
    from bakeoff.runners.crew import started_crew

    # Workers import torch beside this process, which takes a second or two.
    several = jobs != "1" and not stack and usable_cores() > 1
    with (
        RunDisplay(Console(stderr=True)) as display,
        started_crew() if several else nullcontext() as crew,
    ):
        # The bars come first, since importing torch takes a second in which a person waits.
        from bakeoff.commands.run import run_study

        try:
            baked = run_study(
                resolved,
                folder,
                device=device,
                precision=precision,
                stack=stack,
                jobs=jobs,
                threads=threads,
                retry_failed=retry_failed,
                reopen=reopen,
                listener=display,
                source=study if study.endswith(".toml") else "",
                crew=crew,
            )
        except KeyboardInterrupt:
            # Where nobody turned signals into the exception below, as in a test.
            raise Interrupted(signal.SIGINT) from None
    conclusion = baked.conclusion
    _print_conclusion(conclusion, conclusion.pairs_of_winner, as_json)
    if conclusion.troubles:
        raise TrialsFailedError(conclusion.troubles, conclusion.planned, conclusion.missing)


@app.command()
def compare(directory: RunDirectory, reopen: Reopen = False, as_json: AsJson = False) -> None:
    """Compare the trials of a run: differences, intervals, verdicts."""
    from bakeoff.commands.compare import compare_run

    conclusion = compare_run(directory, reopen=reopen)
    _print_conclusion(conclusion, conclusion.comparison.pairs, as_json)


@app.command()
def report(directory: RunDirectory, reopen: Reopen = False) -> None:
    """Write comparison.json, the figures and report.html of a run anew."""
    from bakeoff.commands.report import report_run

    print(report_run(directory, reopen=reopen).report)


@app.command()
def verify(directory: RunDirectory, as_json: AsJson = False) -> None:
    """Compute scores, predictions and report anew; write nothing."""
    from bakeoff.commands.verify import verify_run

    found = verify_run(directory)
    if as_json:
        _print_json(found.to_dict())
    else:
        print("\n".join([*found.disagreements, *(f"checked: {line}" for line in found.checked)]))
    if found.disagreements:
        raise BakeoffError(f"{directory}: disagreements: {len(found.disagreements)}")


@app.command()
def inspect(
    directory: RunDirectory,
    entrant: Annotated[
        str | None, typer.Option(help="Which network.", show_default="the winner")
    ] = None,
    index: Annotated[int, typer.Option(min=0, help="Which test image.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Which trial of it.")] = 0,
    everyone: Annotated[
        bool, typer.Option("--all", help="Who is right about the image, of all entrants.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look inside a network: filters, feature maps around activations."""
    if everyone:
        from bakeoff.commands.opinions import opinions

        table = opinions(directory, index)
        _print_json(table.to_dict()) if as_json else print(table.to_text())
        return
    from bakeoff.commands.inspect import inspect_run

    seen = inspect_run(directory, entrant, index, seed)
    _print_json(seen.to_dict()) if as_json else print(seen.to_text())


@app.command("list")
def list_names(
    what: Annotated[str, typer.Argument(help="studies, architectures or datasets.")],
    as_json: AsJson = False,
) -> None:
    """List the studies, architectures or data sets that ship."""
    from bakeoff.commands.listing import describe

    rows = describe(what)
    if as_json:
        _print_json([{"name": name, "description": text} for name, text in rows])
        return
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        print(f"{name:<{width}}  {text}")


@app.command()
def show(
    study: StudyName,
    seeds: Seeds = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Print a study as resolved, every default written out."""
    from bakeoff.study.toml import to_toml

    resolved = _resolve(study, seeds, overrides or [])
    if as_json:
        _print_json(resolved.model_dump(mode="json"))
    else:
        print(to_toml(resolved), end="")


def _resolve(name: str, seeds: int | None, overrides: Sequence[str]) -> Study:
    from bakeoff.study.toml import find_study, read_study, with_overrides

    study = with_overrides(read_study(find_study(name)), overrides)
    return study if seeds is None else study.model_copy(update={"seeds": seeds})


def _print_json(document: Any) -> None:
    print(json.dumps(document, indent=1))


def _print_conclusion(
    conclusion: Conclusion, pairs: Sequence[PairComparison], as_json: bool
) -> None:
    from bakeoff.cli.tables import pair_lines, results_console, results_table, say

    if as_json:
        _print_json(conclusion.to_dict())
        return
    metric = conclusion.study.protocol.selection_metric
    console = results_console()
    console.print(results_table(conclusion.standings, metric))
    for trouble in conclusion.troubles:
        say(console, trouble)
    for note in (conclusion.comparison.time_note, conclusion.look_note):
        if note:
            say(console, note)
    say(console, conclusion.answer)
    for line in pair_lines(pairs, conclusion.more_seeds):
        say(console, line)
    if conclusion.report.exists():
        print(f"report: {conclusion.report}")
