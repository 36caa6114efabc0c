"""The command line: parse, one library call, print. Heavy imports wait inside the commands."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bakeoff.errors import BakeoffError, NotShownError, TrialsFailedError, UsageError
from bakeoff.runners.interruption import Interrupted, how_to_go_on

if TYPE_CHECKING:
    from bakeoff.study.study import Study

app = typer.Typer(
    name="bakeoff",
    help="Which architecture is better, by how much, how sure are we, and what does it cost?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


USUAL_STUDY = "fair"
"""What `run` trains where nothing is named."""

StudyName = Annotated[str, typer.Argument(help="A shipped study's name, or a TOML file.")]
RunDirectory = Annotated[Path, typer.Argument(help="The folder of a run.")]
Out = Annotated[Path | None, typer.Option(help="Where the run goes.", show_default="runs/NAME")]
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
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Precision = Annotated[str, typer.Option(help="auto, float32 or bfloat16.")]
Jobs = Annotated[
    str, typer.Option(help="Trials that train at once: a number, or auto, one for each core.")
]
Threads = Annotated[
    str,
    typer.Option(
        help="Threads of each trial: a number, or auto, which is 1. Others change last digits."
    ),
]
Stack = Annotated[
    bool,
    typer.Option(
        "--stack",
        help="Train all seeds of an entrant in one program. Times are not compared, and what an "
        "interruption leaves unfinished begins anew.",
    ),
]
On = Annotated[
    str | None,
    typer.Option(metavar="ray[:HOST:PORT]|slurm", help="Train on other machines."),
]
Gpus = Annotated[
    float, typer.Option(min=0.01, help="Of each trial on a GPU, with --on: 0.5 lets two share it.")
]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="Set failed trials aside, train them again.")
]
Reopen = Annotated[
    bool,
    typer.Option(
        "--reopen", help="Decide by another rule than verdicts were seen by; each names it."
    ),
]
TrustCode = Annotated[
    bool,
    typer.Option("--trust-code", help="Run the code of networks that lies in the folder."),
]
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
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="A line for each epoch, not only each trial.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def run(arguments: Sequence[str]) -> int:
    """Run the command line; return the exit code. An error of the user's is one line."""
    debug = "--debug" in arguments
    # Accepted anywhere: nobody remembers on which side of a command's name an option goes.
    rest = [argument for argument in arguments if argument != "--debug"]
    if rest[:1] == ["help"]:
        rest = [*rest[1:], "--help"]
    try:
        code = _exit_code_of(rest)
        # What is still to be written may fail, too: now, and not as Python ends.
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


@contextmanager
def _codes_output_aside() -> Iterator[None]:
    """Let what code of networks prints go to standard error: standard output carries results.

    So does what it writes past Python, and what the programs do that it starts.
    """
    sys.stdout.flush()
    with ExitStack() as after:
        kept = os.dup(1)
        after.callback(os.close, kept)
        after.callback(os.dup2, kept, 1)
        os.dup2(2, 1)
        after.enter_context(redirect_stdout(sys.stderr))
        yield


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
    study: Annotated[
        str | None,
        typer.Argument(help="A shipped study's name, or a TOML file.", show_default=USUAL_STUDY),
    ] = None,
    out: Out = None,
    seeds: Seeds = None,
    overrides: Overrides = None,
    device: Device = "auto",
    precision: Precision = "auto",
    jobs: Jobs = "auto",
    threads: Threads = "auto",
    stack: Stack = False,
    on: On = None,
    gpus: Gpus = 1.0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what --on slurm would submit, and end.")
    ] = False,
    retry_failed: RetryFailed = False,
    reopen: Reopen = False,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Train what is missing of a study, compare, and write the report."""
    from rich.console import Console

    from bakeoff.cli.display import RunDisplay
    from bakeoff.cli.tables import results_text
    from bakeoff.records.own_study import RUNS
    from bakeoff.runners.cores import may_be_several
    from bakeoff.runners.crew import started_crew

    resolved = _resolve(USUAL_STUDY if study is None else study, seeds, overrides)
    directory = out or RUNS / resolved.name
    if dry_run:
        _print_submission(resolved, directory, on, device, jobs, threads)
        return
    # Workers import torch beside this process, which takes a second or two.
    several = may_be_several(jobs) and not stack and on is None
    with (
        RunDisplay(Console(stderr=True), epochs=verbose) as display,
        _codes_output_aside(),
        started_crew(resolved.protocol.dataset) if several else nullcontext() as crew,
    ):
        if study is None:
            display.stage(
                f"no study was named, so this is {resolved.name}: {resolved.label}. It goes into "
                f"{directory}; bakeoff list studies names others"
            )
        # The bars come first, since importing torch takes a second in which a person waits.
        from bakeoff.commands.run import run_study

        conclusion = run_study(
            resolved,
            directory,
            device=device,
            precision=precision,
            stack=stack,
            jobs=jobs,
            threads=threads,
            retry_failed=retry_failed,
            reopen=reopen,
            foretell=study is None,
            listener=display,
            source=_file_of(study),
            crew=crew,
            on=on,
            gpus=gpus,
        ).conclusion
    said = conclusion.said_of(conclusion.pairs_of_winner)
    _print(as_json, conclusion.to_dict, lambda: results_text(conclusion, said))
    if conclusion.troubles:
        planned = sum(row.planned for row in conclusion.standings)
        missing = sum(row.missing for row in conclusion.standings)
        raise TrialsFailedError(conclusion.troubles, planned, missing)


def _print_submission(
    study: Study, directory: Path, on: str | None, device: str, jobs: str, threads: str
) -> None:
    if on != "slurm":
        raise UsageError("--dry-run: says what --on slurm would submit; give that, too")
    from bakeoff.commands.run import planned_for_slurm

    print(planned_for_slurm(study, directory, device, jobs, threads).rstrip("\n"))


@app.command()
def compare(directory: RunDirectory, reopen: Reopen = False, as_json: AsJson = False) -> None:
    """Compare the trials of a run: differences, intervals, verdicts."""
    from bakeoff.cli.tables import results_text
    from bakeoff.commands.compare import compare_run

    conclusion = compare_run(directory, reopen=reopen)
    said = conclusion.said_of(conclusion.comparison.tested)
    _print(as_json, conclusion.to_dict, lambda: results_text(conclusion, said))


@app.command()
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
    _print(as_json, judged.to_dict, lambda: judgement_text(judged, page))
    if judged.not_met:
        sentences = "; ".join(each.sentence for each in judged.not_met)
        raise NotShownError(f"not shown: {sentences}")


@app.command()
def report(
    directory: RunDirectory,
    reopen: Reopen = False,
    trust_code: TrustCode = False,
    show_it: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Write comparison.json, the figures and report.html of a run anew."""
    from bakeoff.commands.report import report_run

    with _codes_output_aside():
        conclusion = report_run(directory, reopen=reopen, trust_code=trust_code)
    print(conclusion.report)
    if show_it:
        import webbrowser

        if not webbrowser.open(conclusion.report.absolute().as_uri()):
            raise BakeoffError("--open: no browser is found here; open the page yourself")


@app.command()
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
    _print(
        as_json,
        lambda: [each.to_dict() for each in found],
        lambda: "\n".join(each.to_text() for each in found),
    )


@app.command()
def worker(
    directory: RunDirectory,
    device: Device = "auto",
    jobs: Jobs = "auto",
    threads: Threads = "auto",
    trust_code: TrustCode = False,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Train trials of a run that another machine began."""
    from rich.console import Console

    from bakeoff.cli.display import RunDisplay

    with RunDisplay(Console(stderr=True), epochs=verbose) as display, _codes_output_aside():
        from bakeoff.commands.work import work_on

        worked = work_on(
            directory,
            device=device,
            jobs=jobs,
            threads=threads,
            trust_code=trust_code,
            listener=display,
        )
    _print(as_json, worked.to_dict, worked.to_text)


@app.command()
def status(directory: RunDirectory, as_json: AsJson = False) -> None:
    """Tell how far a run is: finished, running and where, failed."""
    from bakeoff.commands.status import status_of

    found = status_of(directory)
    _print(as_json, found.to_dict, found.to_text)


@app.command()
def verify(directory: RunDirectory, trust_code: TrustCode = False, as_json: AsJson = False) -> None:
    """Compute scores, predictions and report anew; write nothing."""
    from bakeoff.commands.verify import verify_run

    with _codes_output_aside():
        found = verify_run(directory, trust_code=trust_code)
    _print(as_json, found.to_dict, found.to_text)
    if found.disagreements:
        raise BakeoffError(f"{directory}: disagreements: {len(found.disagreements)}")


@app.command()
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

        with _codes_output_aside():
            cases = own_of_run(directory, trust_code=trust_code)
        _print(as_json, cases.to_dict, cases.to_text)
        return
    from bakeoff.commands.inspect import inspect_run, opinions

    if everyone:
        told = opinions(directory, index)
        _print(as_json, told.to_dict, told.to_text)
    else:
        with _codes_output_aside():
            seen = inspect_run(directory, entrant, index, seed, trust_code=trust_code)
        _print(as_json, seen.to_dict, seen.to_text)


@app.command()
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


@app.command()
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

        written = write_augmented_sheet(protocol, _resolve(augmented, None, None), sheet)
        _print(as_json, lambda: {"sheet": str(written)}, lambda: f"sheet: {written}")
        return
    # A large folder takes a minute: who sits at a terminal sees that something happens.
    with Console(stderr=True).status("looking at every image"):
        surveyed = survey_data(protocol, sheet)
    _print(as_json, surveyed.to_dict, lambda: survey_text(surveyed))


@app.command()
def clear() -> None:
    """Remove the decoded images that are kept."""
    from bakeoff.commands.data import clear_kept

    print(clear_kept())


@app.command()
def new(
    source: Annotated[str, typer.Argument(help="Images: a folder, a file, or a shipped name.")],
    out: Annotated[
        Path | None, typer.Option(help="Where the study goes.", show_default="NAME.toml")
    ] = None,
) -> None:
    """Write a study of three networks for images of yours."""
    from bakeoff.commands.new import new_study

    print(new_study(source, out).to_text())


@app.command()
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

    with _codes_output_aside():
        checked = check_study(
            _resolve(study, seeds, overrides),
            device=device,
            precision=precision,
            source=_file_of(study),
        )
    _print(as_json, checked.to_dict, lambda: check_text(checked))
    if checked.faults:
        raise BakeoffError(f"{study}: faults: {len(checked.faults)}; mend them before it is run")


@app.command("list")
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
        _print(
            as_json,
            lambda: {kind: _name_rows(rows) for kind, rows in shipped.items()},
            lambda: "\n\n".join(f"{kind}\n{_name_lines(rows)}" for kind, rows in shipped.items()),
        )
        return
    rows = describe(what)
    _print(as_json, lambda: _name_rows(rows), lambda: _name_lines(rows))


def _name_rows(rows: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "description": text} for name, text in rows.items()]


def _name_lines(rows: Mapping[str, str]) -> str:
    width = max(map(len, rows))
    return "\n".join(f"{name:<{width}}  {text}" for name, text in rows.items())


@app.command()
def show(
    study: StudyName, seeds: Seeds = None, overrides: Overrides = None, as_json: AsJson = False
) -> None:
    """Print a study as resolved: every key, unset ones as comments."""
    from bakeoff.study.toml import to_toml

    resolved = _resolve(study, seeds, overrides)
    _print(as_json, lambda: resolved.model_dump(mode="json"), lambda: to_toml(resolved, unset=True))


def _columns(asked: str | None) -> dict[str, str]:
    """Return which column is what, from "label=answer,predicted=choice"."""
    found = {}
    for each in asked.split(",") if asked else ():
        role, equals, name = each.partition("=")
        if not (equals and role.strip() and name.strip()):
            raise UsageError(f"--columns {asked}: write label=NAME,predicted=NAME")
        found[role.strip()] = name.strip()
    return found


def _resolve(name: str, seeds: int | None, overrides: Sequence[str] | None) -> Study:
    from bakeoff.study.toml import read_study, with_overrides

    study = with_overrides(read_study(name), overrides or ())
    return study if seeds is None else study.model_copy(update={"seeds": seeds})


def _file_of(study: str | None) -> str:
    """Return what errors call a study that is a file; one that ships is called by its name."""
    return study if study and study.endswith(".toml") else ""


def _print(as_json: bool, document: Callable[[], Any], text: Callable[[], str]) -> None:
    print(json.dumps(document(), indent=1) if as_json else text().removesuffix("\n"))
