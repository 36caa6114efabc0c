"""`bakeoff inspect --all`: who is right about one test image."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.data.catalogue import load_dataset
from bakeoff.errors import StoreError, UsageError
from bakeoff.records.folder import RunFolder


@dataclass(frozen=True)
class Opinion:
    """What the trials of one entrant say."""

    entrant: str
    predicted: tuple[int, ...]
    """One class per complete trial, by seed."""
    right: int
    """How many trials are right."""


@dataclass(frozen=True)
class Opinions:
    """What all entrants say about one test image."""

    index: int
    label: int
    known_wrong_label: bool
    classes: tuple[str, ...]
    entrants: tuple[Opinion, ...]

    @property
    def trials(self) -> int:
        """How many trials were asked."""
        return sum(len(opinion.predicted) for opinion in self.entrants)

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "index": self.index,
            "label": self.classes[self.label],
            "known_wrong_label": self.known_wrong_label,
            "entrants": [
                {
                    "entrant": opinion.entrant,
                    "predicted": [self.classes[label] for label in opinion.predicted],
                    "right": opinion.right,
                }
                for opinion in self.entrants
            ],
        }

    def to_text(self) -> str:
        """Return what a person reads: one line per entrant."""
        width = max(len(opinion.entrant) for opinion in self.entrants)
        warning = " (human raters found this label wrong)" if self.known_wrong_label else ""
        lines = [f"test image {self.index}: label {self.classes[self.label]}{warning}"]
        for opinion in self.entrants:
            votes = Counter(opinion.predicted).most_common()
            said = ", ".join(
                f"{self.classes[label]}" + (f" x{count}" if len(opinion.predicted) > 1 else "")
                for label, count in votes
            )
            verdict = f"{opinion.right} of {len(opinion.predicted)} right"
            lines.append(f"{opinion.entrant:<{width}}  {verdict:<14}  says {said or '-'}")
        right = sum(opinion.right for opinion in self.entrants)
        lines.append(f"{right} of {self.trials} trials are right")
        return "\n".join(lines)


def opinions(directory: Path, index: int) -> Opinions:
    """Return what every complete trial of a run says about test image `index`.

    Raises UsageError where there is no such image, StoreError where the run has no trials.
    """
    folder = RunFolder.open(directory)
    records = [record for record in folder.read_records() if record.complete]
    if not records:
        raise StoreError(f"{directory}: no finished trial yet; run the study first")
    dataset = load_dataset(folder.study.protocol.dataset)
    if index >= len(dataset.test_labels):
        raise UsageError(f"--index {index}: the last test image is {len(dataset.test_labels) - 1}")
    label = int(dataset.test_labels[index])
    found = []
    for entrant in folder.study.entrants:
        predicted = tuple(
            int(folder.read_tested(r.entrant, r.seed, dataset)["test_logits"][index].argmax())
            for r in records
            if r.entrant == entrant.name
        )
        found.append(Opinion(entrant.name, predicted, right=predicted.count(label)))
    return Opinions(
        index=index,
        label=label,
        known_wrong_label=index in dataset.known_wrong_test_labels,
        classes=dataset.classes,
        entrants=tuple(found),
    )
