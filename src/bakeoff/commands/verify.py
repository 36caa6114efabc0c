"""`bakeoff verify`: everything that can be computed anew from a run is, and compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bakeoff.commands.report import COMPARISON, files_of_report
from bakeoff.data.catalogue import load_dataset
from bakeoff.data.dataset import Dataset
from bakeoff.engine.team import given_threads
from bakeoff.errors import StoreError, UnreadableError
from bakeoff.files.place import Place
from bakeoff.findings.conclusion import conclude
from bakeoff.findings.inside import load_network
from bakeoff.findings.predicted import read_predicted
from bakeoff.records.conditions import foreign_origin
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Record
from bakeoff.training.code import load_kept
from bakeoff.training.predict import predict_logits
from bakeoff.training.scores import cross_entropy
from bakeoff.training.trial import code_of, pixels_of, tensor_of

TOLERANCE = 1e-4
"""Of the largest logit of a trial: sums of float32 in another order differ by far less."""
_ROUNDING = 1e-6
"""Of a loss: a mean in float64, summed in another order."""


@dataclass(frozen=True)
class Verified:
    """What was computed anew, and what is not as it was found."""

    checked: tuple[str, ...]
    disagreements: tuple[str, ...]
    """One line for each trial or file."""

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {name: list(lines) for name, lines in asdict(self).items()}

    def to_text(self) -> str:
        """Return what a person reads."""
        return "\n".join([*self.disagreements, *(f"checked: {line}" for line in self.checked)])


@given_threads()
def verify_run(directory: Path, *, trust_code: bool = False) -> Verified:
    """Compute scores from predictions, predictions from weights, and the report from all of them.

    Writes nothing. Raises StoreError where there is no run folder, and UntrustedError where it
    holds code of networks that this user never had run, without `trust_code`.
    """
    folder = RunFolder.open(directory)
    load_kept(folder.study.entrants, folder.code, folder.study.folder, trusted=trust_code)
    dataset = load_dataset(folder.study.protocol, folder.study.folder)
    trials = folder.finished()
    found = [_disagreement_of(folder, *trial, dataset) for trial in trials]
    disagreements = [line for line in found if line is not None]
    checked = [
        f"{len(trials)} trials: every file whole, of this study and these data",
        "their scores from their predictions, for validation and test",
        f"their predictions from their weights, within {TOLERANCE:g} of the largest logit",
    ]
    if disagreements:
        checked.append("not the comparison, which trials that disagree with themselves cannot give")
    else:
        checked.append("comparison.json, figures and report.html from all trials")
        disagreements = _other_than_drawn(folder, dataset)
    return Verified(tuple(checked), tuple(disagreements))


def _disagreement_of(folder: RunFolder, entrant: str, seed: int, dataset: Dataset) -> str | None:
    """Return the one line that says where the files of a trial do not agree, if they do not."""
    try:
        record = folder.check_trial(entrant, seed)
        complaint = foreign_origin(record.provenance, data_hash=dataset.sha256)
        if complaint is None and record.complete:
            read_predicted(folder, [record], dataset)
            complaint = _other_than_weights(folder, record, dataset)
    except StoreError as error:
        return str(error)
    return complaint and f"{folder.trial(entrant, seed)}: {complaint}"


def _other_than_weights(folder: RunFolder, record: Record, dataset: Dataset) -> str | None:
    """Return in what losses are not those of the logits, or logits not those of the weights."""
    saved = folder.read_tested(record.entrant, record.seed, dataset)
    network = load_network(folder, record, dataset)
    pixels = pixels_of(folder.study.protocol, dataset, torch.device("cpu"))
    for part, images, scores in (
        ("validation", dataset.train_images[saved["validation_index"]], record.validation),
        ("test", dataset.test_images, record.test),
    ):
        logits = saved[f"{part}_logits"]
        loss = cross_entropy(logits, saved[f"{part}_labels"])
        if scores is not None and abs(scores.loss - loss) > _ROUNDING * max(loss, 1):
            return f"{part} loss is {scores.loss:.6g}, by the predictions {loss:.6g}"
        with code_of(folder.study.entrant(record.entrant)):
            anew = predict_logits(network, tensor_of(images), pixels).numpy()
        apart = _apart(anew, logits)
        if not apart <= TOLERANCE:
            return (
                f"{part} predictions are not those of the weights: logits differ by up to "
                f"{apart:.2g} of the largest"
            )
    return None


def _apart(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """Return the largest difference of logits, relative to the largest of them."""
    exact = expected.astype(np.float64)
    return float(np.abs(found - exact).max() / max(np.abs(exact).max(), 1.0))


def _other_than_drawn(folder: RunFolder, dataset: Dataset) -> list[str]:
    """Return a line for comparison.json and one for the drawings, where they are not as drawn."""
    try:
        expected = files_of_report(folder, conclude(folder, dataset), dataset)
    except StoreError as error:
        return [str(error)]
    others = [file for file, content in expected.items() if not _holds(file, content)]
    comparison = folder.place(COMPARISON)
    anew = f"bakeoff report {folder.path} writes it anew"
    lines = [f"{comparison}: not what the trials come to; {anew}"] if comparison in others else []
    drawn = ["/".join(file.steps) for file in others if file != comparison]
    if drawn:
        lines.append(
            f"{folder.path}: missing, changed, or drawn by another version: {', '.join(drawn)}; "
            f"{anew}"
        )
    return lines


def _holds(file: Place, content: bytes) -> bool:
    try:
        return file.read(len(content)) == content
    except UnreadableError:
        return False
