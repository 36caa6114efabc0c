"""What commands take: arguments and options that several of them share, and what these come to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bakeoff.study.study import Study

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
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="A line for each epoch, not only each trial.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def resolved(name: str, seeds: int | None = None, overrides: Sequence[str] | None = None) -> Study:
    """Return a study, shipped or a file, with what the options change of it."""
    from bakeoff.study.toml import read_study, with_overrides

    study = with_overrides(read_study(name), overrides or ())
    return study if seeds is None else study.model_copy(update={"seeds": seeds})


def file_of(study: str | None) -> str:
    """Return what errors call a study that is a file; one that ships is called by its name."""
    return study if study and study.endswith(".toml") else ""
