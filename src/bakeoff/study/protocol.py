"""What is the same for all entrants: data, how they are split and seen, what chooses the best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from bakeoff.study.augmentation import Augmentation
from bakeoff.study.frozen import Asked, demand


def _part(value: Any) -> Any:
    if (type(value) is int and value >= 1) or (type(value) is float and 0 < value < 1):
        return value
    raise demand("part", "a number from 1 on, or a share between 0 and 1")


Part = Annotated[int | float, BeforeValidator(_part)]
"""So many, or such a share."""

LONGEST_SIDE = 4096
"""Pixels."""


def _size(value: Any) -> Any:
    sides = list(value) if isinstance(value, list | tuple) else [value, value]
    if len(sides) == 2 and all(type(side) is int and 1 <= side <= LONGEST_SIDE for side in sides):
        return tuple(value) if isinstance(value, list) else value
    raise demand("size", f"pixels from 1 to {LONGEST_SIDE}: a side, or [height, width]")


Size = Annotated[int | tuple[int, int], BeforeValidator(_size)]
"""The side of a square, or (height, width)."""


def is_path(dataset: str) -> bool:
    """Return whether a data set is a file or folder of the user's, and not one that ships."""
    return any(mark in dataset for mark in "/.~")


def _for_files(default: Any) -> Any:
    """Return the field of a key whose default means something for the user's own files alone."""

    def default_of(before: Mapping[str, Any]) -> Any:
        return default if is_path(before.get("dataset", "")) else None

    return default_of


class Protocol(Asked):
    """What is the same for all entrants."""

    dataset: str = "mnist"
    """A name of `list datasets`, or a file or folder, from where the study file lies."""
    image_size: Size | None = None
    """Pixels of a side, or (height, width), that images of a folder or table are brought to."""
    fit: Literal["crop", "pad", "stretch"] | None = Field(
        default_factory=lambda before: "crop" if before.get("image_size") else None
    )
    """How: cut what is too long, fill what is too short, or change the proportions."""
    colour: Literal["grey", "rgb"] | None = None
    """What images are turned into; without it grey where all are grey, else RGB."""
    test: Part | None = Field(default_factory=_for_files(0.2))
    """The share, or number, of the images set aside to test on where the data have no test part."""
    group: str | None = Field(default=None, min_length=1)
    """What keeps images together, in training, validation or test: a column of a table, or
    `folder`, the one in which an image lies."""
    validation: Part | None = None
    """The share, or number, of the training images to choose and to stop by, the same of each
    class."""
    validation_examples: int | None = Field(default=None, ge=1)
    """So many of them drawn whatever their class, instead of `validation`."""
    train_examples: int | None = Field(default=None, ge=1)
    """How many of the remaining examples train; without it all of them."""
    pixels: Literal["scaled-once", "scaled-twice", "standardised"] = "scaled-once"
    """uint8 / 255, / 255 / 255 as in the published assignment, or each channel with mean 0 and
    standard deviation 1 over the training images."""
    augmentation: Augmentation | None = None
    """How training images are changed in each epoch; without it they are not."""
    selection_metric: Literal["balanced_accuracy", "accuracy"] = "balanced_accuracy"
    """What the winner is chosen by, on validation data."""

    @model_validator(mode="before")
    @classmethod
    def _validates_on_something(cls, asked: Any) -> Any:
        if not isinstance(asked, dict) or {"validation", "validation_examples"} & asked.keys():
            return asked
        # As the first versions had it, so that what was begun with them goes on.
        if asked.get("dataset", "mnist") == "mnist":
            return asked | {"validation_examples": 6000}
        return asked | {"validation": 0.1}

    @field_validator("augmentation")
    @classmethod
    def _changes_something(cls, asked: Augmentation | None) -> Augmentation | None:
        return None if asked == Augmentation() else asked

    @model_validator(mode="after")
    def _validates_once(self) -> Self:
        if (self.validation is None) == (self.validation_examples is None):
            raise ValueError("give validation or validation_examples, one of the two")
        return self

    @model_validator(mode="after")
    def _fits_to_a_size(self) -> Self:
        if self.fit is not None and self.image_size is None:
            raise ValueError("fit: only with image_size; leave it out, or give both")
        return self
