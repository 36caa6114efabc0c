"""What the smoke tests read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def figures_of(folder: Path, name: str) -> Any:
    """Return the figures of a result, having seen that its table is there too."""
    assert (folder / f"{name}.md").read_text().startswith(f"# {name}\n")
    return json.loads((folder / f"{name}.json").read_text())["figures"]


def first_cells(folder: Path, name: str) -> list[str]:
    """Return the first cell of every line of a result's tables, headings included."""
    lines = (folder / f"{name}.md").read_text().splitlines()
    cells = [line.split(" | ")[0].removeprefix("| ") for line in lines if line.startswith("|")]
    return [cell for cell in cells if cell != "---"]
