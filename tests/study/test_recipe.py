from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bakeoff.errors import StudyError
from bakeoff.study.recipe import Recipe


@pytest.mark.parametrize(
    ("written", "details"),
    [
        ({}, {"betas": (0.9, 0.999), "epsilon": 1e-8}),
        ({"optimizer": "adamw", "epsilon": 0.1}, {"betas": (0.9, 0.999), "epsilon": 0.1}),
        ({"optimizer": "sgd"}, {"momentum": 0.9, "nesterov": True}),
        ({"optimizer": "sgd", "momentum": 0.0}, {"momentum": 0.0}),
        (
            {"optimizer": "sgd", "schedule": "one-cycle"},
            {"momentum": 0.9, "nesterov": True, "warmup": 0.25},
        ),
    ],
)
def test_a_recipe_has_the_details_of_its_optimizer_and_schedule_and_no_others(
    written: dict[str, Any], details: dict[str, Any]
) -> None:
    recipe = Recipe(**written)
    found = recipe.model_dump(include={"momentum", "nesterov", "betas", "epsilon", "warmup"})
    assert {key: value for key, value in found.items() if value is not None} == details
    assert Recipe(**{**written, **details}).model_dump() == recipe.model_dump()
    assert Recipe(**{**written, **details}).asked() == recipe.asked()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("weight_decay", -1e-9),
        ("batch_size", 0),
        ("label_smoothing", 0.0),
        ("label_smoothing", 1.0),
        ("epochs", 0),
        ("target_validation_accuracy", 0.0),
        ("target_validation_accuracy", 1.01),
    ],
)
def test_a_value_out_of_range_is_refused(key: str, value: float) -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate({key: value})


@pytest.mark.parametrize(
    "recipe",
    [
        {"betas": (0.9, 1.0)},
        {"betas": (-0.1, 0.9)},
        {"betas": (0.9,)},
        {"betas": None},
        {"epsilon": 0.0},
        {"epsilon": 1.1},
        {"optimizer": "sgd", "momentum": 1.0},
        {"optimizer": "sgd", "momentum": -0.1},
        {"optimizer": "sgd", "momentum": None},
        {"optimizer": "sgd", "nesterov": None},
        {"schedule": "one-cycle", "warmup": 1.0},
        {"schedule": "one-cycle", "warmup": -0.1},
    ],
)
def test_a_detail_out_of_range_is_refused(recipe: dict[str, Any]) -> None:
    with pytest.raises(StudyError):
        Recipe(**recipe)
