"""A whole study: plan, train what is missing, compare, report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from bakeoff.architectures.catalogue import ARCHITECTURES
from bakeoff.conclude import Conclusion, conclude
from bakeoff.data.dataset import Dataset
from bakeoff.data.sources import SOURCES, load_dataset
from bakeoff.errors import StoreError, StudyError, did_you_mean
from bakeoff.evaluation.cost import multiply_adds_per_image
from bakeoff.progress import Listener, PlannedTrial, Silence
from bakeoff.runners.serial import run_serially
from bakeoff.runners.stacked import run_stacked
from bakeoff.store import RunFolder
from bakeoff.study import Entrant, Study
from bakeoff.training.bursts import measure_bursts
from bakeoff.training.devices import choose_device, choose_precision
from bakeoff.training.trial import build_entrant, split_of


@dataclass(frozen=True)
class Baked:
    """What a run comes to."""

    folder: RunFolder
    trained: int
    """How many trials this run trained; the others were finished before."""
    conclusion: Conclusion


def check_names(study: Study, where: str) -> None:
    """Raise StudyError where the study names an architecture or data set that does not exist."""
    if study.protocol.dataset not in SOURCES:
        hint = did_you_mean(study.protocol.dataset, SOURCES)
        raise StudyError(
            f"{where}: protocol.dataset: unknown data set {study.protocol.dataset!r}; {hint}"
        )
    for number, entrant in enumerate(study.entrants):
        if entrant.architecture not in ARCHITECTURES:
            hint = did_you_mean(entrant.architecture, ARCHITECTURES)
            raise StudyError(
                f"{where}: entrants[{number}].architecture: unknown architecture "
                f"{entrant.architecture!r}; {hint}"
            )


def plan_trials(folder: RunFolder, dataset: Dataset) -> list[PlannedTrial]:
    """Return the trials that have yet to be trained: all entrants with seed 0 first, then 1, ...

    So an interrupted study can be compared, with the seeds that it got to.
    """
    study = folder.study
    work = {entrant.name: _work_per_epoch(study, entrant, dataset) for entrant in study.entrants}
    return [
        PlannedTrial(entrant, seed, work[entrant.name])
        for seed in study.trial_seeds
        for entrant in study.entrants
        if not folder.has_trial(entrant.name, seed)
    ]


def _work_per_epoch(study: Study, entrant: Entrant, dataset: Dataset) -> float:
    model = build_entrant(study, entrant, 0, dataset).eval()
    return float(multiply_adds_per_image(model, dataset.image_shape) * len(dataset.train_images))


def _refuse_other_conditions(folder: RunFolder, precision: str, data_hash: str) -> None:
    """Raise StoreError where finished trials were trained on other data or in other precision."""
    for record in folder.read_records():
        where = folder.trial(record.entrant, record.seed)
        if record.provenance.data_hash != data_hash:
            raise StoreError(f"{where}: trained on other data; give another --out")
        if record.provenance.precision != precision:
            raise StoreError(
                f"{where}: trained in {record.provenance.precision}, not {precision}; "
                f"give --precision {record.provenance.precision} or another --out"
            )


def run_study(
    study: Study,
    out: Path,
    *,
    device: str = "auto",
    precision: str = "auto",
    stack: bool = False,
    listener: Listener | None = None,
) -> Baked:
    """Train what is missing of `study` in the run folder `out`, compare, and write the report.

    stack: whether all seeds of an entrant train in one program, rather than one by one.
    Finished trials are kept and never trained again. Raises BakeoffError with one line.
    """
    listener = listener or Silence()
    check_names(study, f"study {study.name}")
    on_device = choose_device(device)
    in_precision = choose_precision(precision, on_device)
    dataset = load_dataset(study.protocol.dataset)
    # A split that cannot be made is refused before a folder is.
    split_of(study, 0, dataset)
    folder = RunFolder.create(out, study)
    _refuse_other_conditions(folder, in_precision, dataset.sha256)
    trials = plan_trials(folder, dataset)
    listener.planned(trials, len(study.entrants) * study.seeds - len(trials))
    runner = run_stacked if stack else run_serially
    outcomes = runner(
        study, trials, dataset, device=on_device, precision=in_precision, listener=listener
    )
    for planned, trial in outcomes:
        folder.write_trial(trial.record, trial.weights, trial.predictions)
        listener.trial_ended(planned, trial.record)
    _time_in_turns(folder, dataset, on_device, in_precision, listener)
    return Baked(folder, len(trials), conclude(folder, dataset, listener))


def _time_in_turns(
    folder: RunFolder, dataset: Dataset, device: torch.device, precision: str, listener: Listener
) -> None:
    """Measure what a training example costs each entrant, once per run folder."""
    entrants = {entrant.name for entrant in folder.study.entrants}
    if folder.read_timing().keys() == entrants:
        return
    listener.stage("timing training steps, the entrants taking turns")
    measured = measure_bursts(folder.study, dataset, device=device, precision=precision)
    folder.write_timing(
        dict(zip(measured.entrants, measured.seconds_per_example.tolist(), strict=True))
    )
