"""`bakeoff inspect`: the picture of what one trained network sees in one test image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.commands.finished import finished_run
from bakeoff.engine.team import given_threads
from bakeoff.errors import StoreError, UsageError, did_you_mean
from bakeoff.files.atomic import write_file
from bakeoff.findings.standings import standings
from bakeoff.findings.trained import view_of
from bakeoff.findings.view import View
from bakeoff.records.record import Record
from bakeoff.report import draw_view, view_pictures


@dataclass(frozen=True)
class Seen:
    """What is seen inside a network, and where its picture went."""

    view: View
    picture: Path

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        view = self.view
        return {
            "entrant": view.entrant,
            "seed": view.seed,
            "index": view.index,
            "label": view.label_name,
            "predicted": view.predicted_name,
            "probabilities": dict(zip(view.classes, view.probabilities.tolist(), strict=True)),
            "summary": view.summary,
            "picture": str(self.picture),
        }

    def to_text(self) -> str:
        """Return what a person reads."""
        view = self.view
        verdict = "right" if view.predicted == view.label else "wrong"
        return (
            f"{view.entrant} seed {view.seed}: {view.summary}\n"
            f"test image {view.index}: label {view.label_name}, says "
            f"{view.predicted_name} with {view.probability:.4f} ({verdict})\n"
            f"{self.picture}"
        )


@given_threads()
def inspect_run(directory: Path, entrant: str | None, index: int, seed: int) -> Seen:
    """Draw what a network of a run sees in test image `index`, by default the winner's.

    Raises UsageError where entrant, seed or index do not exist, StoreError where files are damaged.
    """
    run = finished_run(directory, index)
    study = run.folder.study
    names = [each.name for each in study.entrants]
    if entrant is not None and entrant not in names:
        raise UsageError(f"--entrant {entrant}: not in this study; {did_you_mean(entrant, names)}")
    chosen = entrant or standings(study, run.records)[0].entrant
    record = _record_of(run.complete, chosen, seed)
    view = view_of(run.folder, record, run.dataset, index)
    picture = run.folder.place("figures", f"inside-{chosen}-{record.seed}-{index}.svg")
    return Seen(view, _kept(picture, draw_view(view_pictures(view)).encode()))


def _kept(picture: Path, content: bytes) -> Path:
    """Write a picture and return where: in the current folder, where the run may only be read."""
    try:
        write_file(picture, content)
    except StoreError:
        picture = Path(picture.name)
        write_file(picture, content)
    return picture


def _record_of(records: Sequence[Record], entrant: str, seed: int) -> Record:
    by_seed = {record.seed: record for record in records if record.entrant == entrant}
    if seed not in by_seed:
        known = ", ".join(map(str, sorted(by_seed))) or "none"
        raise UsageError(f"--seed {seed}: {entrant} has no complete trial of it; complete: {known}")
    return by_seed[seed]
