"""The `bakeoff` command."""

import gc
import io
import os
import sys

from bakeoff.files.search_paths import leave_out_current_folder


def main() -> None:
    """Run the command line with the arguments of the process."""
    if sys.platform == "win32":
        sys.exit("bakeoff: runs on Linux and macOS, not on Windows; use it there in WSL")
    _refuse_removed_folder()
    leave_out_current_folder()
    _take_the_place_of_closed_streams()
    _write_what_can_be_written()
    _keep_libraries_silent()
    _let_numpy_start_no_threads()
    gc.set_threshold(10_000)  # Imports make a million objects that stay: a tenth of their time.
    # Before all else: an interruption during the imports is one too.
    from bakeoff.runners.interruption import end_at_once, how_to_go_on, stop_on_signals

    arguments = sys.argv[1:]
    stop_on_signals(how_to_go_on(arguments))
    from bakeoff.cli.main import run

    end_at_once(run(arguments))


def _refuse_removed_folder() -> None:
    """End with one line where there is no current folder: MKL would end torch with its own."""
    try:
        os.getcwd()  # noqa: PTH109  # pathlib may not be imported yet.
    except OSError:
        sys.exit("bakeoff: the current folder was removed; change to one that exists")


def _take_the_place_of_closed_streams() -> None:
    """Read nothing from a standard stream that was closed, and write into nothing.

    Else the next file that is opened has its number, and gets what libraries write past Python.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


def _write_what_can_be_written() -> None:
    """Let a name that the terminal's encoding lacks be spelt out, and not end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _keep_libraries_silent() -> None:
    """Show nobody what libraries think of their cache folders, or of each other."""
    # No sooner: the current folder may have been searched until now.
    import logging
    import warnings

    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"  # For workers.


def _let_numpy_start_no_threads() -> None:
    """Stay a process that workers can be forked from."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


if __name__ == "__main__":
    main()
