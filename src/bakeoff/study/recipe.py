"""How an architecture is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, ValidationInfo, field_validator

from bakeoff.study.frozen import Frozen

MOST_EPOCHS = 10_000
"""Whose history still fits into the files that are read back."""


class _Detail(NamedTuple):
    """A key of a recipe that means something beside certain other values alone."""

    whose: str
    """Where it means something, in words."""
    applies: Callable[[Mapping[str, Any]], bool]
    """Whether it does, told from the keys before it."""
    default: Any


def _adam(recipe: Mapping[str, Any]) -> bool:
    return recipe.get("optimizer") in ("adam", "adamw")


_DETAILS = {
    "momentum": _Detail("sgd", lambda recipe: recipe.get("optimizer") == "sgd", 0.9),
    "nesterov": _Detail("sgd with momentum", lambda recipe: bool(recipe.get("momentum")), True),
    "betas": _Detail("adam and adamw", _adam, (0.9, 0.999)),
    "epsilon": _Detail("adam and adamw", _adam, 1e-8),
    "warmup": _Detail("one-cycle", lambda recipe: recipe.get("schedule") == "one-cycle", 0.25),
}


def _detail(key: str, **limits: Any) -> Any:
    """Return the field of a detail: its default where it means something, None elsewhere."""
    detail = _DETAILS[key]

    def default(before: Mapping[str, Any]) -> Any:
        return detail.default if detail.applies(before) else None

    return Field(default_factory=default, **limits)


_Share = Annotated[float, Field(ge=0, lt=1)]


class Recipe(Frozen):
    """How one architecture is trained. What means nothing beside the other keys is None."""

    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    momentum: float | None = _detail("momentum", ge=0, lt=1)
    nesterov: bool | None = _detail("nesterov")
    betas: tuple[_Share, _Share] | None = _detail("betas", strict=False)
    """How much of the means of gradients and of their squares stays in each step."""
    epsilon: float | None = _detail("epsilon", gt=0, le=1)
    """Added to the root of the mean of squares that a step is divided by."""
    learning_rate: float = Field(default=0.001, gt=0)
    """The rate itself, or the peak that a schedule reaches."""
    schedule: Literal["constant", "one-cycle"] = "constant"
    """`one-cycle`: a linear warm-up, then a cosine to zero."""
    warmup: float | None = _detail("warmup", ge=0, lt=1)
    """The share of the steps in which the rate rises."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Decoupled for `adamw`; added to the gradient for `adam` and `sgd`."""
    batch_size: int = Field(default=50, ge=1, le=1_000_000)
    initialisation: Literal[
        "framework-default", "absolute-xavier-normal", "xavier-normal", "kaiming-normal"
    ] = "framework-default"
    label_smoothing: float | None = Field(default=None, gt=0, lt=1)
    """The share of each target that is spread evenly over all classes, in training alone."""
    epochs: int = Field(default=10, ge=1, le=MOST_EPOCHS)
    """The budget: training never runs longer."""
    target_validation_accuracy: float | None = Field(default=None, gt=0, le=1)
    """Stop after the first epoch that reaches it; without it the whole budget is used."""

    @field_validator(*_DETAILS)
    @classmethod
    def _means_something(cls, value: Any, info: ValidationInfo) -> Any:
        detail = _DETAILS[info.field_name or ""]
        if (value is not None) == detail.applies(info.data):
            return value
        if value is None:
            raise ValueError("must have a value; leave it out for the default")
        raise ValueError(f"only for {detail.whose}; leave it out")

    def asked(self) -> dict[str, Any]:
        """Return the keys that are set, without details at their defaults.

        Details came later than the first run folders, and shall change the hash of none.
        """
        usual = {key for key, detail in _DETAILS.items() if getattr(self, key) == detail.default}
        return self.model_dump(exclude=usual, exclude_none=True)
