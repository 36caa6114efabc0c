"""Bake-offs from Python: classes, functions and arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import bakeoff
from bakeoff.commands.bake import bake, load
from bakeoff.commands.run import Baked
from bakeoff.data.dataset import Dataset
from bakeoff.errors import StoreError, UsageError
from bakeoff.study.recipe import Recipe

from ..runners.heard import Heard

ONE = Recipe(epochs=1)


class Mine(nn.Module):
    """A network whose source Python knows."""

    def __init__(self, image_shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, height, width = image_shape
        self.layer = nn.Linear(channels * height * width, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.layer(images.flatten(1))
        return logits


def arrays(seed: int = 0) -> Dataset:
    draw = np.random.default_rng(seed)
    labels = np.arange(120) % 2
    images = draw.integers(0, 256, (120, 6, 5), dtype=np.uint8)
    images[labels == 1, :2] = 255
    return Dataset.from_arrays(
        images[:80], labels[:80], images[80:], labels[80:], classes=["plain", "striped"]
    )


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory) -> Baked:
    out = tmp_path_factory.mktemp("bake") / "My run"
    return bake(
        {
            "mine": Mine,
            "Theirs, wider": lambda image_shape, classes: nn.Sequential(
                nn.Flatten(), nn.Linear(30, 4), nn.ReLU(), nn.Linear(4, classes)
            ),
            "shipped": "logistic-regression",
        },
        arrays(),
        seeds=2,
        out=out,
        recipe=ONE,
    )


def test_standings_and_verdicts_have_the_names_that_were_given(baked: Baked) -> None:
    assert {row.entrant for row in baked.standings} == {"mine", "theirs-wider", "shipped"}
    assert [row.trials for row in baked.standings] == [2, 2, 2]
    assert baked.folder.study.name == "my-run"
    assert baked.folder.study.entrant("theirs-wider").title == "Theirs, wider"
    found = baked.verdict("mine", "theirs-wider")
    assert str(found) == found.sentence
    assert "mine" in found.sentence


def test_a_run_is_loaded_again(baked: Baked) -> None:
    again = load(baked.folder.path)
    assert again.standings == baked.standings
    assert str(again.verdict("mine", "shipped")) == str(baked.verdict("mine", "shipped"))
    assert bakeoff.load is load
    assert bakeoff.bake is bake


def test_unknown_names_get_the_nearest(baked: Baked) -> None:
    with pytest.raises(UsageError) as caught:
        baked.verdict("mine", "theirs")
    assert str(caught.value) == "no pair of 'mine' and 'theirs'; did you mean 'theirs-wider'?"
    with pytest.raises(UsageError, match=r"^no pair of 'mine' and 'mine'; "):
        baked.verdict("mine", "mine")


def call(out: Path, **changes: Any) -> Baked:
    given: dict[str, Any] = {"entrants": {"a": Mine}, "data": arrays(), "seeds": 1, "recipe": ONE}
    return bake(**(given | changes), out=out)


def test_the_same_call_goes_on_and_other_data_are_refused(tmp_path: Path) -> None:
    assert call(tmp_path / "run").trained == 1
    assert call(tmp_path / "run").trained == 0
    assert call(tmp_path / "run", seeds=2).trained == 1
    with pytest.raises(UsageError) as caught:
        call(tmp_path / "run", data=arrays(1))
    assert str(caught.value) == (
        f"{tmp_path}/run/sources/data/x_train.npy: other data than this run was begun with; give "
        "another out"
    )
    assert sorted(each.name for each in (tmp_path / "run/sources/data").iterdir()) == [
        "classes.npy", "x_test.npy", "x_train.npy", "y_test.npy", "y_train.npy",
    ]  # fmt: skip


def test_a_recipe_of_nobody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        bake({"a": Mine}, arrays(), seeds=1, out=tmp_path / "out", recipe={"epochs": ONE})
    assert str(caught.value) == (
        "recipe: no entrant 'epochs'; give one Recipe, or some by names of entrants"
    )
    assert not (tmp_path / "out").exists()


def test_a_notebook_shows_a_line(tmp_path: Path) -> None:
    data = arrays()
    done = bake({"a": Mine, "b": "cnn-1conv"}, data, seeds=1, out=tmp_path / "x", recipe=ONE)
    assert repr(done) == f"Baked({tmp_path / 'x'}: {done.conclusion.answer})"
    assert repr(done.conclusion) == f"Conclusion(x: {done.conclusion.answer})"
    assert repr(done.conclusion.records[0]) == "Record(a, seed 0, complete)"
    assert repr(data).startswith("Dataset(arrays: ")
    assert repr(data).endswith(", 2 classes)")


def test_each_may_have_a_recipe_of_its_own(tmp_path: Path) -> None:
    done = call(
        tmp_path / "run",
        entrants={"a": Mine, "b": "logistic-regression"},
        recipe={"a": ONE, "b": Recipe(epochs=2)},
        protocol={"validation": 7, "pixels": "standardised"},
    )
    assert [each.recipe.epochs for each in done.folder.study.entrants] == [1, 2]
    assert done.folder.study.protocol.validation == 7


def test_a_source_that_nobody_knows_is_said(tmp_path: Path) -> None:
    made: dict[str, Any] = {"Mine": Mine}
    exec("class Net(Mine): pass", made)  # noqa: S102
    heard = Heard()
    call(tmp_path / "run", entrants={"a": made["Net"]}, listener=heard)
    assert [line for line in heard.lines if "Python does not know" in line] == [
        f"a: Python does not know the source of {made['Net']!r}, so this run cannot tell when it "
        "changes; put it into a file"
    ]


@pytest.mark.parametrize(
    ("entrants", "complaint"),
    [
        (
            {"a": nn.Linear(3, 2)},
            "a: give a class, or a function that makes a network anew for each seed, not a network",
        ),
        (
            {"a": 3},
            "a: give a class, or a function that makes a network anew for each seed, not int",
        ),
        ({"?": Mine}, "'?': give a name with letters or digits"),
    ],
)
def test_what_is_no_entrant_is_one_line(
    entrants: dict[str, Any], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        call(tmp_path / "run", entrants=entrants)
    assert str(caught.value) == complaint


def test_names_that_become_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(bakeoff.BakeoffError, match="two entrants are called 'a-b'"):
        call(tmp_path / "run", entrants={"a b": Mine, "A-b": Mine})


def test_a_wrong_key_of_the_protocol_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(bakeoff.BakeoffError) as caught:
        call(tmp_path / "run", protocol={"validation": 1.5})
    assert str(caught.value) == (
        "bake: protocol.validation: must be a number from 1 on, or a share between 0 and 1, not 1.5"
    )


def test_a_folder_of_something_else_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(StoreError, match="not a run folder and not empty"):
        call(tmp_path)
