"""`bakeoff check`: whether a study can be trained, what it takes, and what it can show."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch

from bakeoff.commands.run import find_all
from bakeoff.data.catalogue import load_dataset
from bakeoff.data.dataset import Dataset
from bakeoff.data.split import split_of
from bakeoff.engine import claimed_process
from bakeoff.engine.devices import choose_device, choose_precision
from bakeoff.errors import BakeoffError
from bakeoff.files.cores import usable_cores
from bakeoff.findings.reach import pairs_of, smallest_differences
from bakeoff.study.study import Study
from bakeoff.training.examination import findings_of
from bakeoff.training.examined import Finding
from bakeoff.training.size import NetworkSize, network_sizes
from bakeoff.training.trying import Taken, tried


@dataclass(frozen=True)
class CheckedEntrant:
    """An entrant that was built, and took a few steps where it could."""

    name: str
    findings: tuple[Finding, ...]
    size: NetworkSize | None
    """None, as `taken`, where it cannot be trained."""
    taken: Taken | None

    @property
    def faults(self) -> tuple[str, ...]:
        """What has to be mended before it can be trained."""
        return tuple(each.line for each in self.findings if each.severity == "refuse")


@dataclass(frozen=True)
class Checked:
    """What is known of a study before it is trained."""

    study: Study
    image_shape: tuple[int, int, int]
    classes: int
    train: int
    validation: int
    test: int
    entrants: tuple[CheckedEntrant, ...]
    notes: tuple[str, ...]
    """What was said of the data."""
    cores: int

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that has to be mended, each line with the entrant's name."""
        return tuple(f"{each.name}: {line}" for each in self.entrants for line in each.faults)

    @property
    def seconds(self) -> float | None:
        """Of the whole study on all cores, as this machine is now; None where entrants fail."""
        whole = 0.0
        for entrant, row in zip(self.study.entrants, self.entrants, strict=True):
            if row.taken is None:
                return None
            whole += row.taken.seconds_per_epoch * entrant.recipe.epochs * self.study.seeds
        return whole / min(self.cores, len(self.entrants) * self.study.seeds)

    @property
    def pairs(self) -> int:
        """How many pairs of entrants are compared."""
        return pairs_of(self.study)

    @property
    def smallest_differences(self) -> dict[float, float | None]:
        """By the share of images on which two entrants part: points that would be found."""
        return smallest_differences(self.study, self.test)

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "study": self.study.name,
            "image_shape": self.image_shape,
            "classes": self.classes,
            "images": {"train": self.train, "validation": self.validation, "test": self.test},
            "notes": self.notes,
            "entrants": [asdict(each) for each in self.entrants],
            "seconds": self.seconds,
            "smallest_differences": [
                {"parting": share, "points": points}
                for share, points in self.smallest_differences.items()
            ],
        }


def check_study(
    study: Study, *, device: str = "auto", precision: str = "auto", source: str = ""
) -> Checked:
    """Build each entrant, let it take a few steps, and tell what the study takes and can show.

    Nothing is trained and nothing written, but data that are read for the first time are kept in
    the cache. Raises BakeoffError where the study, its data or its code cannot be read.
    """
    source = source or f"study {study.name}"
    on_device = choose_device(device)
    in_precision = choose_precision(precision, on_device)
    notes: list[str] = []
    study, _ = find_all(study, source)
    with claimed_process(1, notes.append):
        dataset = load_dataset(study.protocol, study.folder, notes.append)
        split = split_of(study, 0, dataset)
        entrants = [
            _checked(study, number, dataset, on_device, in_precision)
            for number in range(len(study.entrants))
        ]
    return Checked(
        study=study,
        image_shape=dataset.image_shape,
        classes=len(dataset.classes),
        train=len(split.train),
        validation=len(split.validation),
        test=len(dataset.test_labels),
        entrants=tuple(entrants),
        notes=tuple(notes),
        cores=usable_cores() if on_device.type == "cpu" else 1,
    )


def _checked(
    study: Study, number: int, dataset: Dataset, device: torch.device, precision: str
) -> CheckedEntrant:
    entrant = study.entrants[number]
    findings = tuple(findings_of(study, entrant, dataset, device))
    if any(each.severity == "refuse" for each in findings):
        return CheckedEntrant(entrant.name, findings, None, None)
    try:
        alone = study.model_copy(update={"entrants": (entrant,)})
        size = network_sizes(alone, dataset)[entrant.name]
        taken = tried(study, entrant, dataset, device, precision)
    except (BakeoffError, RuntimeError, MemoryError) as error:
        fault = Finding("refuse", str(error).partition("\n")[0])
        return CheckedEntrant(entrant.name, (*findings, fault), None, None)
    return CheckedEntrant(entrant.name, findings, size, taken)
