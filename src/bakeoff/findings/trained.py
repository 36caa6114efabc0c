"""The trained network of a finished trial, as saved."""

from __future__ import annotations

import torch
from torch import nn

from bakeoff.data.dataset import Dataset
from bakeoff.engine.devices import place
from bakeoff.errors import StoreError, UnreadableError
from bakeoff.files.tensors import from_safetensors
from bakeoff.findings.inside import view_inside
from bakeoff.findings.view import View
from bakeoff.records.folder import RunFolder
from bakeoff.records.limits import LARGEST_NUMBER
from bakeoff.records.record import Record
from bakeoff.records.trial_files import WEIGHTS
from bakeoff.training.trial import build_entrant, pixel_scale


def load_network(folder: RunFolder, record: Record, dataset: Dataset) -> nn.Module:
    """Return the network of a trial with the weights of its `model.safetensors`.

    Raises StoreError where the weights are damaged or of another network.
    """
    file = folder.trial(record.entrant, record.seed) / WEIGHTS
    try:
        weights = from_safetensors(folder.read_weights(record.entrant, record.seed), str(file))
    except UnreadableError as error:
        raise StoreError(f"{file}: not the weights of a trial") from error
    entrant = folder.study.entrant(record.entrant)
    model = build_entrant(folder.study, entrant, record.seed, dataset)
    expected = {name: value.dtype for name, value in model.state_dict().items()}
    try:
        if {name: value.dtype for name, value in weights.items()} != expected:
            raise RuntimeError("other tensors, or of another type")
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise StoreError(f"{file}: not the weights of {entrant.architecture}") from error
    if not all(_learned(value) for value in weights.values()):
        raise StoreError(f"{file}: weights that no training ends with; move {file.parent} away")
    return place(model, torch.device("cpu"))


def _learned(weights: torch.Tensor) -> bool:
    """Return whether a complete trial may have saved these: with larger ones it diverged."""
    return bool((weights.abs() < LARGEST_NUMBER).all())


def view_of(folder: RunFolder, record: Record, dataset: Dataset, index: int) -> View:
    """Return what the network of a trial sees in test image `index`."""
    return view_inside(
        load_network(folder, record, dataset),
        dataset,
        index,
        entrant=record.entrant,
        seed=record.seed,
        pixel_scale=pixel_scale(folder.study.protocol),
    )
