"""Print the tables of a benchmark and keep them, with all rounds, under benchmarks/results/."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True)
class Table:
    """A table of cells that are text already."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""

    def to_markdown(self) -> str:
        """Return the table as Markdown: the first column to the left, the others to the right."""
        lines = [self.columns, ("---", *("---:" for _ in self.columns[1:])), *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"{self.caption}\n\n{table}\n" if self.caption else f"{table}\n"


def add_results_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that says where the results go."""
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for .md and .json")


def machine(packages: Sequence[str] = ("torch", "numpy")) -> dict[str, Any]:
    """Return what the figures depend on: processor, threads, versions, commit."""
    # Not at the top: what measures memory and start-up must stay small itself.
    import torch

    import bakeoff
    from bakeoff.training.provenance import checkout_commit, cpu_model

    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("bakeoff", *packages)},
        "commit": checkout_commit(Path(bakeoff.__file__).parent),
    }


def publish(
    name: str,
    tables: Sequence[Table],
    *,
    setting: Mapping[str, Any],
    figures: Mapping[str, Any],
    machine: Mapping[str, Any],
    folder: Path,
) -> None:
    """Print the tables and write `name`.md and `name`.json into `folder`.

    setting: the counts and options that the figures depend on. figures: what the tables were made
    of, every round of it, as JSON takes it. Two results with the same `name` replace each other.
    """
    versions = ", ".join(f"{package} {number}" for package, number in machine["versions"].items())
    lines = [
        f"# {name}",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['threads']} threads, "
        f"{machine['instructions']}; Python {machine['python']}, {versions}; "
        f"commit {machine['commit']}",
        "; ".join(f"{key}: {value}" for key, value in setting.items()),
        *(table.to_markdown() for table in tables),
    ]
    text = "\n\n".join(lines).rstrip("\n") + "\n"
    print(text)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(text)
    document = {"name": name, "machine": machine, "setting": setting, "figures": figures}
    (folder / f"{name}.json").write_text(json.dumps(document, indent=1, default=str) + "\n")
