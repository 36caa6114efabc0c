"""How an architecture is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, ValidationInfo, field_validator

from bakeoff.study.frozen import Asked

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
    "decay_norms_and_biases": _Detail(
        "weight_decay above 0", lambda recipe: recipe.get("weight_decay", 0.0) > 0, True
    ),
}
_ONE_CYCLE_WARMUP = 0.25


def _detail(key: str, **limits: Any) -> Any:
    """Return the field of a detail: its default where it means something, None elsewhere."""
    detail = _DETAILS[key]

    def default(before: Mapping[str, Any]) -> Any:
        return detail.default if detail.applies(before) else None

    return Field(default_factory=default, **limits)


def _usual_warmup(before: Mapping[str, Any]) -> float | None:
    return _ONE_CYCLE_WARMUP if before.get("schedule") == "one-cycle" else None


_Share = Annotated[float, Field(ge=0, lt=1)]


class Recipe(Asked):
    """How one architecture is trained. What means nothing beside the other keys is None."""

    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    """What moves the weights."""
    momentum: float | None = _detail("momentum", ge=0, lt=1)
    """How much of the movement so far stays in each step."""
    nesterov: bool | None = _detail("nesterov")
    """Whether the gradient is taken where that movement leads."""
    betas: tuple[_Share, _Share] | None = _detail("betas", strict=False)
    """How much of the means of gradients and of their squares stays in each step."""
    epsilon: float | None = _detail("epsilon", gt=0, le=1)
    """Added to the root of the mean of squares that a step is divided by."""
    learning_rate: float = Field(default=0.001, gt=0)
    """The rate itself, or the peak that a schedule reaches."""
    schedule: Literal["constant", "one-cycle", "cosine"] = "constant"
    """After the warm-up: `constant` stays, `one-cycle` and `cosine` fall to zero as half a cosine.
    These two differ in the warm-up that they have by default."""
    warmup: float | None = Field(default_factory=_usual_warmup, ge=0, lt=1)
    """The share of all steps in which the rate rises, linearly."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Decoupled for `adamw`; added to the gradient for `adam` and `sgd`."""
    decay_norms_and_biases: bool | None = _detail("decay_norms_and_biases")
    """Whether weights of one dimension decay too: those of norms, and all biases."""
    clip: float | None = Field(default=None, gt=0)
    """The largest norm of the gradient of all weights together: a longer one is shortened to it."""
    average: float | None = Field(default=None, gt=0, lt=1)
    """How much of an exponential moving average of the weights stays in each step. That average is
    what is validated, scored and saved."""
    class_weights: Literal["balanced"] | None = None
    """`balanced`: a loss counts as training images / (classes * training images of its class)."""
    batch_size: int = Field(default=50, ge=1, le=1_000_000)
    """Images of one step."""
    initialisation: Literal[
        "framework-default", "absolute-xavier-normal", "xavier-normal", "kaiming-normal"
    ] = "framework-default"
    """How weights are drawn; `absolute-xavier-normal` is that of the published assignment."""
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

    @field_validator("warmup")
    @classmethod
    def _one_cycle_has_a_warmup(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is None and info.data.get("schedule") == "one-cycle":
            raise ValueError("must have a value; leave it out for the default")
        return value

    def asked(self) -> dict[str, Any]:
        """Return the keys that are set, without details at their defaults.

        Details came later than the first run folders, and shall change the hash of none.
        """
        usual = {key for key, detail in _DETAILS.items() if getattr(self, key) == detail.default}
        if self.warmup == _usual_warmup({"schedule": self.schedule}):
            usual.add("warmup")
        return self.model_dump(exclude=usual, exclude_none=True)
