"""Nothing that is read can run code: no pickle is read or written, here or by mistake later."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bakeoff

SOURCES = sorted(Path(bakeoff.__file__).parent.rglob("*.py"))
CONFIGURATION = Path(__file__).parents[1] / "pyproject.toml"
MODULES = {
    "pickle", "_pickle", "cPickle", "pickletools", "copyreg", "dill", "joblib", "shelve", "marshal",
    "cloudpickle", "multiprocessing",
}  # fmt: skip
CALLS = re.compile(
    r"(np|numpy)\.(load|save|savez|savez_compressed|memmap|fromfile|lib\.format\.(read_array|open_memmap))"
    r"|torch\.(load|save|jit\.load|package\..*)|(pd|pandas)\.(read|to)_pickle|eval|exec|__import__"
)


def dangers(source: str) -> list[str]:
    """Return the ways in which a source can read or write a pickle, or run what it reads."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            found += [module] if module.split(".")[0] in MODULES else []
            found += [
                f"{module}.{alias.name}"
                for alias in node.names
                if CALLS.fullmatch(f"{module}.{alias.name}")
            ]
        elif isinstance(node, ast.Call):
            found += [ast.unparse(node.func)] if CALLS.fullmatch(ast.unparse(node.func)) else []
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            found += ["allow_pickle"] if ast.unparse(node.value) != "False" else []
    return found


def test_no_source_reads_or_writes_a_pickle() -> None:
    assert len(SOURCES) > 40
    found = {str(path): dangers(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert {path: what for path, what in found.items() if what} == {}


def test_no_source_is_excused_from_the_ban() -> None:
    for path in SOURCES:
        assert not re.search(r"noqa: .*(TID251|S30[12])|noqa\s*$", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "def f():\n    import _pickle",
        "from joblib import load",
        "import dill.source",
        "from shelve import open",
        "import marshal",
        "np.load(file)",
        "np.load(file, allow_pickle=True)",
        "numpy.savez(file)",
        "np.lib.format.read_array(file)",
        "np.lib.format.write_array(file, array, allow_pickle=yes)",
        "torch.load(file)",
        "torch.load(file, weights_only=True)",
        "torch.save(state, file)",
        "from torch import load",
        "from numpy import load",
        "eval(text)",
    ],
)
def test_a_breach_would_be_found(source: str) -> None:
    assert dangers(source)


def linted(folder: Path, source: str) -> str:
    """Return what the project's own lint rules say of a source."""
    file = folder / "newcomer.py"
    file.write_text(f'"""A module."""\n\n{source}\n')
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--config", str(CONFIGURATION),
         "--select", "TID251,S301,S302", "--output-format", "concise", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize(
    ("source", "banned"),
    [
        ("import pickle", "`pickle` is banned"),
        ("from pickle import loads", "`pickle` is banned"),
        ("import _pickle", "`_pickle` is banned"),
        ("import dill", "`dill` is banned"),
        ("import joblib", "`joblib` is banned"),
        ("import shelve", "`shelve` is banned"),
        ("import marshal", "`marshal` is banned"),
        ("import cloudpickle", "`cloudpickle` is banned"),
        ("import torch\ntorch.load('a')", "`torch.load` is banned"),
        ("import torch as t\nt.save({}, 'a')", "`torch.save` is banned"),
        ("from torch import load", "`torch.load` is banned"),
        ("import numpy as np\nnp.load('a')", "`numpy.load` is banned"),
        ("import numpy as np\nnp.save('a', 1)", "`numpy.save` is banned"),
        ("import pandas as pd\npd.read_pickle('a')", "`pandas.read_pickle` is banned"),
    ],
)
def test_the_lint_rules_ban_it(source: str, banned: str, tmp_path: Path) -> None:
    assert banned in linted(tmp_path, source)


def test_the_lint_rules_let_the_rest_pass(tmp_path: Path) -> None:
    assert "All checks passed" in linted(tmp_path, "import json\njson.loads('1')")


def test_the_rules_are_switched_on_for_the_sources() -> None:
    import tomllib

    lint = tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert {"S", "TID251"} <= set(lint["select"])
    assert not {"S", "S301", "S302", "TID251"} & set(lint["ignore"])
    switched_off = {rule for rules in lint["per-file-ignores"].values() for rule in rules}
    assert not {"S", "S301", "S302", "TID251"} & switched_off
