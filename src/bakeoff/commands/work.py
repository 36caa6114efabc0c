"""`bakeoff worker`: trials of a run that was begun elsewhere, trained on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bakeoff.commands.run import shares
from bakeoff.data.catalogue import load_dataset
from bakeoff.engine import claimed_process
from bakeoff.engine.devices import choose_device
from bakeoff.engine.native import kernels
from bakeoff.engine.native.build import nobody
from bakeoff.errors import BakeoffError, StoreError
from bakeoff.files.mounts import why_locks_are_alone
from bakeoff.records.conditions import foreign_machine
from bakeoff.records.folder import RunFolder
from bakeoff.records.own_study import STUDY
from bakeoff.records.working import machine_name
from bakeoff.runners.cores import Asked
from bakeoff.runners.crew import Crew, may_fork, started_crew
from bakeoff.runners.disk import bytes_needed, refuse_full_disk
from bakeoff.runners.listener import Listener
from bakeoff.runners.plan import plan_trials
from bakeoff.runners.processes import train_in_workers
from bakeoff.runners.serial import train_free
from bakeoff.runners.setting import Setting
from bakeoff.training.code import load_kept
from bakeoff.training.size import network_sizes


@dataclass(frozen=True)
class Worked:
    """How a run stands when no trial of it is free any more."""

    folder: str
    machine: str
    finished: int
    planned: int

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return asdict(self)

    def to_text(self) -> str:
        """Return one line, with what comes next."""
        text = f"{self.machine}: trials finished: {self.finished} of {self.planned}"
        if self.finished < self.planned:
            return f"{text}; others are at the rest, and bakeoff status {self.folder} tells how far"
        return f"{text}; bakeoff run {self.folder}/{STUDY} --out {self.folder} compares them"


def work_on(
    directory: Path,
    *,
    device: str = "auto",
    jobs: Asked = "auto",
    threads: Asked = "auto",
    trust_code: bool = False,
    listener: Listener | None = None,
    crew: Crew | None = None,
) -> Worked:
    """Train what nobody else trains of the run in `directory`, until no trial is free.

    The study, its precision and the code of its networks are those that the run was begun with.
    Others may work on the folder meanwhile, on this machine and on others; those that they are at
    are left to them. Options as in `run_study`. Raises BakeoffError with one line, which names this
    machine where it is not fit for the run.
    """
    listener = listener or Listener()
    with ExitStack() as held:
        with _naming_the_machine():
            folder = RunFolder.open(directory)
            study, origin = folder.study, folder.read_origin()
            if origin is None:
                raise StoreError(
                    f"{directory}: no trial of it was ever begun; bakeoff run with --out "
                    f"{directory} does"
                )
            if why := why_locks_are_alone(directory):
                raise StoreError(f"{directory}: {why}; take a folder on another file system")
            folder.refuse_without_locks()
            load_kept(study.entrants, folder.code, study.folder, trusted=trust_code)
            on_device = choose_device(device)
            at_once, each = shares(jobs, threads, on_device.type)
            in_workers = at_once * each > 1
            if in_workers and crew is None and not may_fork(each):
                crew = held.enter_context(started_crew(study.protocol.dataset))
            held.enter_context(claimed_process(each, nobody if in_workers else listener.stage))
            if on_device.type == "cpu":
                kernels(listener.stage)
            dataset = load_dataset(study.protocol, study.folder, listener.stage)
            setting = Setting(folder, dataset, on_device, origin.precision)
            if complaint := foreign_machine(origin, setting.origin):
                raise StoreError(f"{directory}: {complaint}")
            trials = plan_trials(folder, dataset, network_sizes(study, dataset))
            refuse_full_disk(directory, bytes_needed(setting, trials, at_once))
        listener.planned(trials, len(study.entrants) * study.seeds - len(trials))
        if not in_workers or not trials:
            train_free(setting, trials, listener)
        else:
            train_in_workers(
                setting,
                trials,
                listener,
                crew=crew,
                jobs=min(at_once, len(trials)),
                threads=each,
            )
    planned = len(study.entrants) * study.seeds
    return Worked(str(directory), machine_name(), len(folder.finished()), planned)


@contextmanager
def _naming_the_machine() -> Iterator[None]:
    """Let an error begin with the name of this machine: whoever reads it sits at another one."""
    try:
        yield
    except BakeoffError as error:
        raise BakeoffError(f"{machine_name()}: {error}") from error
