from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bakeoff.errors import StudyError
from bakeoff.study.protocol import Protocol
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Decision, Entrant, Published, Study

from ..factories import entrant, study

BASE = study(entrant("a"), entrant("b", "cnn-1conv"))


RECIPES: list[dict[str, Any]] = [
    {"optimizer": "sgd"},
    {"optimizer": "sgd", "momentum": 0.8},
    {"optimizer": "sgd", "momentum": 0.0},
    {"optimizer": "sgd", "nesterov": False},
    {"betas": (0.9, 0.99)},
    {"epsilon": 1e-7},
    {"learning_rate": 0.002},
    {"schedule": "one-cycle"},
    {"schedule": "one-cycle", "warmup": 0.1},
    {"schedule": "cosine"},
    {"schedule": "cosine", "warmup": 0.1},
    {"weight_decay": 0.1},
    {"weight_decay": 0.1, "decay_norms_and_biases": False},
    {"clip": 1.0},
    {"average": 0.99},
    {"class_weights": "balanced"},
    {"batch_size": 51},
    {"initialisation": "xavier-normal"},
    {"epochs": 9},
    {"label_smoothing": 0.1},
    {"target_validation_accuracy": 0.9},
]


def changed(**keys: Any) -> Study:
    return Study(**(dict(BASE) | keys))


def test_a_study_cannot_be_changed() -> None:
    for part, key in ((BASE, "seeds"), (BASE.entrants[0], "name"), (BASE.protocol, "dataset")):
        with pytest.raises(StudyError, match="cannot be changed; make another one"):
            setattr(part, key, getattr(part, key))
    with pytest.raises(StudyError, match="cannot be changed; make another one"):
        setattr(BASE.entrants[0].recipe, "epochs", 3)  # noqa: B010


@pytest.mark.parametrize(
    "other",
    [
        changed(seeds=7),
        changed(title="Another title"),
        changed(question="Another question?"),
        changed(about="More words"),
        changed(decision=Decision(equivalence_margin=1.0)),
        changed(entrants=(BASE.entrants[0].model_copy(update={"title": "A"}), BASE.entrants[1])),
        changed(
            entrants=(
                BASE.entrants[0],
                BASE.entrants[1].model_copy(update={"published": Published(source="book")}),
            )
        ),
    ],
    ids=["seeds", "title", "question", "about", "decision", "entrant-title", "published"],
)
def test_the_hash_stays_where_no_trial_would_change(other: Study) -> None:
    assert other != BASE
    assert other.hash == BASE.hash


@pytest.mark.parametrize(
    "other",
    [
        changed(name="other"),
        changed(study_seed=1),
        changed(protocol=Protocol(dataset="mnist", validation_examples=297)),
        changed(protocol=Protocol(dataset="digits", validation_examples=296)),
        changed(protocol=BASE.protocol.model_copy(update={"train_examples": 50})),
        changed(entrants=BASE.entrants[:1]),
        changed(entrants=(entrant("c"), BASE.entrants[1])),
        changed(entrants=(entrant("a", "mlp-2x200"), BASE.entrants[1])),
    ],
)
def test_the_hash_changes_with_whatever_a_trial_depends_on(other: Study) -> None:
    assert other.hash != BASE.hash


def test_every_two_recipes_that_differ_have_hashes_that_differ() -> None:
    hashes = {changed(entrants=(entrant("a", **recipe),)).hash for recipe in [{}, *RECIPES]}
    assert len(hashes) == len(RECIPES) + 1


def test_every_key_of_a_recipe_that_is_set_is_hashed() -> None:
    unset = {"label_smoothing", "target_validation_accuracy", "clip", "average", "class_weights"}
    details = {"momentum", "nesterov", "betas", "epsilon", "warmup", "decay_norms_and_biases"}
    hashed = BASE.asked()["entrants"][0]["recipe"].keys()
    assert hashed == Recipe.model_fields.keys() - unset - details
    tried = {key for recipe in RECIPES for key in recipe}
    assert tried == Recipe.model_fields.keys(), "a key whose hash no test looks at"


def test_the_hash_is_that_of_canonical_json() -> None:
    # Golden: another value means that run folders of the last version are refused.
    assert BASE.hash == "e5b1b863e66caace903ecb39a4444767b553c95c2e7a81df9553166f92b76a31"


def test_the_seeds_of_the_repeats_count_from_zero() -> None:
    assert list(changed(seeds=3).trial_seeds) == [0, 1, 2]


def test_an_entrant_is_found_by_name() -> None:
    assert BASE.entrant("b").architecture == "cnn-1conv"
    with pytest.raises(KeyError):
        BASE.entrant("c")


def test_the_label_is_the_title_or_else_the_name() -> None:
    assert Entrant(name="a", architecture="x").label == "a"
    assert Entrant(name="a", title="A", architecture="x").label == "A"
    assert (BASE.label, changed(title="T").label) == ("tiny", "T")


@pytest.mark.parametrize("name", ["", "..", ".a", "../x", "a/b", "A", "a b", "a\n", "é", "a" * 65])
def test_a_name_that_is_unsafe_as_a_folder_is_refused(name: str) -> None:
    with pytest.raises(StudyError):
        Entrant(name=name, architecture="x")


@pytest.mark.parametrize("name", ["a", "0", "cnn-2conv", "a..b", "a_b.c", "a" * 64])
def test_a_name_that_is_safe_as_a_folder_is_taken(name: str) -> None:
    assert Entrant(name=name, architecture="x").name == name


@pytest.mark.parametrize(
    ("model", "key", "value"),
    [
        (Protocol, "validation_examples", 0),
        (Decision, "confidence", 0.5),
        (Decision, "confidence", 1.0),
        (Decision, "equivalence_margin", 0.0),
    ],
)
def test_a_value_out_of_range_is_refused(
    model: type[Protocol] | type[Decision], key: str, value: float
) -> None:
    with pytest.raises(ValidationError):
        model.model_validate({key: value})


@pytest.mark.parametrize(
    ("dataset", "architecture", "names"),
    [
        ("mnist", "cnn-1conv", False),
        ("mnist", "timm:resnet18", False),
        ("mnist", "net.py:Net", True),
        ("./photos", "cnn-1conv", True),
        ("images.npz", "cnn-1conv", True),
        ("~", "cnn-1conv", True),
    ],
)
def test_a_study_of_files_is_told_from_one_of_what_ships(
    dataset: str, architecture: str, names: bool
) -> None:
    asked = study(entrant("a", architecture), dataset=dataset)
    assert asked.names_files is names
    assert asked.folder == Path()
    assert asked.model_copy(update={"base": "/data"}).folder == Path("/data")
    assert asked.model_copy(update={"base": "/data"}).hash == asked.hash


def test_keys_from_python_may_be_lists() -> None:
    asked = Protocol.model_validate({"dataset": "./photos", "image_size": [32, 48]})
    assert asked.image_size == (32, 48)
    assert Entrant(name="a", architecture="b", arguments={"w": [1, 2]}).arguments == {"w": (1, 2)}  # type: ignore[dict-item]


def test_what_means_something_for_files_alone_has_no_default_elsewhere() -> None:
    own, shipped = Protocol(dataset="./photos"), Protocol(dataset="digits")
    assert (own.test, own.validation, own.fit) == (0.2, 0.1, None)
    assert (shipped.test, shipped.validation, shipped.validation_examples) == (None, 0.1, None)
    assert Protocol(dataset="mnist").validation_examples == 6000
    assert Protocol(dataset="./photos", image_size=32).fit == "crop"


def test_an_augmentation_that_changes_nothing_is_none_and_others_are_hashed() -> None:
    empty = changed(protocol=BASE.protocol.model_copy(update={"augmentation": None}))
    assert Protocol.model_validate({"augmentation": {}}).augmentation is None
    assert empty.hash == BASE.hash
    turned = Protocol.model_validate({**dict(BASE.protocol), "augmentation": {"rotate": 5.0}})
    assert changed(protocol=turned).hash != BASE.hash
