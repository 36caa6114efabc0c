"""`bakeoff data --augmented`: a sheet of what networks will see of the training images."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch

from bakeoff.commands.data import name_of, refuse_other_file
from bakeoff.data.augmentation import Augmenter, refuse_impossible
from bakeoff.data.catalogue import load_dataset
from bakeoff.data.dataset import Dataset
from bakeoff.data.order import batches
from bakeoff.errors import StudyError, UsageError
from bakeoff.files.place import Place
from bakeoff.report.pictures.contact_sheet import (
    ContactSheet,
    Row,
    Shown,
    draw_contact_sheet,
    small,
)
from bakeoff.study.augmentation import Augmentation
from bakeoff.study.protocol import Protocol
from bakeoff.study.study import Study

_ROWS, _EPOCHS = 12, 11


def write_augmented_sheet(protocol: Protocol, study: Study, sheet: Path | None = None) -> Path:
    """Write a PNG of some training images, each beside what it becomes in the first epochs.

    protocol: which data; study: whose `protocol.augmentation` and study seed; sheet: the file,
    NAME-augmented.png in the current folder without it. Returns the file. Raises UsageError where
    the study changes no images, or these in a way that is not possible, and where the sheet would
    take the place of another file.
    """
    asked = study.protocol.augmentation
    if asked is None:
        raise UsageError(
            f"study {study.name} changes no images; give it a table [protocol.augmentation]"
        )
    target = sheet or Path(f"{name_of(protocol.dataset)}-augmented.png")
    refuse_other_file(target, protocol.dataset)
    dataset = load_dataset(protocol, Path())
    try:
        refuse_impossible(asked, dataset.image_shape)
    except StudyError as error:
        raise UsageError(f"study {study.name}: {error}") from error
    drawn = draw_contact_sheet(_sheet(dataset, asked, study))
    (Place(target.parent) / target.name).write(drawn)
    return target


def _sheet(dataset: Dataset, asked: Augmentation, study: Study) -> ContactSheet:
    """Return what the sheet shows: images of as many classes as there is room for."""
    chosen = _of_each_class(dataset)
    labels = dataset.train_labels[chosen]
    images = np.ascontiguousarray(dataset.train_images[chosen])
    plain = partial(batches, torch.from_numpy(images), torch.from_numpy(labels))
    augmenter = Augmenter(asked, study.study_seed, 0, len(dataset.classes))
    seen = []
    for epoch in range(1, _EPOCHS + 1):
        changed = augmenter.of_epoch(len(chosen), epoch, torch.device("cpu"))
        ((of_epoch, _),) = changed.batches(plain, torch.arange(len(chosen)), len(chosen))
        seen.append(of_epoch.numpy())
    rows = [
        Row(
            title=dataset.classes[label],
            note="",
            groups=[[Shown(small(image))], [Shown(small(each[place])) for each in seen]],
        )
        for place, (label, image) in enumerate(zip(labels, images, strict=True))
    ]
    said = ", ".join(f"{key} {value}" for key, value in asked.model_dump(exclude_none=True).items())
    return ContactSheet(
        title=f"{dataset.name}, as networks will see it",
        note=f"{study.name}: {said}",
        parts=[("as it is", 1), (f"in {_EPOCHS} epochs", _EPOCHS)],
        classes=rows,
        odd=[],
    )


def _of_each_class(dataset: Dataset) -> list[int]:
    """Return places of training images: the first of each class, then the second, and so on."""
    labels = dataset.train_labels
    of_class = [np.flatnonzero(labels == each)[:_ROWS] for each in range(len(dataset.classes))]
    turns = [
        int(places[turn]) for turn in range(_ROWS) for places in of_class if turn < len(places)
    ]
    return turns[:_ROWS]
