"""What the page of the design says one can write, one can."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bakeoff.commands.compare import compare_run
from bakeoff.commands.run import run_study
from bakeoff.data.catalogue import SOURCES, load_dataset
from bakeoff.errors import DataError
from bakeoff.networks.catalogue import ARCHITECTURES
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.study.protocol import Protocol

from .factories import entrant, study

DESIGN = Path(__file__).parents[1] / "docs" / "design.md"


def written() -> dict[str, Any]:
    """Return what the Python of the page defines."""
    blocks = re.findall(r"```python\n(.*?)```", DESIGN.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 4
    names: dict[str, Any] = {"__name__": "design"}
    for block in blocks:
        exec(block, names)  # noqa: S102  # the page's own code, as a newcomer copies it
    return names


class Heard(Listener):
    """Remembers which trials began."""

    def __init__(self) -> None:
        self.began: list[tuple[str, int]] = []

    def trial_started(self, trial: PlannedTrial) -> None:
        self.began.append(trial.key)


def test_a_source_a_network_and_a_runner_of_ones_own_come_to_a_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = written()
    monkeypatch.setitem(SOURCES, "stripes", names["STRIPES"])
    monkeypatch.setitem(ARCHITECTURES, "one-hidden-layer", names["one_hidden_layer"])
    monkeypatch.setattr("bakeoff.commands.run.run_serially", names["run_last_first"])
    asked = study(
        entrant("mine", "one-hidden-layer", epochs=2),
        entrant("theirs", epochs=2),
        dataset="stripes",
        validation=100,
        seeds=2,
    )
    heard = Heard()
    run_study(asked, tmp_path / "run", device="cpu", precision="float32", listener=heard)
    assert heard.began == [("theirs", 1), ("mine", 1), ("theirs", 0), ("mine", 0)]
    found = compare_run(tmp_path / "run")
    assert {row.entrant for row in found.standings} == {"mine", "theirs"}
    assert all(row.trials == 2 for row in found.standings)


def test_a_reader_of_ones_own_serves_a_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = written()
    monkeypatch.setattr("bakeoff.data.catalogue._reader_of_file", lambda _: names["read_raw"])
    drawn = np.random.default_rng(0).integers(0, 256, (300, 65), dtype=np.uint8)
    drawn[:, 0] = np.arange(300) % 3
    drawn.tofile(tmp_path / "images.raw")
    found = load_dataset(Protocol(dataset=str(tmp_path / "images.raw")), Path())
    assert (found.classes, found.image_shape) == (("0", "1", "2"), (1, 8, 8))
    assert (len(found.train_labels), len(found.test_labels)) == (240, 60)
    (tmp_path / "images.raw").write_bytes(b"1234")
    with pytest.raises(DataError, match=r"images\.raw: 4 bytes, not rows of 65; "):
        load_dataset(Protocol(dataset=str(tmp_path / "images.raw")), Path())


def test_the_network_keeps_the_contract() -> None:
    model = written()["one_hidden_layer"]((3, 5, 4), 7)
    assert model(torch.zeros(2, 3, 5, 4)).shape == (2, 7)
