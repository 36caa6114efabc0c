"""The command line: parse, one library call, print. Heavy imports wait inside the commands."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Annotated

import typer

from bakeoff.cli import judge, results, studies, training
from bakeoff.cli.output import in_words
from bakeoff.errors import BakeoffError
from bakeoff.runners.interruption import Interrupted, how_to_go_on, never_lost

app = typer.Typer(
    name="bakeoff",
    help="Which architecture is better, by how much, how sure are we, and what does it cost?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(arguments: Sequence[str]) -> int:
    """Run the command line; return the exit code. An error of the user's is one line."""
    debug = "--debug" in arguments
    # Accepted anywhere: nobody remembers on which side of a command's name an option goes.
    rest = [argument for argument in arguments if argument != "--debug"]
    if rest[:1] == ["help"]:
        rest = [*rest[1:], "--help"]
    try:
        with never_lost():
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
        print(in_words(line, sys.stderr), file=sys.stderr, flush=True)


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


VERBS: dict[str, Callable[..., None]] = {
    "run": training.run,
    "compare": results.compare,
    "judge": judge.judge,
    "report": results.report,
    "runs": results.runs,
    "worker": training.worker,
    "status": training.status,
    "verify": results.verify,
    "inspect": results.inspect,
    "serve": results.serve,
    "data": studies.data,
    "clear": studies.clear,
    "new": studies.new,
    "check": studies.check,
    "list": studies.list_names,
    "show": studies.show,
}
"""In this order they are listed."""

for name, command in VERBS.items():
    app.command(name)(command)
