from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import forge_files
from benchmarks.forge_files import Forger, forged_arrays, forged_document, judge, places

DICE = random.Random(5)  # noqa: S311 - nothing here is secret


def test_made_up_files_are_refused_in_one_line_or_shown(tmp_path: Path) -> None:
    tallies = list(forge_files.tallies(tmp_path / "run", 36, seed=2))
    assert [tally.kind for tally in tallies] == list(forge_files.KINDS)
    assert [line for tally in tallies for line in tally.faults] == []
    assert sum(tally.refused + tally.shown for tally in tallies) == 36
    assert sum(tally.refused for tally in tallies) > 5


def test_the_seals_of_a_made_up_file_fit_and_all_is_put_back(tmp_path: Path) -> None:
    forger = Forger(tmp_path / "run")
    before = (forger.trial / "predictions.npz").read_bytes()
    forger.forge("predictions.npz", DICE)
    assert (forger.trial / "predictions.npz").read_bytes() != before
    # Every file is compared with the manifest here.
    forger.run.check_trial(forge_files.ENTRANT, 0)
    forger.restore()
    assert (forger.trial / "predictions.npz").read_bytes() == before
    assert judge(["compare", str(forger.run.path)], forger.run.path) == "shown"


def test_every_value_of_a_document_is_a_place() -> None:
    document = {"a": [1, {"b": 2}], "c": 3}
    assert [container[key] for container, key in places(document)] == [
        [1, {"b": 2}], 1, {"b": 2}, 2, 3,
    ]  # fmt: skip


def test_a_made_up_document_differs_and_the_real_one_stays() -> None:
    document = {"a": [1, 2.5], "b": "text"}
    found = {json.dumps(forged_document(document, DICE)) for _ in range(200)}
    assert len(found) > 30
    assert document == {"a": [1, 2.5], "b": "text"}


def test_made_up_arrays_differ_and_the_real_ones_stay() -> None:
    arrays: dict[str, np.ndarray[Any, Any]] = {"a": np.arange(6.0).reshape(2, 3), "b": np.ones(4)}
    found = [forged_arrays(arrays, DICE) for _ in range(100)]
    assert {len(each) for each in found} == {1, 2, 3}
    assert arrays["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert set(arrays) == {"a", "b"}


@pytest.mark.parametrize(
    ("code", "said", "verdict"),
    [
        (0, "a table\n", "shown"),
        (1, "bakeoff: {folder}/record.json: damaged\n", "refused"),
        (1, "bakeoff: damaged\n", "exit code 1: bakeoff: damaged\n"),
        (1, "bakeoff: {folder}: a\nbakeoff: {folder}: b\n", "exit code 1"),
        (0, "\x1b[31mred", "said what steers a terminal"),
        (3, "bakeoff: {folder}: odd\n", "exit code 3"),
    ],
)
def test_what_a_command_does_is_judged(
    code: int, said: str, verdict: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def command(_: object) -> int:
        print(said.format(folder=tmp_path), end="", file=sys.stderr)
        return code

    monkeypatch.setattr(forge_files, "run", command)
    assert judge(["compare"], tmp_path).startswith(verdict)


def test_a_traceback_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def command(_: object) -> int:
        raise KeyError("seed")

    monkeypatch.setattr(forge_files, "run", command)
    assert judge(["compare"], tmp_path).startswith("Traceback")
