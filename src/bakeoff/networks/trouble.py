"""What goes wrong inside a network's code, in one line: file, line, reason."""

from __future__ import annotations

import linecache
import sys
import textwrap
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from bakeoff.errors import BakeoffError, NetworkError, UsageError
from bakeoff.networks.sources import Source
from bakeoff.networks.stopping import StoppedError

_LONGEST = 200

_OURS = (str(Path(__file__).parents[1]), str(Path(torch.__file__).parent))
"""Code in which nobody looks for the mistake in a network."""


@contextmanager
def told(what: str, source: Source | None) -> Iterator[None]:
    """Raise NetworkError, `what: file, line: reason`, for whatever a network's code raises inside.

    What says that memory ran out passes, as does an interruption by the user.
    """
    try:
        yield
    except UsageError as error:  # Something that networks must not do here.
        raise NetworkError(f"{what}: {error}") from error
    except BakeoffError:
        raise
    except KeyboardInterrupt as error:
        if not _raised_by_code(error):
            raise
        raise _error(what, error, source) from error
    except (Exception, SystemExit, StoppedError) as error:
        if isinstance(error, MemoryError | torch.OutOfMemoryError):
            raise
        if "DefaultCPUAllocator" in str(error):
            raise
        raise _error(what, error, source) from error


def _error(what: str, error: BaseException, source: Source | None) -> NetworkError:
    line = reason(error, source)
    # Where a file fails to be imported, the line names it, or the one beside it that fails.
    imported = source is not None and what == str(source.file) and ", line " in line
    return NetworkError(line if imported or line.startswith(f"{what}, ") else f"{what}: {line}")


def reason(error: BaseException, source: Source | None) -> str:
    """Return file, line and reason of what a network's code raised."""
    if isinstance(error, SyntaxError) and error.filename:
        # Of a module that is installed: those beside the network were read before.
        return f"{error.filename}, line {error.lineno}: {error.msg}"
    where = _where(error, source)
    return f"{where}: {_words(error)}" if where else _words(error)


def _words(error: BaseException) -> str:
    match error:
        case StoppedError():
            return f"{error}"
        case SystemExit():
            return 'it ends Python; let it do so below `if __name__ == "__main__":` alone'
        case ModuleNotFoundError(name=str(name)):
            named = name.partition(".")[2] if name.startswith("bakeoff_network_") else name
            return f"there is no module {named!r}; install it, or lay it beside the file"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = f": {textwrap.shorten(lines[0], _LONGEST, placeholder='…')}" if lines else ""
    return f"{type(error).__name__}{said}"


def _where(error: BaseException, source: Source | None) -> str:
    """Return the innermost line of the network's own code, or else of a package's."""
    frames = [
        (frame.f_code.co_filename, line, str(frame.f_globals.get("__name__", "")))
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    if source is not None:
        files = {str(source.root / path) for path in source.content}
        own = [(file, line) for file, line, _ in frames if file in files]
        if own:
            return f"{own[-1][0]}, line {own[-1][1]}"
    others = [
        (name, line)
        for file, line, name in frames
        if not file.startswith(_OURS)
        and not file.startswith("<")
        and name.partition(".")[0] not in sys.stdlib_module_names
    ]
    return f"{others[-1][0]}, line {others[-1][1]}" if others else ""


def _raised_by_code(error: KeyboardInterrupt) -> bool:
    """Return whether code raised what Python raises where the user presses Ctrl-C."""
    frame, line = list(traceback.walk_tb(error.__traceback__))[-1]
    return "KeyboardInterrupt" in linecache.getline(frame.f_code.co_filename, line)
