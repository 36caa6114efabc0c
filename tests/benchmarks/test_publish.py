from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks.publish import Table, machine, publish

TABLE = Table(("entrant", "s"), (("a", "1.00"), ("b", "2.00")), caption="Seconds.")
MACHINE = {
    "cpu": "Abacus",
    "cores": 2,
    "threads": 1,
    "instructions": "beads",
    "python": "3",
    "versions": {"bakeoff": "0.1", "torch": "9"},
    "commit": "c0ffee",
}
EXPECTED = """\
# golden

Abacus, 2 cores, 1 threads, beads; Python 3, bakeoff 0.1, torch 9; commit c0ffee

rounds: 3; precision: float32

Seconds.

| entrant | s |
| --- | ---: |
| a | 1.00 |
| b | 2.00 |
"""


def test_a_result_is_printed_and_kept_as_markdown_and_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(
        "golden",
        [TABLE],
        setting={"rounds": 3, "precision": "float32"},
        figures={"seconds": {"a": [1.0, 1.5]}},
        machine=MACHINE,
        folder=tmp_path / "new",
    )
    assert capsys.readouterr().out == EXPECTED + "\n"
    assert (tmp_path / "new" / "golden.md").read_text() == EXPECTED
    assert json.loads((tmp_path / "new" / "golden.json").read_text()) == {
        "name": "golden",
        "machine": MACHINE,
        "setting": {"rounds": 3, "precision": "float32"},
        "figures": {"seconds": {"a": [1.0, 1.5]}},
    }


def test_the_machine_is_described_by_what_figures_depend_on() -> None:
    found = machine(("torch",))
    assert found.keys() == {*MACHINE, "platform"}
    assert found["versions"].keys() == {"bakeoff", "torch"}
    assert found["versions"]["torch"] == torch.__version__
    assert found["threads"] == torch.get_num_threads()
