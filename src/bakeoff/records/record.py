"""What a trial leaves: scores, history, cost and provenance, as one versioned JSON object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from bakeoff.study.recipe import Recipe

FORMAT = 1
"""Raised when a key changes its meaning; readers refuse a format that they do not know."""

NOTICEABLE = 0.1
"""Share of the cores, or of the time, from which on others are said to disturb."""

Status = Literal["complete", "diverged", "out_of_memory"]


class Part(BaseModel):
    """A part of a record: frozen, and silent about keys that a later version may add."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Epoch(Part):
    """One pass over the training examples and the validation pass after it."""

    epoch: int
    """Counted from 1."""
    train_loss: float
    """Mean cross-entropy over the examples, in nats, as the weights were while they moved."""
    validation_loss: float
    validation_accuracy: float
    seconds: float
    """Wall seconds, the validation pass included."""
    processor_seconds: float | None = None
    """Of the trial's process, all its threads together; None in records of earlier versions."""
    others: float | None = None
    """The share of the cores, 0 to 1, that other programs than this run took meanwhile; None where
    the system does not tell, and in epochs of less than half a second."""

    @property
    def lost(self) -> float:
        """Wall seconds in which the trial waited for cores that others had.

        0 where that is a tenth of the epoch or less, or where others took less than a tenth of the
        cores: then nothing disturbed it.
        """
        if self.others is None or self.processor_seconds is None or self.others < NOTICEABLE:
            return 0.0
        lost = self.seconds - self.processor_seconds
        return lost if lost > NOTICEABLE * self.seconds else 0.0


class Stopped(Part):
    """Where training ended, and why."""

    epoch: int
    reason: Literal[
        "budget used",
        "target reached",
        "target not reached",
        "loss not finite",
        "numbers too large",
        "out of memory",
    ]
    step: int | None = None
    """The first step of the epoch, counted from 1, whose loss was not finite; None for any other
    reason, and where only the validation loss after the epoch was not finite."""

    @property
    def diverged(self) -> bool:
        """Whether the training came to numbers that say nothing any more."""
        return self.reason in ("loss not finite", "numbers too large")


class Scores(Part):
    """Scores of float32 logits of the saved weights. Proportions in [0, 1]."""

    loss: float
    accuracy: float
    balanced_accuracy: float
    precision: tuple[float, ...]
    """One per class, as `recall` and `f1`."""
    recall: tuple[float, ...]
    f1: tuple[float, ...]
    confusion: tuple[tuple[int, ...], ...]
    """[true class][predicted class], counts; empty above a hundred classes (`limits`)."""


class Cost(Part):
    """What using the network costs."""

    multiply_adds_per_image: int
    milliseconds_per_image_batch_1: float | None = None
    """As earlier versions measured it in each trial; now `timing.json` has it."""
    milliseconds_per_image_batch_1000: float | None = None


class Evaluation(NamedTuple):
    """What a trained network was found to be worth: all of it, or none."""

    validation: Scores
    test: Scores
    cost: Cost


def _where_said() -> Any:
    """Return the field of a key that stands in a record only where it says something."""
    return Field(default=None, exclude_if=lambda value: value is None)


class Resumed(Part):
    """A resume that may have changed the last bits, since the conditions had changed."""

    epoch: int
    """The last epoch that was trained under the other conditions."""
    bit_identical: Literal[False] = False
    differs: tuple[str, ...]
    """What differed, as "threads: 2 then, 1 now"."""


class Provenance(Part):
    """What made the record."""

    versions: dict[str, str]
    commit: str | None
    """The commit of a checkout; None for an installed package."""
    device: str
    cpu: str
    threads: int
    precision: str
    platform: str
    study_hash: str
    data_hash: str
    started: str
    """ISO 8601, UTC."""
    kernels: str = "PyTorch"
    """Those of the training step: `native` and the compiler, or `PyTorch` and why not native."""
    numerics: tuple[str, ...] = ()
    """What else was asked of the libraries that changes last bits, as `MKL_CBWR=COMPATIBLE`."""
    machine: str | None = _where_said()
    """What the machine is called in its network; earlier versions did not say."""
    stacked: int = 1
    """How many seeds of the entrant began in one program, this one included."""
    resumed: tuple[Resumed, ...] = ()
    """A resume under the same conditions is not listed: it changes nothing but times."""


class Given(Part):
    """Weights that were trained elsewhere, from which the network started."""

    origin: str
    """The file as the study calls it, or the network of a zoo that brought them along."""
    sha256: str
    """Of the file, or of all tensors that the zoo's network has."""
    anew: tuple[str, ...]
    """Those of the network that started anew, since the file has them for other classes."""


class Record(Part):
    """One trial: one entrant trained once, with one seed."""

    format: int = FORMAT
    study: str
    entrant: str
    architecture: str
    recipe: Recipe
    seed: int
    status: Status
    trouble: str | None = None
    """One line that says what went wrong, where the status is not complete."""
    parameters: int
    """Numbers of the network that training can move."""
    trained_parameters: int | None = _where_said()
    """Those that it moved, where the study held others still."""
    given: Given | None = _where_said()
    epochs: tuple[Epoch, ...]
    stopped: Stopped
    training_seconds: float
    """Wall seconds of all epochs, validation passes included, whatever else the machine did."""
    validation: Scores | None
    """None where the trial is not complete, as `test` and `cost`."""
    test: Scores | None
    cost: Cost | None
    provenance: Provenance

    def __repr_str__(self, join_str: str) -> str:
        """Return what a notebook shows of it."""
        return join_str.join([self.entrant, f"seed {self.seed}", self.status])

    @property
    def complete(self) -> bool:
        """Whether the trial ended as planned, with scores."""
        return self.status == "complete"

    @property
    def evaluation(self) -> Evaluation | None:
        """Scores and cost; None where the trial is not complete."""
        if self.validation is None or self.test is None or self.cost is None:
            return None
        return Evaluation(self.validation, self.test, self.cost)

    @property
    def resumable(self) -> bool:
        """Whether a new attempt goes on from the trial's checkpoints, which stay as long.

        One that diverged would diverge again.
        """
        return self.status == "out_of_memory"


def evaluations(records: Iterable[Record]) -> list[Evaluation]:
    """Return what the complete ones of the records were found to be worth, in their order."""
    return [found for record in records if (found := record.evaluation) is not None]
