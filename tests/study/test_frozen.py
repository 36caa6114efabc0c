"""Parts of a study as they are made in Python."""

from __future__ import annotations

from typing import Any

import pytest

from bakeoff.errors import StudyError
from bakeoff.study.frozen import Asked
from bakeoff.study.protocol import Protocol
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Entrant, Published, Study

A = Entrant(name="a", architecture="x")


def test_lists_are_taken_for_tuples() -> None:
    entrant = Entrant.model_validate(
        {"name": "b", "architecture": "y", "trainable": ["head.*"], "arguments": {"w": [1, 2]}}
    )
    assert (entrant.trainable, entrant.arguments) == (("head.*",), {"w": (1, 2)})
    made = Study(name="tiny", entrants=[A, entrant])  # type: ignore[arg-type]
    assert made == Study(name="tiny", entrants=(A, entrant))
    assert made.hash == Study(name="tiny", entrants=(A, entrant)).hash
    assert Published.model_validate({"source": "s", "f1": [0.5]}).f1 == (0.5,)


@pytest.mark.parametrize(
    ("part", "keys", "message"),
    [
        (Recipe, {"epoch": 3}, "Recipe.epoch: unknown key; did you mean 'epochs'?"),
        (Recipe, {"epochs": "x"}, 'Recipe.epochs: must be a valid integer, not "x"'),
        (Entrant, {"name": "a"}, "Entrant.architecture: missing; add it"),
        (
            Protocol,
            {"validation": 0.1, "validation_examples": 3},
            "Protocol: give validation or validation_examples, one of the two",
        ),
        (
            Study,
            {"name": "s", "entrants": (A, A)},
            "Study: two entrants are called 'a'; give each a name of its own",
        ),
        (
            Study,
            {"name": "s", "entrants": [{"name": "b", "architecture": "y", "title": 3}]},
            "Study.entrants[0].title: must be a valid string, not 3",
        ),
    ],
)
def test_a_mistake_is_one_line(part: type[Asked], keys: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError) as caught:
        part(**keys)
    assert str(caught.value) == message


def test_what_is_made_cannot_be_changed() -> None:
    with pytest.raises(StudyError, match=r"^Entrant\.name: cannot be changed; make another one$"):
        A.name = "b"  # type: ignore[misc]


def test_a_notebook_shows_what_was_set_in_a_line() -> None:
    recipe = Recipe(optimizer="sgd", epochs=3, clip=None)
    assert repr(recipe) == "Recipe(optimizer='sgd', epochs=3)"
    entrant = Entrant(name="b", architecture="y", recipe=recipe, published=Published(source="s"))
    assert repr(entrant) == f"Entrant(name='b', architecture='y', recipe={recipe!r})"
    assert (
        repr(Study(name="tiny", seeds=3, entrants=(entrant,))) == "Study(tiny, 1 entrant, 3 seeds)"
    )
