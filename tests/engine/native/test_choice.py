"""Which kernels a process takes, and what it says of them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import pytest

from bakeoff.engine.native import choice, kernels, kernels_in_use
from bakeoff.engine.native.build import Compiler, NoKernelsError, Say
from bakeoff.engine.native.kernels import Kernels
from bakeoff.errors import UsageError

from .plain_kernels import PlainKernels

OURS = PlainKernels()
LIBRARY = (ctypes.CDLL(None), Compiler(("/bin/gcc",), "gcc (Debian 12.2.0-14) 12.2.0\n"))


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_CHOSEN", {})
    monkeypatch.delenv("BAKEOFF_KERNELS", raising=False)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Say]:
    """Who was told to listen, once for each time that the library was loaded."""
    heard: list[Say] = []

    def load(sources: Path, folder: Path | None, say: Say) -> tuple[ctypes.CDLL, Compiler]:
        heard.append(say)
        return LIBRARY

    monkeypatch.setattr(choice, "load", load)
    monkeypatch.setattr(Kernels, "of", lambda library: OURS)
    return heard


def test_they_are_loaded_once(loads: list[Say]) -> None:
    assert kernels(print) is OURS
    assert kernels() is OURS
    assert kernels_in_use() == "native, gcc 12.2.0"
    assert loads == [print]


def test_they_can_be_turned_off(loads: list[Say], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEOFF_KERNELS", "pytorch")
    assert (kernels(), kernels_in_use()) == (None, "PyTorch: BAKEOFF_KERNELS=pytorch")
    assert loads == []
    for asked in ("native", ""):
        monkeypatch.setenv("BAKEOFF_KERNELS", asked)
        assert kernels() is OURS


@pytest.mark.parametrize("ask", [kernels, kernels_in_use])
def test_nothing_else_can_be_asked_for(
    ask: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAKEOFF_KERNELS", "Native")
    with pytest.raises(UsageError) as caught:
        ask()
    assert str(caught.value) == "BAKEOFF_KERNELS=Native: choose one of native, pytorch"


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (NoKernelsError("no C compiler"), "PyTorch: no C compiler"),
        (OSError("/gr\udcf6/x.so: file too short"), "PyTorch: /gr\\udcf6/x.so: file too short"),
        (AttributeError("undefined symbol: max_pool"), "PyTorch: undefined symbol: max_pool"),
    ],
)
def test_without_them_pytorchs_serve(
    reason: Exception, told: str, loads: list[Say], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Kernels:
        raise reason

    monkeypatch.setattr(choice, "load", fail)
    assert (kernels(), kernels_in_use()) == (None, told)


@pytest.mark.usefixtures("loads")
def test_those_that_answer_otherwise_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "wrong_answer", lambda found: "relu_pool_float32")
    told = "PyTorch: relu_pool_float32, compiled by gcc 12.2.0, gave other numbers"
    assert (kernels(), kernels_in_use()) == (None, told)


def test_a_library_without_our_functions_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "load", lambda *_: LIBRARY)
    assert kernels() is None
    assert kernels_in_use().startswith("PyTorch: ")
    assert "max_pool_float32" in kernels_in_use()
