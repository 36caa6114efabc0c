"""Which networks this process may make."""

from __future__ import annotations

import pytest
from torch import nn

from bakeoff.errors import NetworkError
from bakeoff.networks.known import is_known, network_of, remember
from bakeoff.networks.network import Network

NET = Network("Net", lambda shape, classes: nn.Linear(shape[0], classes))


def test_what_ships_is_known() -> None:
    assert is_known("cnn-1conv", None, None)
    assert network_of("cnn-1conv", None, None).name == "cnn-1conv"


def test_what_was_loaded_is_found_by_name_arguments_and_code() -> None:
    remember("known.py:Net", {"a": 1, "b": (2, 3)}, "1", NET)
    assert network_of("known.py:Net", {"b": (2, 3), "a": 1}, "1") == NET
    for other in (
        ("known.py:Other", {"a": 1, "b": (2, 3)}, "1"),
        ("known.py:Net", {"a": 1, "b": (2, 4)}, "1"),
        ("known.py:Net", None, "1"),
        ("known.py:Net", {"a": 1, "b": (2, 3)}, "2"),
    ):
        assert not is_known(*other)


def test_no_arguments_are_none() -> None:
    remember("known.py:Net", None, "3", NET)
    assert is_known("known.py:Net", {}, "3")


def test_code_that_was_not_loaded_is_not_made() -> None:
    with pytest.raises(NetworkError) as caught:
        network_of("known.py:Nobody", None, "1")
    assert str(caught.value) == (
        "known.py:Nobody: its code is not loaded; --trust-code loads what a run keeps"
    )
