"""Bake-offs that never happened: findings with plausible, seeded numbers for the report's tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.comparison.compare import Comparison, compare
from bakeoff.comparison.outcome import EntrantOutcome, LeftOut, TargetTimes
from bakeoff.comparison.pair import PairComparison
from bakeoff.data.dataset import Dataset
from bakeoff.findings.calibration import calibration_of
from bakeoff.findings.findings import Findings, Images
from bakeoff.findings.mistakes import (
    Confusion,
    Disagreement,
    Mistake,
    confusion_of,
    disagreements,
)
from bakeoff.findings.predicted import Predicted
from bakeoff.findings.standings import standings
from bakeoff.records.record import (
    Cost,
    Epoch,
    Provenance,
    Record,
    Scores,
    Stopped,
    evaluations,
)
from bakeoff.records.timing_file import Timing
from bakeoff.study.protocol import Protocol
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Entrant, Published, Study
from tests.report.pictures import hard_image, mistake, view, weight_look

CLASSES = tuple(str(digit) for digit in range(10))
PER_CLASS = np.array([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])

# name, title, architecture, parameters, error on test data, seconds, multiply-adds, ms, ms
FIELD: tuple[tuple[str, str, str, int, float, float, int, float, float], ...] = (
    ("logistic-regression", "Logistic regression", "logistic-regression", 7_850, 0.18, 31, 7_840,
     0.021, 0.0004),
    ("mlp-2x200", "Two hidden layers", "mlp-2x200", 199_210, 0.049, 42, 198_800, 0.038, 0.0011),
    ("cnn-1conv", "One convolution", "cnn-1conv", 6_434_634, 0.026, 260, 7_059_968, 0.61, 0.09),
    ("cnn-2conv", "Two convolutions", "cnn-2conv", 3_274_634, 0.0123, 330, 13_883_392, 0.83, 0.21),
    ("cnn-2conv-dropout-batch-50", "Two convolutions and dropout, batches of 50",
     "cnn-2conv-dropout", 3_274_634, 0.0095, 450, 13_883_392, 0.84, 0.21),
    ("cnn-2conv-dropout-batch-100", "Two convolutions and dropout, batches of 100",
     "cnn-2conv-dropout", 3_274_634, 0.0108, 390, 13_883_392, 0.84, 0.21),
)  # fmt: skip


LABELS = np.repeat(np.arange(10), PER_CLASS)
LUCK = np.random.default_rng(5).uniform(0, 1, len(LABELS))
"""[images]: how hard each image is, the same for all trials: what is hard for one is for others."""
CONFUSED_WITH = np.random.default_rng(6).integers(1, 10, len(LABELS))
"""[images]: added to the label, what a trial that errs mostly says."""


def predictions(rng: np.random.Generator, error: float) -> NDArray[np.int64]:
    """Return predicted classes [images] with about this share of errors."""
    chance = 1 / (1 + np.exp(-(LUCK - (1 - error)) * 60))
    wrong = rng.uniform(0, 1, len(LABELS)) < chance * np.minimum(1, error * 8)
    wrong |= rng.uniform(0, 1, len(LABELS)) < error * (1 - np.minimum(1, error * 8)) + error * 0.2
    other = np.where(rng.uniform(0, 1, len(LABELS)) < 0.8, CONFUSED_WITH, rng.integers(1, 10))
    return np.where(wrong, (LABELS + other) % 10, LABELS)


def scores(
    predicted: NDArray[np.int64], labels: NDArray[np.int64], loss: float, classes: int = 10
) -> Scores:
    """Return the scores of predicted classes, all from one confusion matrix."""
    confusion = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    hits = np.diag(confusion)
    recall, precision = hits / confusion.sum(1), hits / confusion.sum(0)
    return Scores(
        loss=loss,
        accuracy=float(hits.sum() / confusion.sum()),
        balanced_accuracy=float(recall.mean()),
        precision=tuple(precision.tolist()),
        recall=tuple(recall.tolist()),
        f1=tuple((2 * precision * recall / (precision + recall)).tolist()),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )


def history(rng: np.random.Generator, error: float, epochs: int, each: float) -> list[Epoch]:
    """Return epochs whose losses fall towards what the error suggests."""
    found = []
    for number in range(1, epochs + 1):
        rest = 1 + 7 * np.exp(-0.45 * number)
        noise = rng.normal(1, 0.03, 3)
        found.append(
            Epoch(
                epoch=number,
                train_loss=float(error * 2.1 * rest * noise[0] ** 2),
                validation_loss=float(error * 3.4 * (0.35 + 0.65 * rest) * noise[1] ** 2),
                validation_accuracy=float(1 - min(error * (0.5 + 0.5 * rest) * noise[2], 0.9)),
                seconds=each * float(rng.uniform(0.97, 1.05)),
            )
        )
    return found


def about(study: Study, entrant: Entrant) -> tuple[int, Any]:
    """Return an entrant's place and the row of FIELD that it is made after."""
    place = [other.name for other in study.entrants].index(entrant.name)
    return place, next((row for row in FIELD if row[0] == entrant.name), FIELD[place % len(FIELD)])


def answers(study: Study, entrant: Entrant, seed: int) -> NDArray[np.int64]:
    """Return what one trial says of the test images."""
    place, row = about(study, entrant)
    rng = np.random.default_rng([place, seed, 11])
    return predictions(rng, row[4] * float(rng.uniform(0.93, 1.07)))


def record(study: Study, entrant: Entrant, seed: int, *, diverged: bool = False) -> Record:
    """Return one trial; a diverged one has two epochs and no scores."""
    place, row = about(study, entrant)
    rng = np.random.default_rng([place, seed, 7])
    error = row[4]
    test = answers(study, entrant, seed)
    seen = rng.permutation(len(LABELS))[:6000]
    validation = predictions(rng, error)[seen]
    planned = (
        entrant.recipe.epochs
        if entrant.recipe.target_validation_accuracy is None
        else 11 + place + seed % 3
    )
    epochs = history(rng, error, 2 if diverged else planned, row[5] / planned)
    return Record(
        study=study.name,
        entrant=entrant.name,
        architecture=entrant.architecture,
        recipe=entrant.recipe,
        seed=seed,
        status="diverged" if diverged else "complete",
        trouble="the training loss was not finite in epoch 3" if diverged else None,
        parameters=row[3],
        epochs=tuple(epochs),
        stopped=Stopped(
            epoch=len(epochs),
            reason="loss not finite"
            if diverged
            else "budget used"
            if entrant.recipe.target_validation_accuracy is None
            else "target reached",
        ),
        training_seconds=sum(epoch.seconds for epoch in epochs),
        validation=None if diverged else scores(validation, LABELS[seen], error * 3.3),
        test=None if diverged else scores(test, LABELS, error * 3.2),
        cost=None if diverged else Cost(multiply_adds_per_image=row[6]),
        provenance=Provenance(
            versions={"python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.6", "bakeoff": "0.1.0"},
            commit="0123456789abcdef0123456789abcdef01234567",
            device="cpu",
            cpu="A processor of some make @ 2.40 GHz",
            threads=2,
            precision="float32",
            platform="Linux x86_64",
            study_hash=study.hash,
            data_hash="5f" * 32,
            started=f"2026-01-02T03:{seed:02d}:05+00:00",
            kernels="native, gcc 12.2.0",
        ),
    )


def published(error: float, epochs: int, parameters: int) -> Published:
    """Return figures printed elsewhere, near to what the fixture finds."""
    rng = np.random.default_rng(epochs + parameters)
    past = history(rng, error, epochs, 1)
    return Published(
        source="the published assignment",
        parameters=parameters,
        train_loss=tuple(epoch.train_loss for epoch in past),
        validation_accuracy=tuple(epoch.validation_accuracy for epoch in past),
        training_seconds=160.0,
        test_accuracy=1 - error,
        test_balanced_accuracy=1 - error * 1.02,
        f1=tuple((1 - error * rng.uniform(0.5, 1.5, 10)).tolist()),
    )


def assignment_study(seeds: int = 1) -> Study:
    """Return six entrants: four with eleven epochs, two with a target and different batches."""
    entrants = []
    for name, title, architecture, parameters, error, *_rest in FIELD:
        batches = "batch" in name
        entrants.append(
            Entrant(
                name=name,
                title=title,
                architecture=architecture,
                recipe=Recipe(
                    batch_size=100 if name.endswith("100") else 50,
                    epochs=30 if batches else 11,
                    target_validation_accuracy=0.99 if batches else None,
                    initialisation="xavier-normal"
                    if batches
                    else "absolute-xavier-normal"
                    if "cnn" in name
                    else "framework-default",
                ),
                published=published(error, 15 if batches else 11, parameters),
            )
        )
    return Study(
        name="assignment",
        title="Six networks read digits",
        question="Which of six trainings reads handwritten digits best?",
        about="The published assignment, trained anew.",
        seeds=seeds,
        protocol=Protocol(pixels="scaled-twice"),
        entrants=tuple(entrants),
    )


def fair_study() -> Study:
    """Return the same field with five seeds, one schedule, and pixels scaled once."""
    base = assignment_study(seeds=5)
    entrants = tuple(
        entrant.model_copy(
            update={
                "published": None,
                "recipe": entrant.recipe.model_copy(
                    update={"epochs": 8, "schedule": "one-cycle", "optimizer": "adamw"}
                ),
            }
        )
        for entrant in base.entrants
    )
    return base.model_copy(
        update={"name": "fair", "title": "", "entrants": entrants, "protocol": Protocol()}
    )


def small_study() -> Study:
    """Return two entrants of the assignment."""
    base = assignment_study()
    return base.model_copy(update={"entrants": base.entrants[1:3]})


EXAMPLES = 54_000


def timing_of(study: Study) -> Timing:
    """Return what a timing pass might have measured: ten epochs take the seconds of FIELD."""
    per_example, one, thousand = {}, {}, {}
    for entrant in study.entrants:
        place, row = about(study, entrant)
        rounds = np.random.default_rng(place).uniform(0.9, 1.1, 8) * row[5] / 10 / EXAMPLES
        per_example[entrant.name] = rounds.tolist()
        one[entrant.name], thousand[entrant.name] = [row[7]] * 3, [row[8]] * 3
    return Timing(per_example, one, thousand)


def clean_seconds(study: Study, entrant: str, epochs: float) -> float:
    """Return what so many epochs take by that timing pass."""
    return epochs * EXAMPLES * float(np.median(timing_of(study).seconds_per_example[entrant]))


def comparison_of(study: Study, records: tuple[Record, ...], order: Sequence[str]) -> Comparison:
    """Return what the package itself concludes from the trials' answers."""
    outcomes: list[EntrantOutcome] = []
    for entrant in map(study.entrant, order):
        mine = [trial for trial in records if trial.entrant == entrant.name]
        done = [trial for trial in mine if trial.complete]
        epochs = np.array([float(trial.stopped.epoch) for trial in done])
        seconds = epochs * clean_seconds(study, entrant.name, 1)
        reached = np.array([trial.stopped.reason == "target reached" for trial in done])
        timed = entrant.recipe.target_validation_accuracy is not None
        outcomes.append(
            EntrantOutcome(
                name=entrant.name,
                predicted=np.array(
                    [answers(study, entrant, trial.seed) for trial in done], dtype=np.int64
                ).reshape(len(done), len(LABELS)),
                seeds=tuple(trial.seed for trial in done),
                seconds=seconds,
                epochs=epochs,
                left_out=tuple(
                    LeftOut(trial.seed, trial.status) for trial in mine if not trial.complete
                ),
                target=TargetTimes(seconds, epochs, reached, 0.99) if timed else None,
                seconds_per_example=np.array(timing_of(study).seconds_per_example[entrant.name]),
            )
        )
    return compare(outcomes, LABELS, 10, known_wrong=(947, 1621))


def findings_of(study: Study, *, diverged: tuple[str, int] | None = None) -> Findings:
    """Return findings for every trial of the study; `diverged` names one that failed."""
    records = tuple(
        record(study, entrant, seed, diverged=(entrant.name, seed) == diverged)
        for entrant in study.entrants
        for seed in study.trial_seeds
    )
    rows = standings(study, records, timing_of(study), EXAMPLES)
    winner = rows[0].entrant
    comparison = comparison_of(study, records, [row.entrant for row in rows])
    complete = {
        row.entrant: [each for each in records if each.complete and each.entrant == row.entrant]
        for row in rows
        if row.trials
    }
    said = {
        name: [answers(study, study.entrant(name), trial.seed) for trial in trials]
        for name, trials in complete.items()
    }
    return Findings(
        study=study,
        records=records,
        standings=rows,
        comparison=comparison,
        images=Images("MNIST", "CC BY-SA 3.0", EXAMPLES, 6000, len(LABELS)),
        classes=CLASSES,
        light_on_dark=True,
        answer=f"{winner} comes first on validation data.",
        report=Path("report.html"),
        predicted={},
        unseen=None,
        view=view(winner),
        other_views=(weight_look(study.entrants[0].name),),
        mistakes=tuple(mistake(number) for number in range(1, 13)),
        confusions=tuple(confusion(name, told, LABELS, 10) for name, told in said.items()),
        calibrations=tuple(
            calibration_of(name, evaluations(complete[name]), [sure(each) for each in told], LABELS)
            for name, told in said.items()
        ),
        disagreements=_disagreements(comparison),
        hardest=tuple(hard_image(number, len(records)) for number in range(12)),
    )


def _disagreements(comparison: Comparison) -> tuple[Disagreement, ...]:
    """Return pictures for the images that part two entrants, as many as there would be."""

    def wrong_about(
        pair: PairComparison, _name: str, indices: NDArray[np.int64], most: int
    ) -> tuple[Mistake, ...]:
        shown = range(min(most, len(indices)))
        return tuple(hard_image(number, len(pair.seeds)) for number in shown)

    return disagreements(comparison.tested, wrong_about)


def confusion(
    entrant: str, said: Sequence[NDArray[np.int64]], labels: NDArray[np.int64], classes: int
) -> Confusion:
    """Return what trials that say these classes take for what."""
    images = np.zeros((len(labels), 1, 1, 1), np.uint8)
    names = tuple(str(number) for number in range(classes))
    dataset = Dataset("fixture", names, images, labels, images, labels)
    return confusion_of(entrant, [sure(each) for each in said], dataset)


def sure(said: NDArray[np.int64]) -> Predicted:
    """Return these answers of a trial that is as sure of each: 0.9."""
    return Predicted(said, np.full(len(said), 0.9))
