"""`bakeoff compare`: what a run supports. It reads, and writes nothing; it needs no torch."""

from __future__ import annotations

from pathlib import Path

from bakeoff.data.catalogue import load_dataset
from bakeoff.findings.conclusion import Conclusion, conclude
from bakeoff.records.folder import RunFolder


def compare_run(directory: Path) -> Conclusion:
    """Return what the finished trials in `directory` support, whoever made them."""
    folder = RunFolder.open(directory)
    return conclude(folder, load_dataset(folder.study.protocol.dataset))
