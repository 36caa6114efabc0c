"""`bakeoff inspect`: what a network sees in one test image; with `--all`, who is right about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.catalogue import load_dataset
from bakeoff.data.dataset import Dataset
from bakeoff.errors import NetworkError, StoreError, UsageError, did_you_mean
from bakeoff.files.place import Place
from bakeoff.findings.mistakes import shown_image
from bakeoff.findings.predicted import read_predicted
from bakeoff.findings.standings import standings
from bakeoff.findings.view import View
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Record


@dataclass(frozen=True)
class Seen:
    """What is seen inside a network, and where its picture went."""

    view: View
    apart: tuple[View, ...]
    """Of the entrants whose trial with the same seed says something else of the image."""
    unseen: tuple[str, ...]
    """One line for each of these that nobody can look into."""
    picture: Path

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            **_told(self.view),
            "entrants_that_disagree": [_told(view) for view in self.apart],
            "troubles": list(self.unseen),
            "picture": str(self.picture),
        }

    def to_text(self) -> str:
        """Return what a person reads."""
        view = self.view
        verdict = "right" if view.predicted == view.label else "wrong"
        lines = [
            f"{view.entrant} seed {view.seed}: {view.summary}",
            f"test image {view.index}: label {view.label_name}, says "
            f"{view.predicted_name} with {view.probability:.4f} ({verdict})",
            *_evidence(view),
            f"that took {view.occlusion.cost}",
            *([view.filters.told] if view.filters else []),
            *(
                f"{other.entrant} says {other.predicted_name} with {other.probability:.4f}"
                for other in self.apart
            ),
            *self.unseen,
            str(self.picture),
        ]
        return "\n".join(lines)


def _evidence(view: View) -> Iterator[str]:
    """Yield where most of the evidence lies, a line for each of the two classes."""
    seen = view.occlusion
    for place, values in zip(seen.classes, seen.maps, strict=True):
        row, column = np.unravel_index(values.argmax(), values.shape)
        yield (
            f"most of the evidence for {view.classes[place]} lies at row {row}, column {column}: "
            f"{values.max():.2f} nats of its log-odds"
        )


def _told(view: View) -> dict[str, Any]:
    seen, filters = view.occlusion, view.filters
    return {
        "entrant": view.entrant,
        "seed": view.seed,
        "index": view.index,
        "label": view.label_name,
        "predicted": view.predicted_name,
        "probabilities": dict(zip(view.classes, view.probabilities.tolist(), strict=True)),
        "summary": view.summary,
        "occlusion": {
            "classes": [view.classes[place] for place in seen.classes],
            "log_odds_lost": seen.drops.tolist(),
            "forward_passes": seen.passes,
            "seconds": seen.seconds,
        },
        "filters": filters
        and {
            "count": len(filters.weights),
            "dead": None if filters.dead is None else list(filters.dead),
            "images": filters.images,
        },
        "places": [
            {
                "layer": maps.name,
                "kind": maps.kind,
                "activation": maps.activation and maps.activation.name,
                "between": [] if maps.activation is None else list(maps.activation.between),
                "shape": list(maps.last.shape),
                "responses": maps.responses.tolist(),
            }
            for maps in view.places
        ],
        "attention": None if view.attention is None else view.attention.tolist(),
    }


def inspect_run(
    directory: Path, entrant: str | None, index: int | None, seed: int, *, trust_code: bool = False
) -> Seen:
    """Draw what a network of a run sees in test image `index`, by default the winner's.

    Without an index it is the image that the study names, or one that the network gets right and
    most others do not. Beside it stands what those entrants look at whose trial with the same seed
    says something else. Code of networks that lies in the folder is run if the user had it run
    before, or with `trust_code`; else UntrustedError is raised.
    Raises UsageError where entrant, seed or index do not exist, StoreError where files are damaged.
    """
    folder, records, dataset = _finished(directory, index)
    names = [each.name for each in folder.study.entrants]
    if entrant is not None and entrant not in names:
        raise UsageError(f"--entrant {entrant}: not in this study; {did_you_mean(entrant, names)}")
    chosen = entrant or standings(folder.study, records)[0].entrant
    by_seed = {each.seed: each for each in records if each.complete and each.entrant == chosen}
    if seed not in by_seed:
        known = ", ".join(map(str, by_seed)) or "none"
        raise UsageError(f"--seed {seed}: {chosen} has no complete trial of it; complete: {known}")
    said = read_predicted(folder, [each for each in records if each.seed == seed], dataset)
    classes = {name: trial.classes for (name, _), trial in said.items()}
    if index is None:
        index = shown_image(folder.study.inside.image, classes, chosen, dataset)
    apart = [
        each
        for each in records
        if (each.entrant, each.seed) in said
        and classes[each.entrant][index] != classes[chosen][index]
    ]
    # Whoever asks for opinions waits for no torch.
    from bakeoff.engine.team import given_threads
    from bakeoff.findings.inside import view_of
    from bakeoff.report import draw_view, view_pictures
    from bakeoff.training.code import load_kept

    def look(record: Record) -> View:
        code = [folder.study.entrant(record.entrant)]
        load_kept(code, folder.code, folder.study.folder, trusted=trust_code)
        with given_threads():
            return view_of(folder, record, dataset, index)

    view, others, unseen = look(by_seed[seed]), [], []
    for each in apart:
        try:
            others.append(look(each))
        except NetworkError as error:
            unseen.append(str(error))
    drawn = draw_view(view_pictures(view), [view_pictures(each) for each in others])
    picture = folder.place("figures", f"inside-{chosen}-{seed}-{index}.svg")
    return Seen(view, tuple(others), tuple(unseen), _kept(picture, drawn.encode()))


def _kept(picture: Place, content: bytes) -> Path:
    """Write a picture and return where: in the current folder, where the run may only be read."""
    try:
        picture.write(content)
    except StoreError:
        picture = Place(Path()) / picture.name
        picture.write(content)
    return picture.path


@dataclass(frozen=True)
class Opinions:
    """What all entrants say about one test image."""

    index: int
    label: int
    known_wrong_label: bool
    classes: tuple[str, ...]
    entrants: Mapping[str, Mapping[int, int]]
    """By entrant, the class that each of its complete trials predicts, by seed."""
    troubles: tuple[str, ...]
    """One line for each trial that says nothing, since it is missing or did not complete."""

    def right(self, entrant: str) -> int:
        """Return how many trials of an entrant are right."""
        return [*self.entrants[entrant].values()].count(self.label)

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "index": self.index,
            "label": self.classes[self.label],
            "known_wrong_label": self.known_wrong_label,
            "entrants": [
                {
                    "entrant": entrant,
                    "seeds": list(said),
                    "predicted": [self.classes[label] for label in said.values()],
                    "right": self.right(entrant),
                }
                for entrant, said in self.entrants.items()
            ],
            "troubles": list(self.troubles),
        }

    def to_text(self) -> str:
        """Return what a person reads: one line per entrant, then what is missing."""
        width = max(map(len, self.entrants))
        warning = " (known to be wrong)" if self.known_wrong_label else ""
        lines = [f"test image {self.index}: label {self.classes[self.label]}{warning}"]
        for entrant, said in self.entrants.items():
            told = ", ".join(
                self.classes[label] + (f" x{count}" if len(said) > 1 else "")
                for label, count in Counter(said.values()).most_common()
            )
            verdict = f"{self.right(entrant)} of {len(said)} right"
            lines.append(f"{entrant:<{width}}  {verdict:<14}  says {told or '-'}")
        right, trials = sum(map(self.right, self.entrants)), sum(map(len, self.entrants.values()))
        return "\n".join([*lines, *self.troubles, f"{right} of {trials} trials are right"])


def opinions(directory: Path, index: int | None) -> Opinions:
    """Return what every complete trial of a run says about test image `index`.

    Without an index it is the one that `inspect_run` takes of the winner's first trial.

    Raises UsageError where there is no such image, StoreError where the run has no trials.
    """
    folder, records, dataset = _finished(directory, index)
    said: dict[str, dict[int, int]] = {each.name: {} for each in folder.study.entrants}
    rows, predicted = standings(folder.study, records), read_predicted(folder, records, dataset)
    if index is None:
        firsts: dict[str, NDArray[np.int64]] = {}
        for (entrant, _), trial in predicted.items():
            firsts.setdefault(entrant, trial.classes)
        index = shown_image(folder.study.inside.image, firsts, rows[0].entrant, dataset)
    for (entrant, seed), trial in predicted.items():
        said[entrant][seed] = int(trial.classes[index])
    return Opinions(
        index=index,
        label=int(dataset.test_labels[index]),
        known_wrong_label=index in dataset.known_wrong_test_labels,
        classes=dataset.classes,
        entrants=said,
        troubles=tuple(line for row in rows for line in row.troubles),
    )


def _finished(directory: Path, index: int | None) -> tuple[RunFolder, tuple[Record, ...], Dataset]:
    """Return the run in `directory`, the records of all its trials, complete or not, and its data.

    Raises StoreError where no trial is complete, UsageError where there is no test image `index`.
    """
    folder = RunFolder.open(directory)
    records, dataset = (
        folder.read_records(),
        load_dataset(folder.study.protocol, folder.study.folder),
    )
    if not any(record.complete for record in records):
        raise StoreError(f"{directory}: no finished trial yet; run the study first")
    last = len(dataset.test_labels) - 1
    if index is not None and index > last:
        raise UsageError(f"--index {index}: the last test image is {last}")
    return folder, records, dataset
