"""The house keeps its order: imports run downwards only."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import bakeoff

PACKAGE = Path(bakeoff.__file__).parent

DESIGN = Path(__file__).parents[1] / "docs" / "design.md"
MOST_ARROWS = 85
"""Between rooms; each is one more thing to know of two of them."""


def floors_of(page: str) -> dict[str, int]:
    """Return the floor of each room, as the list in the page of the design has it.

    A room is a package or a module at the top. It may import from lower floors and from itself, and
    from nowhere else.
    """
    found: dict[str, int] = {}
    for floor, rooms in re.findall(r"^    floor +(\d+)   (.*)$", page, re.MULTILINE):
        found |= {room.strip(): int(floor) for room in rooms.partition("  ")[0].split(",")}
    return found


FLOORS = floors_of(DESIGN.read_text(encoding="utf-8"))

# Who may import which library: modules, or packages for all that is in them.
OWNERS: dict[str, set[str]] = {
    "matplotlib": {"report"},
    "jinja2": {"report"},
    "markupsafe": {"report"},
    "PIL": {"data.readers.decode", "report.pictures.raster"},  # Into pixels, and out of them.
    "pyarrow": {  # An extra.
        "data.readers.parquet_file",
        "records.predictions.parquet_table",
        "records.predictions.arrow_table",
    },
    "sklearn": set(),  # Nobody imports it: its digits are read where it keeps them.
    "ray": {"runners.on_ray"},  # An extra, as submitit.
    "submitit": {"runners.on_slurm"},
    "safetensors": {"files.tensors", "records.checkpoints"},
    "typer": {"cli"},
    "starlette": {"live"},  # An extra, as uvicorn is.
    "uvicorn": {"live"},
    "rich": {
        "cli.studies",
        "cli.training",
        "cli.display",
        "cli.rows",
        "cli.tables",
        "cli.survey_text",
        "cli.check_text",
        "cli.judge_text",
    },
}

# Libraries that a single file imports.
ONE_FILE = {"matplotlib", "jinja2"}

# What a room may not import though it stands lower, or is a library.
FORBIDDEN: dict[str, set[str]] = {
    "comparison": {"torch", "pydantic", "bakeoff.files"},
    "report": {"torch", "bakeoff.data", "bakeoff.records.folder", "bakeoff.training"},
    "networks": {"bakeoff.data", "bakeoff.study"},
    "training": {"bakeoff.records.folder", "bakeoff.comparison"},
}


@dataclass(frozen=True)
class Import:
    importer: str
    """Dotted, without `bakeoff`; empty for `bakeoff/__init__.py`."""
    imported: str
    line: int


@cache
def imports_of(package: Path) -> list[Import]:
    """Return all imports of all sources below `package`, also those inside functions."""
    found = []
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package).with_suffix("").parts
        importer = ".".join(part for part in parts if part != "__init__")
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file}:{node.lineno}: relative import"
                module = node.module or ""
                # `from bakeoff.report import words` imports a module, where there is one.
                names = [_imported(package, module, alias.name) for alias in node.names]
            else:
                continue
            found += [Import(importer, name, node.lineno) for name in names]
    return found


def _imported(package: Path, module: str, name: str) -> str:
    """Return what `from module import name` imports: a module of ours, or a name out of one."""
    path = package.joinpath(*module.split(".")[1:], name)
    is_module = path.with_suffix(".py").exists() or path.is_dir()
    return f"{module}.{name}" if _within(module, "bakeoff") and is_module else module


def _room(name: str) -> str:
    """Return the entry of FLOORS that a module, without `bakeoff`, belongs to."""
    return name.partition(".")[0] or "__init__"


def _within(name: str, owner: str) -> bool:
    return name == owner or name.startswith(f"{owner}.")


def violations(package: Path, floors: Mapping[str, int] = FLOORS) -> list[str]:
    """Return one line for each import that the rules of the house forbid."""
    lines = []
    for each in imports_of(package):
        where = f"{each.importer or '__init__'}:{each.line} imports {each.imported}"
        library = each.imported.split(".")[0]
        owners = OWNERS.get(library)
        if owners is not None and not any(_within(each.importer, owner) for owner in owners):
            lines.append(f"{where}: {library} belongs to {sorted(owners)}")
        for owner, forbidden in FORBIDDEN.items():
            if _within(each.importer, owner) and any(_within(each.imported, f) for f in forbidden):
                lines.append(f"{where}: {owner} may not")
        if library != "bakeoff":
            continue
        importer = _room(each.importer)
        imported = _room(each.imported.partition(".")[2])
        homeless = {importer, imported} - floors.keys()
        lines += [f"{where}: {room} has no floor yet; give it one" for room in homeless]
        if importer != imported and floors.get(importer, 99) <= floors.get(imported, -2):
            lines.append(f"{where}: imports run downwards only")
    return lines


def importers(package: Path, library: str) -> set[str]:
    """Return the modules that import `library`."""
    found = imports_of(package)
    return {each.importer for each in found if _within(each.imported, library)}


def test_imports_run_downwards_only() -> None:
    assert violations(PACKAGE) == []


def test_every_module_has_a_floor_and_every_floor_a_module() -> None:
    files = [file.relative_to(PACKAGE).with_suffix("") for file in PACKAGE.rglob("*.py")]
    assert {file.parts[0] for file in files} == FLOORS.keys()


def test_only_what_belongs_to_no_room_lies_loose() -> None:
    loose = {file.stem for file in PACKAGE.glob("*.py")}
    assert loose == {"__init__", "__main__", "errors", "text"}


def test_rooms_and_arrows_are_few() -> None:
    ours = [each for each in imports_of(PACKAGE) if _within(each.imported, "bakeoff")]
    arrows = {(_room(each.importer), _room(each.imported.partition(".")[2])) for each in ours}
    assert len(FLOORS) <= 18
    assert len([pair for pair in arrows if pair[0] != pair[1]]) <= MOST_ARROWS


def test_one_file_imports_each_heavy_library() -> None:
    for library in ONE_FILE:
        assert len(importers(PACKAGE, library)) == 1, library


def test_every_owner_of_a_library_imports_it() -> None:
    for library in ("sklearn", "rich", "PIL", "pyarrow"):
        assert importers(PACKAGE, library) == OWNERS[library]


# The test of the test


def tree(folder: Path, sources: Mapping[str, str]) -> Path:
    for name, source in sources.items():
        file = folder / "bakeoff" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    return folder / "bakeoff"


SOUND = {
    "__init__.py": "",
    "errors.py": "import json",
    "data/__init__.py": "",
    "data/idx.py": "from bakeoff.errors import DataError\nimport numpy",
    "data/mnist.py": "from bakeoff.data.idx import parse",
    "networks/linear.py": "import torch",
    "training/fit.py": "from bakeoff.data import idx\nimport torch",
    "comparison/holm.py": "import numpy",
    "report/canvas.py": "import matplotlib",
    "cli/main.py": "def run():\n    from bakeoff.training.fit import fit",
}


def test_a_sound_tree_has_no_violation(tmp_path: Path) -> None:
    assert violations(tree(tmp_path, SOUND)) == []


def test_a_second_file_is_counted(tmp_path: Path) -> None:
    more = SOUND | {"report/page.py": "def f():\n    from matplotlib import pyplot"}
    assert importers(tree(tmp_path, more), "matplotlib") == {"report.canvas", "report.page"}


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("errors.py", "import bakeoff.cli.main", "imports run downwards only"),
        ("errors.py", "def f():\n    from bakeoff import data", "imports run downwards only"),
        ("data/idx.py", "from bakeoff.training.fit import fit", "imports run downwards only"),
        ("data/idx.py", "from bakeoff.networks.linear import x", "downwards only"),
        ("networks/linear.py", "from bakeoff.data import mnist", "networks may not"),
        ("comparison/holm.py", "import torch.nn", "comparison may not"),
        ("comparison/holm.py", "from torch import nn", "comparison may not"),
        ("report/page.py", "if True:\n    import torch", "report may not"),
        ("report/page.py", "from bakeoff.records import folder", "report may not"),
        ("data/idx.py", "import matplotlib.pyplot", "matplotlib belongs to"),
        ("training/fit.py", "from sklearn.metrics import f", "sklearn belongs to"),
        ("newcomer.py", "from bakeoff.errors import E", "has no floor yet"),
    ],
)
def test_a_breach_is_found(file: str, source: str, complaint: str, tmp_path: Path) -> None:
    sources = {"records/folder.py": "", **SOUND, file: source}
    assert any(complaint in line for line in violations(tree(tmp_path, sources)))


# What really happens


def modules_after(statement: str) -> set[str]:
    """Return the modules that a fresh Python has after `statement`."""
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())


def imported_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh Python has after `statement`."""
    return {module.split(".")[0] for module in modules_after(statement)}


HEAVY = {
    "torch", "numpy", "scipy", "pydantic", "matplotlib", "sklearn", "jinja2", "PIL", "safetensors",
    "pyarrow",
}  # fmt: skip


@pytest.mark.parametrize("statement", ["import bakeoff.cli.main", "import bakeoff"])
def test_the_command_line_starts_without_heavy_libraries(statement: str) -> None:
    loaded = imported_by(statement)
    assert "bakeoff" in loaded
    assert loaded & HEAVY == set()


def test_the_heavy_libraries_would_be_seen() -> None:
    assert {"torch", "numpy"} <= imported_by("import bakeoff.study.seeds, bakeoff.data.order")


def test_a_training_waits_for_torch_and_for_nothing_else_that_is_heavy() -> None:
    """What scores, compares and draws is imported once there is something to score."""
    loaded = modules_after("import bakeoff.commands.run")
    assert "torch" in loaded
    late = HEAVY - {"torch", "numpy", "pydantic", "safetensors"} | {"torch._dynamo"}
    assert loaded & late == set()


@pytest.mark.parametrize(
    "statement",
    [
        "import bakeoff.training.size; bakeoff.training.size.size_of('cnn-2conv', (1, 8, 8), 10)",
        "import bakeoff.engine.native; bakeoff.engine.native.kernels()",
    ],
    ids=["the size of a network", "the kernels"],
)
def test_what_a_run_begins_with_imports_no_compiler(statement: str) -> None:
    assert modules_after(statement) & {"sympy", "torch._dynamo"} == set()


@pytest.mark.parametrize(
    "package",
    ["comparison.compare", "report", "commands.compare", "records.folder", "data.catalogue"],
)
def test_numbers_and_pictures_need_no_torch(package: str) -> None:
    loaded = imported_by(f"import bakeoff.{package}")
    assert "numpy" in loaded
    assert "torch" not in loaded
