"""What is built: the wheel and the source distribution hold what they need, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LINK = r"\]\(([^)#:]+)(?:#[^)]*)?\)"
PACKAGE = {
    str(file.relative_to(ROOT / "src"))
    for file in (ROOT / "src" / "bakeoff").rglob("*")
    if file.is_file() and "__pycache__" not in file.parts
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheel and the source distribution, built as pip builds them."""
    pytest.importorskip("hatchling", reason="what builds the package is not installed")
    folder = tmp_path_factory.mktemp("dist")
    for what in ("build_wheel", "build_sdist"):
        code = f"import sys, hatchling.build; hatchling.build.{what}(sys.argv[1])"
        subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=True)
    return folder


def test_the_wheel_holds_the_whole_package_and_its_licences(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    about = {name for name in names if name.partition("/")[0].endswith(".dist-info")}
    assert names - about == PACKAGE
    assert {name.partition("/")[2] for name in about} == {
        "METADATA", "RECORD", "WHEEL", "entry_points.txt",
        *(f"licenses/{each}" for each in PROJECT["project"]["license-files"]),
    }  # fmt: skip


def test_the_source_distribution_builds_and_tests_itself(built: Path) -> None:
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {f"src/{name}" for name in PACKAGE}
    assert names >= {"pyproject.toml", "README.md", "LICENSE", "Makefile", "constraints/pinned.txt"}
    assert "tests/test_distribution.py" in names
    assert not any(name.startswith((".venv", "runs", "dist")) for name in names)
    held = {ROOT / part for name in names for part in (Path(name), *Path(name).parents)}
    for page in (ROOT / name for name in sorted(names) if name.endswith(".md")):
        for target in re.findall(LINK, page.read_text(encoding="utf-8")):
            assert (page.parent / target).resolve() in held, f"{page}: {target}"


def test_data_and_templates_are_part_of_the_package() -> None:
    suffixes = {Path(name).suffix for name in PACKAGE}
    assert suffixes >= {".py", ".toml", ".html", ".css", ".js", ".svg", ".c", ".h", ".zip", ".md"}
    assert "bakeoff/py.typed" in PACKAGE


def test_the_changelog_and_the_citation_know_the_version() -> None:
    version = PROJECT["project"]["version"]
    assert f"\n## {version} - 20" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_what_builds_the_package_is_pinned() -> None:
    pinned = (ROOT / "constraints" / "pinned.txt").read_text(encoding="utf-8").split()
    for requirement in PROJECT["build-system"]["requires"]:
        assert "==" in requirement
        assert requirement in pinned
