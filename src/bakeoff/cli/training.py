"""Verbs that train: `run`, `worker`, and `status` of what they do."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bakeoff.cli.options import (
    AsJson,
    Device,
    Gpus,
    Jobs,
    On,
    Out,
    Overrides,
    Precision,
    Reopen,
    RetryFailed,
    RunDirectory,
    Seeds,
    Stack,
    Threads,
    TrustCode,
    Verbose,
    file_of,
    resolved,
)
from bakeoff.cli.output import codes_output_aside, print_as
from bakeoff.errors import TrialsFailedError, UsageError

if TYPE_CHECKING:
    from bakeoff.study.study import Study


USUAL_STUDY = "fair"
"""What `run` trains where nothing is named."""


def run(
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
    from bakeoff.runners.crew import may_fork, started_crew

    asked = resolved(USUAL_STUDY if study is None else study, seeds, overrides)
    directory = out or RUNS / asked.name
    if dry_run:
        _print_submission(asked, directory, on, device, jobs, threads)
        return
    # Workers that cannot be forked from this process import beside it, for a second or two.
    anew = may_be_several(jobs) and not stack and on is None and not may_fork(threads)
    with (
        RunDisplay(Console(stderr=True), epochs=verbose) as display,
        codes_output_aside(),
        started_crew(asked.protocol.dataset) if anew else nullcontext() as crew,
    ):
        if study is None:
            display.stage(
                f"no study was named, so this is {asked.name}: {asked.label}. It goes into "
                f"{directory}; bakeoff list studies names others"
            )
        # After what is said first, since importing torch takes a second in which a person waits.
        from bakeoff.commands.run import run_study

        conclusion = run_study(
            asked,
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
            source=file_of(study),
            crew=crew,
            on=on,
            gpus=gpus,
        ).conclusion
    said = conclusion.said_of(conclusion.pairs_of_winner)
    print_as(as_json, conclusion.to_dict, lambda: results_text(conclusion, said))
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

    with RunDisplay(Console(stderr=True), epochs=verbose) as display, codes_output_aside():
        from bakeoff.commands.work import work_on

        worked = work_on(
            directory,
            device=device,
            jobs=jobs,
            threads=threads,
            trust_code=trust_code,
            listener=display,
        )
    print_as(as_json, worked.to_dict, worked.to_text)


def status(directory: RunDirectory, as_json: AsJson = False) -> None:
    """Tell how far a run is: finished, running and where, failed."""
    from bakeoff.commands.status import status_of

    found = status_of(directory)
    print_as(as_json, found.to_dict, found.to_text)
