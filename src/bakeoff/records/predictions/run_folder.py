"""The predictions that lie in a run folder, beside which those of others may stand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bakeoff.errors import DataError
from bakeoff.records.folder import RunFolder
from bakeoff.records.predictions.answers import probabilities_of
from bakeoff.records.predictions.arrays import names_of
from bakeoff.records.predictions.block import Block
from bakeoff.records.predictions.names import Names


def read_run_folder(path: Path) -> list[Block]:
    """Return what each complete trial says of the test images, which are called by their number."""
    folder = RunFolder.open(path)
    complete = [record for record in folder.read_records() if record.complete]
    if not complete:
        raise DataError(f"{path}: no trial is complete, so there are no predictions")
    found = []
    for record in complete:
        arrays = folder.read_predictions(record.entrant, record.seed)
        logits = arrays["test_logits"].astype(np.float64)
        images = len(logits)
        numbers = np.arange(images)
        found.append(
            Block(
                file=path,
                line="image",
                lines=numbers,
                format=f"run folder {path.name}: test images by number, logits",
                item=names_of(numbers),
                entrant=Names.constant(record.entrant, images),
                seed=Names.constant(str(record.seed), images),
                label=names_of(arrays["test_labels"]),
                probabilities=probabilities_of(logits, "logits"),
                classes=tuple(str(each) for each in range(logits.shape[1])),
                first_class=logits.argmax(axis=1),
            )
        )
    return found
