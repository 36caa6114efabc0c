"""`bakeoff inspect --all`: who is right about one test image."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.commands.finished import finished_run
from bakeoff.findings.predicted import read_predicted
from bakeoff.findings.standings import standings


@dataclass(frozen=True)
class Opinion:
    """What the complete trials of one entrant say."""

    entrant: str
    seeds: tuple[int, ...]
    predicted: tuple[int, ...]
    """The class that the trial of each seed predicts."""


@dataclass(frozen=True)
class Opinions:
    """What all entrants say about one test image."""

    index: int
    label: int
    known_wrong_label: bool
    classes: tuple[str, ...]
    entrants: tuple[Opinion, ...]
    troubles: tuple[str, ...]
    """One line for each trial that says nothing, since it is missing or did not complete."""

    def right(self, opinion: Opinion) -> int:
        """Return how many trials of an entrant are right."""
        return opinion.predicted.count(self.label)

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "index": self.index,
            "label": self.classes[self.label],
            "known_wrong_label": self.known_wrong_label,
            "entrants": [
                {
                    "entrant": opinion.entrant,
                    "seeds": list(opinion.seeds),
                    "predicted": [self.classes[label] for label in opinion.predicted],
                    "right": self.right(opinion),
                }
                for opinion in self.entrants
            ],
            "troubles": list(self.troubles),
        }

    def to_text(self) -> str:
        """Return what a person reads: one line per entrant, then what is missing."""
        width = max(len(opinion.entrant) for opinion in self.entrants)
        warning = " (known to be wrong)" if self.known_wrong_label else ""
        lines = [f"test image {self.index}: label {self.classes[self.label]}{warning}"]
        for opinion in self.entrants:
            votes = Counter(opinion.predicted).most_common()
            said = ", ".join(
                f"{self.classes[label]}" + (f" x{count}" if len(opinion.predicted) > 1 else "")
                for label, count in votes
            )
            verdict = f"{self.right(opinion)} of {len(opinion.predicted)} right"
            lines.append(f"{opinion.entrant:<{width}}  {verdict:<14}  says {said or '-'}")
        lines += self.troubles
        trials = sum(len(opinion.predicted) for opinion in self.entrants)
        lines.append(f"{sum(map(self.right, self.entrants))} of {trials} trials are right")
        return "\n".join(lines)


def opinions(directory: Path, index: int) -> Opinions:
    """Return what every complete trial of a run says about test image `index`.

    Raises UsageError where there is no such image, StoreError where the run has no trials.
    """
    run = finished_run(directory, index)
    study, dataset = run.folder.study, run.dataset
    predicted = read_predicted(run.folder, run.records, dataset)
    found = []
    for entrant in study.entrants:
        said = {
            seed: int(each.classes[index])
            for (name, seed), each in predicted.items()
            if name == entrant.name
        }
        found.append(Opinion(entrant.name, tuple(said), tuple(said.values())))
    return Opinions(
        index=index,
        label=int(dataset.test_labels[index]),
        known_wrong_label=index in dataset.known_wrong_test_labels,
        classes=dataset.classes,
        entrants=tuple(found),
        troubles=tuple(line for row in standings(study, run.records) for line in row.troubles),
    )
