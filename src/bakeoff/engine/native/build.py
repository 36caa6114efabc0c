"""C files, compiled by the machine's own compiler into one library."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from bakeoff.text import shortened

FLAGS = (
    "-std=c11",
    "-O3",
    "-fno-math-errno",
    "-mprefer-vector-width=512",
    "-march=native",
    "-ffp-contract=fast",
    "-fopenmp",
    "-fPIC",
    "-shared",
    "-Wall",
    "-lm",
)
"""Not -ffast-math: a loss that is not finite has to stay so."""

_PATIENCE = 60
"""Seconds after which a compiler is given up. Ours takes four, and longer on a busy machine."""

_SILENCE = 1
"""Seconds after which it is said that a compiler is at work."""

Say = Callable[[str], None]
"""Hears in one line what takes time."""


def nobody(line: str) -> None:
    """Let nobody hear it."""


class NoKernelsError(Exception):
    """Why there are no kernels here: a phrase for the record. Training goes on without them."""


@dataclass(frozen=True)
class Compiler:
    """A C compiler of this machine."""

    command: tuple[str, ...]
    """Its absolute path, and the arguments that $CC gives it."""
    version: str
    """All that it says of itself."""

    @property
    def name(self) -> str:
        """What it calls itself, and its version, as `gcc 12.2.0`."""
        first = self.version.partition("\n")[0]
        return " ".join(re.sub(r"\(.*?\)", "", first).split())


def find_compiler() -> Compiler:
    """Return the compiler that $CC names, or else gcc, or else cc.

    Raises NoKernelsError where it is not there, or does not say its version.
    """
    asked = os.environ.get("CC", "").split()
    for program, *arguments in [asked] if asked else [["gcc"], ["cc"]]:
        found = shutil.which(program)
        if found is not None:
            command = (str(Path(found).absolute()), *arguments)
            return Compiler(command, _output_of([*command, "--version"], Path("/")))
    raise NoKernelsError(f"no C compiler called {asked[0]}" if asked else "no C compiler")


def library_key(sources: Path, compiler: Compiler) -> str:
    """Return what the library of the folder `sources` is known by: another if it would differ.

    Raises NoKernelsError where the folder has no C files, OSError where one cannot be read.
    """
    if not _c_files(sources):
        raise NoKernelsError("no C files")
    depends_on = [
        {file.name: _sha256(file.read_bytes()) for file in sorted(sources.glob("*.[ch]"))},
        FLAGS,
        compiler.command,
        compiler.version,
        _processor(),
        torch.__version__,
    ]
    return _sha256(json.dumps(depends_on).encode())


def compile_library(sources: Path, compiler: Compiler, library: Path, say: Say = nobody) -> None:
    """Compile all C files of the folder `sources` into the file `library`.

    Raises NoKernelsError with the compiler's first complaint.
    """
    # From within their folder, so that complaints and machine code name files without their paths.
    output = str(library.absolute())
    _output_of([*compiler.command, *_c_files(sources), *FLAGS, "-o", output], sources, say)


def _c_files(sources: Path) -> list[str]:
    return sorted(file.name for file in sources.glob("*.c"))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _processor() -> list[str]:
    """Return what -march=native looks at."""
    first = Path("/proc/cpuinfo").read_text("latin-1").partition("\n\n")[0]
    return [
        line for line in first.splitlines() if line.startswith(("cpu family", "model", "flags"))
    ]


def _output_of(command: list[str], folder: Path, say: Say = nobody) -> str:
    """Return what a compiler prints; raise NoKernelsError where it fails or takes too long."""
    name = Path(command[0]).name
    try:
        with subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # So that all that it starts ends with it.
        ) as running:
            try:
                output, complaint = _wait(running, name, say)
            except BaseException:
                with suppress(ProcessLookupError):
                    os.killpg(running.pid, signal.SIGKILL)
                raise
    except subprocess.TimeoutExpired as error:
        raise NoKernelsError(f"{name} took more than {_PATIENCE} seconds") from error
    except OSError as error:
        raise NoKernelsError(f"{name} failed: {error.strerror}") from error
    if running.returncode != 0:
        raise NoKernelsError(f"{name} failed: {_first_error(complaint, running.returncode)}")
    return output


def _wait(running: subprocess.Popen[str], name: str, say: Say) -> tuple[str, str]:
    """Return what a process prints; say that it is at work where it takes a while."""
    try:
        return running.communicate(timeout=_SILENCE)
    except subprocess.TimeoutExpired:
        say(f"{name} compiles the kernels for this machine, once")
    return running.communicate(timeout=_PATIENCE - _SILENCE)


def _first_error(complaint: str, code: int) -> str:
    """Return the first line with an error, or else the first line, or else the exit code."""
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line]
    return shortened([*errors, *lines, f"exit code {code}"][0], 160)
