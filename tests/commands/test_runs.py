"""The list of runs: how far each is, who stands first; a damaged one is named and left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.commands.run import run_study
from bakeoff.commands.runs import runs_in
from bakeoff.errors import StoreError
from bakeoff.records.folder import RunFolder

from ..factories import entrant, study

ASKED = study(entrant("linear", epochs=1), seeds=1)


def test_runs_are_listed_with_what_they_have_and_no_look_is_kept(tmp_path: Path) -> None:
    baked = run_study(ASKED, tmp_path / "b-done")
    RunFolder.create(tmp_path / "a-begun", ASKED.model_copy(update={"seeds": 2}))
    (tmp_path / "c-damaged").mkdir()
    (tmp_path / "c-damaged" / "study.toml").write_text("name = ")
    (tmp_path / "no-run").mkdir()
    looks = tmp_path / "b-done" / "looks.json"
    before = looks.read_bytes() if looks.exists() else None

    begun, done, damaged = runs_in(tmp_path)

    assert begun.to_text() == f"{tmp_path / 'a-begun'}  trials: 0 of 2  no trial is complete"
    score = baked.standings[0].selected_by(ASKED.protocol.selection_metric)
    assert done.to_text() == (
        f"{tmp_path / 'b-done'}  trials: 1 of 1  "
        f"linear stands first on validation data ({score:.4f})"
    )
    assert done.to_dict() == {
        "folder": str(tmp_path / "b-done"),
        "trials": 1,
        "planned": 1,
        "headline": f"linear stands first on validation data ({score:.4f})",
    }
    assert damaged.planned is None
    assert damaged.to_text().startswith(f"{tmp_path / 'c-damaged' / 'study.toml'}: ")
    assert (looks.read_bytes() if looks.exists() else None) == before


def test_a_folder_without_runs_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        runs_in(tmp_path / "runs")
    assert str(caught.value) == f"{tmp_path / 'runs'}: no runs here; bakeoff run STUDY makes one"
