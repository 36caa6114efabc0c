"""No process of bakeoff takes code from the current folder, however it is started."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

import bakeoff

SOURCE = str(Path(bakeoff.__file__).parents[1])
STUDY = """
name = "tiny"

[protocol]
dataset = "digits"
validation_examples = 97
train_examples = 100

[recipe]
epochs = 1

[[entrants]]
name = "a"
architecture = "logistic-regression"

[[entrants]]
name = "b"
architecture = "logistic-regression"
"""
LIBRARIES = ("numpy", "torch", "scipy", "sklearn", "pydantic", "rich", "typer", "safetensors")


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A folder where every module and program leaves a mark when it runs."""
    folder = tmp_path / "trap"
    folder.mkdir()
    for name in (set(sys.stdlib_module_names) | set(LIBRARIES)) - loaded_by_python():
        (folder / f"{name}.py").write_text(
            f"with open({str(tmp_path / 'mark')!r}, 'a') as mark: mark.write(__name__ + ' ')\n"
            "raise ImportError('from the current folder')\n"
        )
    for name in ("git", "gcc", "cc", "uname", "as", "ld", "python"):
        program = folder / name
        program.write_text(f"#!/bin/sh\nprintf '{name}! ' >> '{tmp_path / 'mark'}'\nexit 1\n")
        program.chmod(0o755)
    (folder / "tiny.toml").write_text(STUDY)
    return folder


def loaded_by_python() -> set[str]:
    """Return the modules that `python -m` takes before any code of ours runs."""
    code = "import runpy, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def marks(trap: Path) -> str:
    mark = trap.parent / "mark"
    return mark.read_text() if mark.exists() else ""


def start(trap: Path, arguments: Iterable[str], **environment: str) -> None:
    variables: Mapping[str, str] = os.environ | {"PYTHONPATH": SOURCE} | environment
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=trap,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (marks(trap), done.returncode) == ("", 0), done.stderr


RUN = ("run", "tiny.toml", "--out", "run", "--jobs", "2")


def test_a_run_with_workers_and_their_programs(trap: Path) -> None:
    path = os.pathsep.join(["", ".", os.environ["PATH"]])
    start(trap, ["-m", "bakeoff", *RUN], PATH=path)


def test_a_path_of_modules_that_depends_on_the_current_folder(trap: Path) -> None:
    for name in set(sys.stdlib_module_names) - set(LIBRARIES):
        # Python itself takes them before any code of ours runs.
        (trap / f"{name}.py").unlink(missing_ok=True)
    start(trap, ["-m", "bakeoff", *RUN], PYTHONPATH=os.pathsep.join(["", ".", "../trap", SOURCE]))


def test_a_notebook_in_such_a_folder_starts_workers_that_are_safe(trap: Path) -> None:
    # What the notebook's own process finds is its own affair.
    code = (
        "import sys; del sys.path[0]\n"
        "from pathlib import Path\n"
        "from bakeoff import read_study, run_study\n"
        "run_study(read_study(Path('tiny.toml')), Path('run'), jobs=2)\n"
    )
    start(trap, ["-c", code])


def test_the_package_itself_may_lie_in_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "bakeoff").symlink_to(Path(SOURCE) / "bakeoff")
    (tmp_path / "tiny.toml").write_text(STUDY)
    start(tmp_path, ["-m", "bakeoff", "show", "tiny.toml"], PYTHONPATH="")


def test_the_trap_works(trap: Path) -> None:
    """Without our care the mark is left."""
    with pytest.raises(AssertionError, match="numpy"):
        start(trap, ["-c", "import numpy"])
