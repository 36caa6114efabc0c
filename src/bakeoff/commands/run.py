"""A whole study: plan, train what is missing, compare, report."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from bakeoff.data.augmentation import refuse_impossible
from bakeoff.data.catalogue import check_dataset, load_dataset
from bakeoff.data.dataset import Dataset
from bakeoff.data.split import split_of
from bakeoff.engine import claimed_process
from bakeoff.engine.devices import choose_device, choose_precision
from bakeoff.engine.native import kernels, kernels_in_use
from bakeoff.engine.native.build import nobody
from bakeoff.errors import StoreError, StudyError, UsageError
from bakeoff.files import locks
from bakeoff.files.cores import usable_cores
from bakeoff.records.conditions import foreign_origin
from bakeoff.records.folder import RunFolder
from bakeoff.records.limits import refuse_unreadable
from bakeoff.records.mend import remove_remains, set_damaged_aside, set_failed_aside
from bakeoff.records.own_study import STUDY
from bakeoff.runners.cores import Asked, number_of, share_out
from bakeoff.runners.crew import Crew, may_fork, started_crew
from bakeoff.runners.disk import bytes_needed, refuse_full_disk
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.runners.plan import plan_trials
from bakeoff.runners.processes import run_in_workers
from bakeoff.runners.serial import run_serially
from bakeoff.runners.setting import Runner, Setting
from bakeoff.runners.stacked import run_stacked
from bakeoff.study.study import Study
from bakeoff.training.code import Kept, load_code
from bakeoff.training.examination import findings_of
from bakeoff.training.size import network_sizes
from bakeoff.training.timing_pass import measure_timing
from bakeoff.training.trying import tried

if TYPE_CHECKING:
    from bakeoff.findings.conclusion import Conclusion, Verdict
    from bakeoff.findings.standings import Standing


@dataclass(frozen=True)
class Baked:
    """What a run comes to."""

    folder: RunFolder
    trained: int
    """How many trials were missing when this run began; the others were finished before."""
    conclusion: Conclusion

    def __repr__(self) -> str:
        return f"Baked({self.folder.path}: {self.conclusion.answer})"

    @property
    def standings(self) -> tuple[Standing, ...]:
        """One row per entrant, the best on validation data first."""
        return self.conclusion.standings

    def verdict(self, a: str, b: str) -> Verdict:
        """Return what can be said of two entrants; as text it is the sentence."""
        return self.conclusion.verdict(a, b)


def find_all(study: Study, where: str) -> tuple[Study, Kept]:
    """Find the data set and load the networks that a study of the user's names.

    Returns the study with what the code of each network is known by, and the code of those in
    files. Raises StudyError, beginning with `where`, for what is not there.
    """
    try:
        check_dataset(study.protocol.dataset, study.folder)
    except StudyError as error:
        raise StudyError(f"{where}: protocol.dataset: {error}") from error
    return load_code(study, where)


def _refuse_unfit_images(study: Study, dataset: Dataset, where: str) -> None:
    """Raise StudyError, before there is a folder, where the data do not do for the protocol."""
    try:
        split_of(study, 0, dataset)
        refuse_impossible(study.protocol.augmentation, dataset.image_shape)
    except StudyError as error:
        raise StudyError(f"{where}: {error}") from error
    last = len(dataset.test_labels) - 1
    if study.inside.image is not None and study.inside.image > last:
        raise StudyError(
            f"{where}: inside.image: {study.inside.image}; the last test image is {last}"
        )


def _refuse_faulty(
    study: Study, dataset: Dataset, device: torch.device, where: str, listener: Listener
) -> None:
    """Raise StudyError, before there is a folder, for a network of the user's that cannot be right.

    Those that ship are known to be, where all of them starts anew and moves. What is only odd is
    said.
    """
    for number, entrant in enumerate(study.entrants):
        if ":" not in entrant.architecture and not entrant.weights and not entrant.trainable:
            continue
        listener.stage(f"{entrant.name}: a look at {entrant.architecture}")
        for finding in findings_of(study, entrant, dataset, device):
            if finding.severity == "refuse":
                raise StudyError(f"{where}: entrants[{number}].{finding.key}: {finding.line}")
            listener.stage(f"{entrant.name}: {finding.line}")


def _tidy(folder: RunFolder, listener: Listener, *, retry_failed: bool) -> None:
    """Set aside what is damaged, and what is to be trained again; remove what others left."""
    set_damaged_aside(folder, listener.stage)
    remove_remains(folder)
    if retry_failed:
        set_failed_aside(folder, listener.stage)


def _refuse_other_conditions(folder: RunFolder, precision: str, data_hash: str) -> None:
    """Raise StoreError where finished trials were trained on other data or in other precision."""
    for record in folder.read_records():
        where = folder.trial(record.entrant, record.seed)
        complaint = foreign_origin(record.provenance, data_hash=data_hash, precision=precision)
        if complaint:
            raise StoreError(f"{where}: {complaint}")


def run_study(
    study: Study,
    out: Path | str,
    *,
    device: str = "auto",
    precision: str = "auto",
    stack: bool = False,
    jobs: Asked = "auto",
    threads: Asked = "auto",
    retry_failed: bool = False,
    reopen: bool = False,
    foretell: bool = False,
    listener: Listener | None = None,
    source: str = "",
    crew: Crew | None = None,
    on: str | None = None,
    gpus: float = 1.0,
) -> Baked:
    """Train what is missing of `study` in the run folder `out`, compare, and write the report.

    Finished trials are kept and never trained again, but for damaged ones and, with
    `retry_failed`, those that did not complete: these are set aside first. An interrupted trial
    goes on from its last checkpoint. Other processes may run the same study in the same folder.
    `jobs` trials train at once, each in a process with so many `threads`: with `auto` on the CPU as
    many as there are cores, in one thread each. With `stack` all seeds of an entrant train in one
    program, in as many threads as there are cores, without checkpoints. With `reopen` the rule of
    decision may be another one than verdicts were seen by. With `foretell` the listener hears first
    how long it will take on this machine. `source` is what errors call the study: its file, or else
    its name. `crew` is one that was started before, while this process imported what it needs. `on`
    is where else trials train: `ray` or `ray:HOST:PORT`, in as many tasks as there is room for or
    as `jobs` says, each with `gpus` of a GPU where it is on one; or `slurm`, in at most `jobs`
    workers. It has the process to itself: a second one in another thread is refused. Raises
    BakeoffError with one line.
    """
    listener, out = listener or Listener(), Path(out)
    source = source or f"study {study.name}"
    study, kept = find_all(study, source)
    on_device = choose_device(device)
    in_precision = choose_precision(precision, on_device)
    at_once, each = shares(jobs if on is None else "auto", threads, on_device.type, stack=stack)
    far = None if on is None else _far_away(on, jobs, each, gpus, stack=stack)
    in_workers = at_once * each > 1 and not stack and far is None
    with ExitStack() as held:
        if in_workers and crew is None and not may_fork(each):
            crew = held.enter_context(started_crew(study.protocol.dataset))
        # Workers say themselves what threads they are given.
        say = nobody if in_workers else listener.stage
        held.enter_context(claimed_process(each, say))
        # Compiled before any trial is timed, and before `jobs` processes would all compile them.
        if on_device.type == "cpu" and kernels(listener.stage) is None:
            listener.stage(
                f"kernels of {kernels_in_use()}. Figures differ in their last digits from those of "
                "bakeoff's own"
            )
        dataset = load_dataset(study.protocol, study.folder, listener.stage)
        _refuse_unfit_images(study, dataset, source)
        if not (out / STUDY).exists():
            _refuse_faulty(study, dataset, on_device, source, listener)
        sizes = network_sizes(study, dataset)
        weights = {name: size.state_bytes for name, size in sizes.items()}
        refuse_unreadable(study, dataset, weights, source)
        folder = RunFolder.create(out, study, reopen=reopen)
        folder.keep_code(kept)
        folder.refuse_without_locks()
        _tidy(folder, listener, retry_failed=retry_failed)
        _refuse_other_conditions(folder, in_precision, dataset.sha256)
        setting = Setting(folder, dataset, on_device, in_precision)
        folder.write_origin(setting.origin)
        trials = plan_trials(folder, dataset, sizes)
        refuse_full_disk(out, bytes_needed(setting, trials, at_once))
        listener.planned(trials, len(study.entrants) * study.seeds - len(trials))
        if foretell and trials and far is None:  # Of other machines this one tells nothing.
            listener.foretold(_seconds_of(trials, setting) / min(at_once, len(trials)))
        if in_workers:
            _tell_of_idle_cores(len(trials), at_once, each, listener)
        workers = min(at_once, len(trials)) if in_workers else 0
        run = far or _runner(stack, workers, each, crew)
        run(setting, trials, listener)
        _time_in_turns(setting, listener)
        # Another process may have asked for other seeds meanwhile; study.toml is the report's.
        RunFolder.create(out, study, reopen=reopen)
        listener.stage("comparing the trials and drawing the report")
        # Statistics and figures take a second to import: not for the first trial to wait for.
        from bakeoff.commands.report import report_folder

        return Baked(folder, len(trials), report_folder(folder, dataset, reopen=reopen))


def _seconds_of(trials: Sequence[PlannedTrial], setting: Setting) -> float:
    """Return how long the trials will take one after the other, told from a few batches."""
    study, entrants = setting.folder.study, {trial.entrant.name: trial.entrant for trial in trials}
    seconds = {
        name: tried(study, entrant, setting.dataset, setting.device, setting.precision)
        .seconds_per_epoch * entrant.recipe.epochs
        for name, entrant in entrants.items()
    }  # fmt: skip
    return sum(seconds[trial.entrant.name] for trial in trials)


def _make_ready_to_report() -> None:
    """Import statistics and figures, and compile the page's templates: a second's work."""
    import bakeoff.commands.report  # noqa: F401
    from bakeoff.report.templating import compile_templates

    compile_templates()


def _tell_of_idle_cores(trials: int, at_once: int, threads: int, listener: Listener) -> None:
    """Say where fewer trials are left than can train at once, and what could be done about it."""
    if 0 < trials < at_once:
        listener.stage(
            f"trials: {trials}, cores: {at_once * threads}. Each trains in {threads}, so that its "
            "weights are those of any machine of the kind; --threads takes more, and changes their "
            "last digits"
        )


def shares(jobs: Asked, threads: Asked, device: str, *, stack: bool = False) -> tuple[int, int]:
    """Return how many trials train at once, and in how many threads each."""
    if stack and jobs != "auto":
        raise UsageError("--stack trains in one process: leave --jobs out, or --stack")
    cores = usable_cores()
    if stack:
        return share_out(1, cores if threads == "auto" else threads, cores)
    # A GPU works on one trial at a time; several take its memory and time from each other.
    return share_out(1 if jobs == "auto" and device != "cpu" else jobs, threads, cores)


def _runner(stack: bool, workers: int, threads: int, crew: Crew | None) -> Runner:
    """Return what runs the trials on this machine."""
    if stack:
        return run_stacked
    if workers == 0:
        return run_serially
    return partial(
        run_in_workers, crew=crew, jobs=workers, threads=threads, meanwhile=_make_ready_to_report
    )


def _far_away(on: str, jobs: Asked, threads: int, gpus: float, *, stack: bool) -> Runner:
    """Return what runs the trials on other machines; raise UsageError where nothing does."""
    if stack:
        raise UsageError("--stack trains in one process: leave --on out, or --stack")
    where, _, address = on.partition(":")
    most = None if jobs == "auto" else number_of("--jobs", jobs)
    if where == "ray":
        from bakeoff.runners.on_ray import run_on_ray

        return partial(run_on_ray, address=address, jobs=most, threads=threads, gpus=gpus)
    if on == "slurm":
        from bakeoff.runners.on_slurm import run_on_slurm

        return partial(run_on_slurm, jobs=most, threads=threads)
    raise UsageError(f"--on {on}: give ray, ray:HOST:PORT or slurm")


def planned_for_slurm(study: Study, out: Path, device: str, jobs: Asked, threads: Asked) -> str:
    """Return what a run of the study would submit, were nothing of it finished."""
    from bakeoff.runners.on_slurm import script_for, workers_for

    most = None if jobs == "auto" else number_of("--jobs", jobs)
    workers = workers_for(len(study.entrants) * study.seeds, most)
    each = 1 if threads == "auto" else number_of("--threads", threads)
    return script_for(out, workers, each, choose_device(device).type)


def _time_in_turns(setting: Setting, listener: Listener) -> None:
    """Measure what a training example costs each entrant, once per run folder."""
    folder = setting.folder
    entrants = {entrant.name for entrant in folder.study.entrants}
    with locks.held(folder.conclusion_lock):
        if folder.read_timing().seconds_per_example.keys() == entrants:
            return
        listener.stage("timing training steps, the entrants taking turns")
        timing = measure_timing(
            folder.study, setting.dataset, device=setting.device, precision=setting.precision
        )
        if timing is None:
            listener.stage(
                "other programs disturbed the timing of training steps, so no seconds are "
                "compared; the same command tries again"
            )
        else:
            folder.write_timing(timing)
