"""What is asked: data, protocol, entrants, seeds and the rule of decision, frozen and hashed."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    model_validator,
)

from bakeoff.errors import did_you_mean
from bakeoff.study.frozen import Asked, demand
from bakeoff.study.protocol import Protocol, is_path
from bakeoff.study.recipe import Recipe
from bakeoff.text import counted

_NO_ENTRANTS = ("protocol", "decision", "inside", "recipe")

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9_-])?$")]
"""A name that is safe as a folder: lower-case letters, digits, and inside dots, hyphens and
underscores. Nothing that leads elsewhere, steers a terminal or means something in HTML."""


MOST_SEEDS = 10_000


def _argument(value: Any) -> Any:
    parts = list(value) if isinstance(value, list | tuple) else [value]
    if all(isinstance(each, int | str) or _is_finite(each) for each in parts):
        return tuple(value) if isinstance(value, list) else value
    raise demand("argument", "a number, a text, true or false, or a list of these")


def _is_finite(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)


Argument = Annotated[
    bool | int | float | str | tuple[bool | int | float | str, ...], BeforeValidator(_argument)
]
"""What a network may be called with."""


class Published(Asked):
    """Figures printed elsewhere for an entrant, shown beside our own and never used by them."""

    source: str
    """Where they are printed."""
    parameters: int | None = None
    """Numbers that training moves."""
    train_loss: tuple[float, ...] = ()
    """Mean over examples, one per epoch."""
    validation_loss: tuple[float, ...] = ()
    """As `train_loss`."""
    validation_accuracy: tuple[float, ...] = ()
    """One per epoch, from 0 to 1."""
    training_seconds: float | None = None
    """Of the whole training."""
    test_accuracy: float | None = None
    """From 0 to 1."""
    test_balanced_accuracy: float | None = None
    """The mean over classes of the share that is found, from 0 to 1."""
    precision: tuple[float, ...] = ()
    """One per class, as `recall` and `f1`."""
    recall: tuple[float, ...] = ()
    """One per class."""
    f1: tuple[float, ...] = ()
    """One per class."""


class Entrant(Asked):
    """An architecture with its recipe. Two batch sizes of one network are two entrants."""

    name: Name
    """What it is called in files and tables: a-z, 0-9, dots, hyphens, underscores."""
    title: str = ""
    """What it is called on the page, if not by its name."""
    architecture: str
    """A name of `list architectures`, or where else the network comes from, as `net.py:Net`."""
    arguments: dict[str, Argument] | None = None
    """What the network is called with, beside classes and image shape."""
    source: str | None = None
    """What the code of a network from elsewhere is known by: filled in when it is found."""
    weights: str | None = Field(default=None, min_length=1)
    """A safetensors file of weights to start from, from where the study file lies."""
    weights_sha256: str | None = None
    """Of that file: filled in when it is found."""
    trainable: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Patterns of the names of parameters that training moves, as `head.*`; without it all move."""
    recipe: Recipe = Recipe()
    published: Published | None = Field(default=None, repr=False)

    @property
    def label(self) -> str:
        """The title, or the name where no title was given."""
        return self.title or self.name

    @property
    def code(self) -> tuple[str, dict[str, Argument] | None, str | None]:
        """What its code is known by: name, arguments, and hash where it comes from elsewhere."""
        return self.architecture, self.arguments, self.source

    @property
    def network(
        self,
    ) -> tuple[str, dict[str, Argument] | None, str | None, str | None, tuple[str, ...] | None]:
        """What its network is known by: its code, the weights it starts from, and what moves."""
        return *self.code, self.weights_sha256, self.trainable

    def asked(self) -> dict[str, Any]:
        """Return what its trials depend on. What is not set is left out."""
        elsewhere = {
            "arguments": self.arguments,
            "source": self.source,
            "weights": self.weights,
            "weights_sha256": self.weights_sha256,
            "trainable": self.trainable,
        }
        return {
            "name": self.name,
            "architecture": self.architecture,
            **{key: value for key, value in elsewhere.items() if value},
            "recipe": self.recipe.asked(),
        }


class Decision(Asked):
    """What a verdict must meet."""

    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Of each interval, and one minus it is the level of each test."""
    equivalence_margin: float = Field(default=0.25, gt=0, le=100)
    """Percentage points within which a difference does not matter."""
    about: Literal["architectures", "models"] = "architectures"
    """What verdicts speak of: new seeds and new test images, or these trained models on new test
    images."""
    baseline: str | None = None
    """An entrant; only pairs with it are tested, and counted by Holm's correction."""


class Inside(Asked):
    """What the page shows of what networks see."""

    image: int | None = Field(default=None, ge=0)
    """A test image; without it one that the first entrant gets right and most others do not."""
    channel: int | None = Field(default=None, ge=0)
    """Of each layer; without it the one that responds most to the image."""


class Study(Asked):
    """The whole question. Trials depend on it; the number of seeds only says how many there are."""

    name: Name
    """What it is called in files, and the folder of its runs: as the name of an entrant."""
    title: str = ""
    """What it is called on the page, if not by its name."""
    question: str = "Which entrant is best?"
    """What it asks, in a sentence."""
    about: str = ""
    """What a reader should know: where recipes come from, how they were chosen."""
    seeds: int = Field(default=1, ge=1, le=MOST_SEEDS)
    """How often each entrant is trained: trial seeds 0 .. seeds - 1."""
    study_seed: int = Field(default=0, ge=0)
    """What all random choices start from: another one draws everything anew."""
    base: str | None = None
    """The folder that paths of data and networks start from: that of the study file."""
    protocol: Protocol = Protocol()
    decision: Decision = Decision()
    inside: Inside = Inside()
    entrants: tuple[Entrant, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _entrant_names_differ(self) -> Self:
        seen = set()
        for entrant in self.entrants:
            if entrant.name in _NO_ENTRANTS:
                raise ValueError(
                    f"an entrant is called {entrant.name!r}, which means something else in --set; "
                    "give another name"
                )
            if entrant.name in seen:
                raise ValueError(
                    f"two entrants are called {entrant.name!r}; give each a name of its own"
                )
            seen.add(entrant.name)
        return self

    @model_validator(mode="after")
    def _mixes_what_counts_alike(self) -> Self:
        augmentation = self.protocol.augmentation
        weighing = [each.name for each in self.entrants if each.recipe.class_weights]
        if augmentation is not None and augmentation.mixup and weighing:
            raise ValueError(
                f"protocol.augmentation.mixup: not with recipe.class_weights, which {weighing[0]} "
                "has: a mixture is of no one class; leave out one of the two"
            )
        return self

    @model_validator(mode="after")
    def _baseline_is_an_entrant(self) -> Self:
        names = [entrant.name for entrant in self.entrants]
        baseline = self.decision.baseline
        if baseline is not None and baseline not in names:
            raise ValueError(
                f"decision.baseline: no entrant {baseline!r}; {did_you_mean(baseline, names)}"
            )
        return self

    def __repr_str__(self, join_str: str) -> str:
        """Return what a notebook shows of it: entrants and seeds are counted."""
        entrants = counted(len(self.entrants), "entrant")
        return join_str.join([self.name, entrants, counted(self.seeds, "seed")])

    @property
    def label(self) -> str:
        """The title, or the name where no title was given."""
        return self.title or self.name

    @property
    def folder(self) -> Path:
        """The folder that paths start from."""
        return Path(self.base or "")

    @property
    def names_files(self) -> bool:
        """Whether its data or a network is a file or folder of the user's."""
        return is_path(self.protocol.dataset) or any(
            ".py" in each.architecture or each.weights is not None for each in self.entrants
        )

    @property
    def trial_seeds(self) -> range:
        """The seeds of the repeats, the same for every entrant."""
        return range(self.seeds)

    def entrant(self, name: str) -> Entrant:
        """Return the entrant called `name`; raise KeyError where there is none."""
        for entrant in self.entrants:
            if entrant.name == name:
                return entrant
        raise KeyError(name)

    def asked(self) -> dict[str, Any]:
        """Return what trials depend on: all but texts, published figures, repeats, decision, views.

        What is not set is left out, so a key that a later version adds changes no hash.
        """
        return {
            "name": self.name,
            "study_seed": self.study_seed,
            "protocol": self.protocol.model_dump(exclude_none=True),
            "entrants": [entrant.asked() for entrant in self.entrants],
        }

    @property
    def hash(self) -> str:
        """SHA-256 of what trials depend on; the number of `seeds` is not part of it."""
        text = json.dumps(self.asked(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
