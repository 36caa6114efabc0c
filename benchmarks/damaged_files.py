"""The kinds of files that bakeoff reads, each one made, and read as the package reads it."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from bakeoff.commands.run import run_study
from bakeoff.data.readers.idx import read_idx
from bakeoff.data.readers.mnist import BUNDLED, BUNDLED_SHA256, CONTENT, read_mnist
from bakeoff.errors import StoreError
from bakeoff.files.place import Place
from bakeoff.files.tensors import from_safetensors
from bakeoff.records.checkpoints import Checkpoints, encode
from bakeoff.records.folder import RunFolder
from bakeoff.records.looks import Claim, Look, Rule
from bakeoff.records.record import Epoch
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.study.protocol import Protocol
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Entrant, Study

LABELS = "t10k-labels-idx1-ubyte"


@dataclass(frozen=True)
class Kind:
    """A file that can be damaged, and how it is read."""

    name: str
    file: Path
    read: Callable[[], object]
    """Reads the file and returns all that it says, as something that can be compared."""


SMALL = Study(
    name="small",
    title="Files to damage",
    protocol=Protocol(dataset="digits", validation_examples=297),
    entrants=tuple(
        Entrant(name=name, architecture=name, recipe=Recipe(epochs=2))
        for name in ("logistic-regression", "mlp-2x200")
    ),
)


class _Stop(Listener):
    """Ends a run after the first epoch."""

    def epoch_ended(self, trial: PlannedTrial, epoch: Epoch) -> None:
        """End it as Ctrl-C does."""
        raise KeyboardInterrupt


def unfinished(folder: Path) -> Path:
    """Return the checkpoint that a run leaves which is interrupted after its first epoch."""
    each_epoch = patch.object(Checkpoints, "due", lambda _: True)
    none_within = patch("bakeoff.training.fit._KeepPart.__call__", lambda *_: None)
    with suppress(KeyboardInterrupt), each_epoch, none_within:
        run_study(SMALL, folder, device="cpu", jobs=1, threads=1, listener=_Stop())
    [checkpoint] = RunFolder.open(folder).unfinished("logistic-regression", 0).path.glob("epoch-*")
    return checkpoint


def kinds(folder: Path) -> list[Kind]:
    """Return what is damaged: files made below `folder`, each with its reader."""
    run = run_study(SMALL, folder / "run", device="cpu").folder
    run.keep_look(
        Look(
            when="2025-01-01T00:00:00+00:00",
            rule=Rule.of(SMALL),
            complete={"logistic-regression": ((0, 2),), "mlp-2x200": ((0, 0), (2, 2))},
            claims=(Claim("logistic-regression", "mlp-2x200", "better", "mlp-2x200"),),
        )
    )
    checkpoint = unfinished(folder / "interrupted")
    trial = run.trial("logistic-regression", 0).path
    data = folder / "data"
    data.mkdir()
    archive, plain, packed = data / "mnist.zip", data / LABELS, data / f"{LABELS}.gz"
    archive.write_bytes(BUNDLED.read_bytes())
    with zipfile.ZipFile(BUNDLED) as bundled:
        plain.write_bytes(bundled.read(LABELS))
    packed.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
    return [
        Kind("record.json", trial / "record.json", lambda: _record(run)),
        Kind("model.safetensors", trial / "model.safetensors", lambda: _weights(run)),
        Kind("predictions.npz", trial / "predictions.npz", lambda: _predictions(run)),
        Kind("manifest.json", trial / "manifest.json", lambda: _trial(run)),
        Kind("timing.json", run.path / "timing.json", run.read_timing),
        Kind("looks.json", run.path / "looks.json", run.read_looks),
        Kind(
            "study.toml of a run", run.path / "study.toml", lambda: RunFolder.open(run.path).study
        ),
        Kind("checkpoint", checkpoint, lambda: _checkpoint(checkpoint)),
        Kind("IDX file", plain, lambda: read_idx(plain, *CONTENT[LABELS]).tobytes()),
        Kind("IDX file in gzip", packed, lambda: read_idx(packed, *CONTENT[LABELS]).tobytes()),
        Kind("mnist.zip", archive, lambda: read_mnist(archive, BUNDLED_SHA256).sha256),
    ]


def _record(run: RunFolder) -> object:
    return run.read_record("logistic-regression", 0)


def _weights(run: RunFolder) -> object:
    weights = from_safetensors(run.read_weights("logistic-regression", 0), "weights")
    return {name: (value.dtype, value.numpy().tobytes()) for name, value in weights.items()}


def _predictions(run: RunFolder) -> object:
    arrays = run.read_predictions("logistic-regression", 0)
    return {name: (array.dtype, array.shape, array.tobytes()) for name, array in arrays.items()}


def _trial(run: RunFolder) -> object:
    return _record(run), _weights(run), _predictions(run)


def _checkpoint(file: Path) -> object:
    """Read it as a run that goes on does; what that run says of a damaged one is the refusal."""
    said: list[str] = []
    found = Checkpoints(Place(file.parent), said.append).newest()
    if found is None:
        raise StoreError(*said)
    return encode(found[1], str(file))
