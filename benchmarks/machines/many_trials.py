"""Measure what a run folder of a thousand trials costs beside their training.

    python -m benchmarks.machines.many_trials [--trials 1000] [--entrants 10] [--dataset mnist]

Each entrant is trained once, for an epoch. Then the real loop brings all trials into a real folder:
lock, signature, record, weights, predictions, seals, every file flushed. In the place of training
stands that one epoch with logits drawn anew; the seconds of drawing are not counted. At the end the
folder is taken up again, looked at and concluded from, each as its command does it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from bakeoff.commands.report import report_folder
from bakeoff.commands.status import status_of
from bakeoff.data.catalogue import load_dataset
from bakeoff.data.dataset import Dataset
from bakeoff.engine import claimed_process
from bakeoff.findings.conclusion import conclude
from bakeoff.records.folder import RunFolder
from bakeoff.records.mend import remove_remains, set_damaged_aside
from bakeoff.runners.listener import Listener
from bakeoff.runners.plan import plan_trials
from bakeoff.runners.serial import run_serially
from bakeoff.runners.setting import Setting
from bakeoff.study.protocol import Protocol
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Entrant, Study
from bakeoff.training.run_trial import run_trial
from bakeoff.training.scores import score
from bakeoff.training.size import network_sizes
from bakeoff.training.trial import Trial, TrialSpec
from benchmarks.publish import Table, add_results_option, machine, publish
from benchmarks.task import CPU

A_TRIAL = "a trial, beside its training"
CONCLUDE = "conclude (bakeoff compare)"


def study_of(dataset: str, entrants: int, seeds: int) -> Study:
    """Return a study of entrants that differ in their learning rate."""
    validation = 6000 if dataset == "mnist" else 297
    return Study(
        name="many-trials",
        protocol=Protocol(dataset=dataset, validation_examples=validation),
        entrants=tuple(
            Entrant(
                name=f"entrant-{number}",
                architecture="logistic-regression",
                recipe=Recipe(epochs=1, learning_rate=0.001 * (1 + number)),
            )
            for number in range(entrants)
        ),
        seeds=seeds,
    )


@dataclass(frozen=True)
class Took:
    """Seconds; the processor's say what the wall's would be with nothing else at work."""

    wall: float
    processor: float

    @classmethod
    def now(cls) -> Took:
        """Return what the clocks say."""
        return cls(time.perf_counter(), time.process_time())

    def __add__(self, other: Took) -> Took:
        return Took(self.wall + other.wall, self.processor + other.processor)

    def __sub__(self, other: Took) -> Took:
        return Took(self.wall - other.wall, self.processor - other.processor)


@dataclass
class Recorded:
    """Trains each entrant once; of its other seeds it draws what they predict."""

    trained: dict[str, Trial] = field(default_factory=dict)
    took: Took = Took(0.0, 0.0)
    """Training and drawing: not the folder's."""

    def __call__(self, spec: TrialSpec, *_: object) -> Trial:
        """Return a trial of this seed, as `run_trial` does."""
        began = Took.now()
        if spec.entrant.name not in self.trained:
            self.trained[spec.entrant.name] = run_trial(spec, lambda _: None)
        trial = _drawn(self.trained[spec.entrant.name], spec)
        self.took += Took.now() - began
        return trial


def _drawn(trial: Trial, spec: TrialSpec) -> Trial:
    dataset, index = spec.dataset, spec.split.validation
    rng = np.random.default_rng([spec.seed, *spec.entrant.name.encode()])
    parts = {"validation": dataset.train_labels[index], "test": dataset.test_labels}
    logits = {part: _logits(labels, dataset, rng) for part, labels in parts.items()}
    scores = {part: score(logits[part], labels) for part, labels in parts.items()}
    predictions: dict[str, NDArray[np.float32] | NDArray[np.int64]] = {"validation_index": index}
    for part, labels in parts.items():
        predictions |= {f"{part}_logits": logits[part], f"{part}_labels": labels}
    record = trial.record.model_copy(update={"seed": spec.seed, **scores})
    return Trial(record, trial.weights, predictions)


def _logits(
    labels: NDArray[np.int64], dataset: Dataset, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return logits of which some two in a hundred are largest at another class."""
    logits = rng.standard_normal((len(labels), len(dataset.classes)), dtype=np.float32)
    logits[np.arange(len(labels)), labels] += 4
    return logits


def taken_by(work: Callable[[], object]) -> Took:
    """Return what some work takes."""
    began = Took.now()
    work()
    return Took.now() - began


def measured(folder: RunFolder, dataset: Dataset) -> tuple[dict[str, Took], list[int]]:
    """Return what each thing takes that is done with the folder, and the sizes of its files."""
    sizes = network_sizes(folder.study, dataset)
    setting = Setting(folder, dataset, CPU, "float32")
    trials, recorded = plan_trials(folder, dataset, sizes), Recorded()
    with claimed_process(1), patch("bakeoff.runners.serial.run_trial", recorded):
        trained = taken_by(lambda: run_serially(setting, trials, Listener()))
    all_trials = trained - recorded.took
    files = [file.stat().st_size for file in folder.path.rglob("*") if file.is_file()]

    def take_up() -> None:
        set_damaged_aside(folder, print)
        remove_remains(folder)
        assert not plan_trials(folder, dataset, sizes)

    each = Took(all_trials.wall / len(trials), all_trials.processor / len(trials))
    return {
        A_TRIAL: each,
        "find what is missing (plan)": taken_by(lambda: plan_trials(folder, dataset, sizes)),
        "take up again (run: every file checked)": taken_by(take_up),
        "bakeoff status": taken_by(lambda: status_of(folder.path)),
        CONCLUDE: taken_by(lambda: conclude(folder, dataset)),
        "conclude and draw (bakeoff report)": taken_by(lambda: report_folder(folder, dataset)),
    }, files


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--entrants", type=int, default=10)
    parser.add_argument("--dataset", choices=("mnist", "digits"), default="mnist")
    parser.add_argument("--in", type=Path, default=None, dest="where", help="folder on the disk")
    add_results_option(parser)
    options = parser.parse_args(arguments)

    study = study_of(options.dataset, options.entrants, options.trials // options.entrants)
    dataset = load_dataset(study.protocol, study.folder)
    with tempfile.TemporaryDirectory(dir=options.where) as folder:
        figures, files = measured(RunFolder.create(Path(folder) / "run", study), dataset)
    rows = tuple(
        (name, f"{took.wall:.3f}", f"{took.processor:.3f}") for name, took in figures.items()
    )
    publish(
        f"many_trials-{options.dataset}",
        [
            Table(("what", "wall, s", "processor, s"), rows),
            Table(
                ("the folder", ""),
                (("files", f"{len(files):,}"), ("MB", f"{sum(files) / 1e6:,.0f}")),
            ),
        ],
        setting={
            "trials": options.trials,
            "entrants": options.entrants,
            "network": "logistic-regression",
            "test images": len(dataset.test_images),
        },
        figures={name: vars(took) for name, took in figures.items()} | {"bytes": sum(files)},
        machine=machine(),
        folder=options.results,
    )


if __name__ == "__main__":
    main()
