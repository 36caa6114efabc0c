from __future__ import annotations

import pytest
import torch

from bakeoff.engine import numerics as numerics_of
from bakeoff.engine.numerics import numerics


@pytest.fixture(autouse=True)
def nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in numerics_of._VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_the_usual_is_not_told() -> None:
    assert numerics() == ()


def test_what_the_environment_asks_for_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    monkeypatch.setenv("MKL_CBWR", "COMPAT\x1b[2JIBLE")
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "")
    assert numerics() == (r"MKL_CBWR=COMPAT\x1b[2JIBLE", "ONEDNN_MAX_CPU_ISA=AVX2")


def test_what_the_program_around_asks_for_is(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_float32_matmul_precision("medium")
    try:
        assert "torch float32_matmul_precision=medium" in numerics()
    finally:
        torch.set_float32_matmul_precision("highest")
    assert numerics() == ()
    monkeypatch.setattr(torch.backends.mkldnn, "deterministic", True)
    assert numerics() == ("torch mkldnn.deterministic=True",)
