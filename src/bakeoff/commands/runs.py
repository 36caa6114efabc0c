"""`bakeoff runs`: which runs lie here, how far they are, who stands first. It is no look."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.errors import BakeoffError, StoreError
from bakeoff.findings.standings import standings
from bakeoff.records.folder import RunFolder
from bakeoff.records.own_study import STUDY


@dataclass(frozen=True)
class FoundRun:
    """A run as it stands on the disk."""

    folder: Path
    trials: int | None
    """Finished trials, of `planned`, whatever their outcome; None where it cannot be read."""
    planned: int | None
    headline: str
    """Who stands first on validation data, or what is wrong."""

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "folder": str(self.folder),
            "trials": self.trials,
            "planned": self.planned,
            "headline": self.headline,
        }

    def to_text(self) -> str:
        """Return one line."""
        if self.planned is None:
            return self.headline  # It names the folder.
        return f"{self.folder}  trials: {self.trials} of {self.planned}  {self.headline}"


def runs_in(directory: Path) -> list[FoundRun]:
    """Return the runs in the folders of `directory`, by name. A damaged one says what is wrong.

    Only records are read: no verdict is reached, so that later ones need not pay for a look.
    Raises StoreError where there is no run.
    """
    found = [_found(file.parent) for file in sorted(directory.glob(f"*/{STUDY}"))]
    if not found:
        raise StoreError(f"{directory}: no runs here; bakeoff run STUDY makes one")
    return found


def _found(path: Path) -> FoundRun:
    try:
        folder = RunFolder.open(path)
        records = folder.read_records()
    except BakeoffError as error:
        return FoundRun(path, None, None, str(error))
    study = folder.study
    first = standings(study, records)[0]
    score = first.selected_by(study.protocol.selection_metric)
    return FoundRun(
        path,
        trials=len(records),
        planned=len(study.entrants) * study.seeds,
        headline="no trial is complete"
        if score is None
        else f"{first.entrant} stands first on validation data ({score:.4f})",
    )
