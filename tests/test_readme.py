"""The commands of the README and the pages work, in the order in which a reader types them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent

# Commands that train for many minutes, and the quick command that shows that they would start. The
# size is for the timing pass, which takes a thousand images, however few there are.
LONG = {
    "make run": "make -n run",
    "make test": "make -n test",
    "pip install .": "pip install --quiet --dry-run --no-deps --no-build-isolation .",
    "bakeoff run assignment": "bakeoff show assignment",
    "bakeoff run fair": "bakeoff show fair",
    "bakeoff run photos.toml": "bakeoff run photos.toml --seeds 1 --set recipe.epochs=1"
    " --set protocol.image_size=12",
}


def draw_photos(folder: Path) -> None:
    """Draw the images of which the README speaks."""
    for number in range(24):
        file = folder / "photos" / ("cat", "dog")[number % 2] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        side = 30 + number % 3
        colours = np.random.default_rng(number).integers(0, 256, (side, 30, 3), dtype=np.uint8)
        Image.fromarray(colours).save(file)


def draw_predictions(folder: Path) -> None:
    """Draw the predictions of which the README speaks: new is right more often than old."""
    for name, wrong in (("new", 20), ("old", 100)):
        rows = [f"{item},{item % 4},{(item + (item < wrong)) % 4}\n" for item in range(1000)]
        (folder / f"{name}.csv").write_text("item,label,predicted\n" + "".join(rows))


def commands(page: str) -> list[str]:
    """Return every line of a page's shell blocks, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)
    lines = (line.partition(" #")[0].strip() for block in blocks for line in block.splitlines())
    return [line for line in lines if line]


@pytest.mark.parametrize(
    ("pages", "least"), [(("README.md", "docs/runs.md"), 22), (("docs/data.md",), 3)], ids=str
)
def test_every_command_works_in_the_folder_of_who_reads_on(
    pages: tuple[str, ...], least: int, tmp_path: Path
) -> None:
    asked = [command for page in pages for command in commands(page)]
    assert len(asked) >= least
    environment = {**os.environ, "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    draw_photos(tmp_path)
    draw_predictions(tmp_path)
    for command in asked:
        words = shlex.split(LONG.get(command, command))
        folder = ROOT if words[0] in {"make", "pip"} else tmp_path
        done = subprocess.run(
            words, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"


@pytest.mark.parametrize("page", ["docs/judge.md", "docs/python.md"])
def test_the_python_of_a_page_works(page: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)
    assert blocks
    for block in blocks:
        done = subprocess.run(
            [sys.executable, "-c", block],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "page",
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/results/*.md")],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_what_a_page_links_to_exists(page: Path) -> None:
    for target, heading in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text()):
        linked = page.parent / target if target else page
        assert linked.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.*)$", linked.read_text().lower(), flags=re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in titles}


def test_the_readme_links_to_every_page() -> None:
    linked = set(re.findall(r"\]\(docs/([^)#]+\.md)\)", (ROOT / "README.md").read_text()))
    assert linked == {page.name for page in ROOT.glob("docs/*.md")}


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*.md")), ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    for name in re.findall(r"`((?:\w+/)+\w+\.py)`", page.read_text()):
        assert (ROOT / name).exists() or (ROOT / "src" / "bakeoff" / name).exists(), name
