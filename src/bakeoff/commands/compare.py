"""`bakeoff compare`: what a run supports. It writes nothing but a new look; it needs no torch."""

from __future__ import annotations

from pathlib import Path

from bakeoff.data.catalogue import load_dataset
from bakeoff.findings.conclusion import Conclusion, conclude, looked_at
from bakeoff.records.folder import RunFolder


def compare_run(directory: Path | str, *, reopen: bool = False) -> Conclusion:
    """Return what the finished trials in `directory` support, whoever made them.

    With `reopen` also by another rule of decision than verdicts were seen by.
    """
    folder = RunFolder.open(Path(directory))
    dataset = load_dataset(folder.study.protocol, folder.study.folder)
    return looked_at(folder, conclude(folder, dataset, reopen=reopen))
