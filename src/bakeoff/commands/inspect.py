"""`bakeoff inspect`: the picture of what one trained network sees in one test image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.data.catalogue import load_dataset
from bakeoff.errors import StoreError, UsageError, did_you_mean
from bakeoff.files.atomic import write_file
from bakeoff.findings.look import Look
from bakeoff.findings.standings import standings
from bakeoff.findings.trained import look_at
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Record
from bakeoff.report import draw_look


@dataclass(frozen=True)
class Seen:
    """A look inside a network, and where its picture went."""

    look: Look
    classes: tuple[str, ...]
    picture: Path

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "entrant": self.look.entrant,
            "seed": self.look.seed,
            "index": self.look.index,
            "label": self.classes[self.look.label],
            "predicted": self.classes[self.look.predicted],
            "probabilities": dict(zip(self.classes, self.look.probabilities.tolist(), strict=True)),
            "summary": self.look.summary,
            "picture": str(self.picture),
        }

    def to_text(self) -> str:
        """Return what a person reads."""
        look = self.look
        probability = float(look.probabilities[look.predicted])
        verdict = "right" if look.predicted == look.label else "wrong"
        return (
            f"{look.entrant} seed {look.seed}: {look.summary}\n"
            f"test image {look.index}: label {self.classes[look.label]}, says "
            f"{self.classes[look.predicted]} with {probability:.4f} ({verdict})\n"
            f"{self.picture}"
        )


def inspect_run(directory: Path, entrant: str | None, index: int, seed: int) -> Seen:
    """Draw what a network of a run sees in test image `index`, by default the winner's.

    Raises UsageError where entrant, seed or index do not exist, StoreError where files are damaged.
    """
    folder = RunFolder.open(directory)
    records = [record for record in folder.read_records() if record.complete]
    if not records:
        raise StoreError(f"{directory}: no finished trial yet; run the study first")
    names = [each.name for each in folder.study.entrants]
    if entrant is not None and entrant not in names:
        raise UsageError(f"--entrant {entrant}: not in this study; {did_you_mean(entrant, names)}")
    chosen = entrant or standings(folder.study, records)[0].entrant
    record = _record_of(records, chosen, seed)
    dataset = load_dataset(folder.study.protocol.dataset)
    if index >= len(dataset.test_labels):
        raise UsageError(f"--index {index}: the last test image is {len(dataset.test_labels) - 1}")
    look = look_at(folder, record, dataset, index)
    picture = folder.path / "figures" / f"inside-{chosen}-{record.seed}-{index}.svg"
    write_file(picture, draw_look(look).encode())
    return Seen(look, dataset.classes, picture)


def _record_of(records: list[Record], entrant: str, seed: int) -> Record:
    by_seed = {record.seed: record for record in records if record.entrant == entrant}
    if seed not in by_seed:
        known = ", ".join(map(str, sorted(by_seed))) or "none"
        raise UsageError(f"--seed {seed}: {entrant} has no complete trial of it; complete: {known}")
    return by_seed[seed]
