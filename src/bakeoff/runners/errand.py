"""A trial that is trained far away, without the run folder: what is sent, and what comes back.

The far end is a generator: it says where it is, tells what it hears, hands over each checkpoint,
and in the end the trial. Whoever sent the errand holds the trial's lock, and writes what comes into
the run folder. What carries it all is not known here.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import torch

from bakeoff.data.catalogue import load_dataset
from bakeoff.engine import claimed_process
from bakeoff.engine.native import kernels
from bakeoff.engine.native.build import nobody
from bakeoff.errors import BakeoffError
from bakeoff.files.place import Place
from bakeoff.records.checkpoints import Checkpoints
from bakeoff.records.conditions import foreign_machine
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Provenance
from bakeoff.records.working import machine_name
from bakeoff.runners.events import Event
from bakeoff.runners.setting import Setting
from bakeoff.study.study import Study
from bakeoff.training.code import Kept, load_kept
from bakeoff.training.provenance import provenance
from bakeoff.training.run_trial import run_trial
from bakeoff.training.size import NetworkSize, network_sizes
from bakeoff.training.trial import Trial, TrialSpec


@dataclass(frozen=True)
class Errand:
    """What is the same for all trials of a run."""

    origin: str
    """JSON, as the study: another version of bakeoff is told before it has to understand them."""
    study: str
    kept: Kept
    """Code of networks, and weights that they start from."""
    device: str
    threads: int


@dataclass(frozen=True)
class Begun:
    """The first that comes back: where the trial is trained."""

    machine: str
    process: int


Files = Mapping[str, bytes]
"""Checkpoints by the names of their files."""

Answer = Begun | Event | Files | Trial


def train_far_away(errand: Errand, entrant: str, seed: int, checkpoints: Files) -> Iterator[Answer]:
    """Train a trial from its newest checkpoint on, or from its beginning; yield what comes of it.

    The last is the trial, or an event `failed` that begins with the name of this machine.
    """
    answers: SimpleQueue[Answer | None] = SimpleQueue()
    yield Begun(machine_name(), os.getpid())
    Thread(
        target=_train, args=(errand, entrant, seed, checkpoints, answers.put), daemon=True
    ).start()
    while (answer := answers.get()) is not None:
        yield answer


def _train(
    errand: Errand,
    entrant: str,
    seed: int,
    checkpoints: Files,
    answer: Callable[[Answer | None], None],
) -> None:
    """Answer with all that comes of a trial, and None at the end."""
    key = entrant, seed
    try:
        with tempfile.TemporaryDirectory() as folder, claimed_process(errand.threads, nobody):
            kept = _HandedOver(Place(Path(folder)), answer)
            for name, content in checkpoints.items():
                (kept.folder / name).write(content)
            answer(
                run_trial(
                    _spec(errand, entrant, seed),
                    lambda epoch: answer(Event(event="epoch_ended", trial=key, detail=epoch)),
                    kept,
                    lambda epochs, steps: answer(
                        Event(event="trial_resumed", trial=key, detail=(epochs, steps))
                    ),
                )
            )
    except BakeoffError as error:
        answer(Event(event="failed", detail=f"{machine_name()}: {error}"))
    except Exception as error:
        # Of a thread it would only be printed, and whoever sent the errand would not hear of it.
        what = f"{type(error).__name__}: {error}"
        answer(Event(event="failed", detail=f"{machine_name()}: {what}"))
    finally:
        answer(None)


class _HandedOver(Checkpoints):
    """Checkpoints in a folder of this machine, each of which is handed over as well."""

    def __init__(self, folder: Place, answer: Callable[[Answer], None]) -> None:
        super().__init__(folder, lambda text: answer(Event(event="stage", detail=text)))
        self._answer = answer

    def keep(self, name: str, content: bytes) -> None:
        super().keep(name, content)
        self._answer({name: content})


_READY: dict[tuple[str, str], tuple[Setting, Mapping[str, NetworkSize]]] = {}
"""What a process has made ready, by study and data: trial after trial comes to the same one."""


def _spec(errand: Errand, entrant: str, seed: int) -> TrialSpec:
    """Return all that a trial depends on; raise BakeoffError where this machine is not fit."""
    origin = Provenance.model_validate_json(errand.origin)
    which = origin.study_hash, origin.data_hash
    if which not in _READY:
        _READY[which] = _made_ready(errand, origin)
    setting, sizes = _READY[which]
    study = setting.folder.study
    return TrialSpec(
        study,
        study.entrant(entrant),
        seed,
        setting.dataset,
        setting.device,
        setting.precision,
        sizes[entrant],
    )


def _made_ready(errand: Errand, origin: Provenance) -> tuple[Setting, Mapping[str, NetworkSize]]:
    here = provenance(
        device=torch.device("cpu"),
        precision=origin.precision,
        study_hash=origin.study_hash,
        data_hash=origin.data_hash,
    )
    if complaint := foreign_machine(origin, here):  # The versions, before all that rests on them.
        raise BakeoffError(complaint)
    study = Study.model_validate_json(errand.study)
    # Code stays as long as the process, which may read what lies beside it when it is called.
    folder = RunFolder(Path(tempfile.mkdtemp(prefix="bakeoff-")), study)
    atexit.register(shutil.rmtree, folder.path, ignore_errors=True)
    folder.keep_code(errand.kept)
    load_kept(study.entrants, folder.code, study.folder, trusted=True)  # It was run before.
    dataset = load_dataset(study.protocol, study.folder)
    device = torch.device(errand.device)
    if device.type == "cpu":
        kernels(nobody)
    setting = Setting(folder, dataset, device, origin.precision)
    if complaint := foreign_machine(origin, setting.origin):
        raise BakeoffError(complaint)
    return setting, network_sizes(study, dataset)
