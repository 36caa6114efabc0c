from __future__ import annotations

from typing import NoReturn

import pytest

from bakeoff.commands.listing import describe
from bakeoff.data.catalogue import SOURCES
from bakeoff.data.dataset import Dataset
from bakeoff.data.readers.mnist import BUNDLED, read_mnist
from bakeoff.networks.catalogue import ARCHITECTURES
from bakeoff.study.toml import shipped_studies


def test_everything_that_ships_is_listed_with_one_line() -> None:
    for what, names in (
        ("studies", shipped_studies()),
        ("architectures", ARCHITECTURES),
        ("datasets", SOURCES),
    ):
        rows = describe(what)
        assert list(rows) == list(names)
        assert all(text and "\n" not in text for text in rows.values())


def test_listing_data_sets_loads_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def loaded(*_: object) -> NoReturn:
        raise AssertionError("an array was read")

    monkeypatch.setattr(Dataset, "__post_init__", loaded)
    monkeypatch.setattr("bakeoff.data.readers.mnist.read_file", loaded)
    with pytest.raises(AssertionError):
        read_mnist(BUNDLED)
    assert len(describe("datasets")) == len(SOURCES)


def test_the_lines_say_what_matters() -> None:
    assert describe("architectures")["mlp-2x200"] == "Two hidden layers of 200 units."
    assert describe("studies")["assignment"] == (
        "Five architectures on MNIST: 6 entrants, 1 x each"
    )
    assert describe("datasets")["mnist"] == (
        "MNIST: 70,000 handwritten digits, 28 x 28 (60,000 to train on, 10,000 to test; "
        "CC BY-SA 3.0, Yann LeCun and Corinna Cortes)"
    )
