from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bakeoff.errors import StoreError
from bakeoff.files import locks
from bakeoff.files.place import Place
from bakeoff.files.reading import sealed, unsealed
from bakeoff.records.folder import RunFolder
from bakeoff.records.looks import Claim, Look, Rule, other_rule, runs_of
from bakeoff.study.study import Decision, Study

from ..factories import entrant, study

STUDY = study(entrant("a"), entrant("b"), seeds=3)
LOOK = Look(
    when="2026-01-01T10:00:00+00:00",
    rule=Rule("balanced_accuracy", 0.95, 0.0025),
    complete={"a": ((0, 2),), "b": ((0, 0), (2, 2))},
    claims=(Claim("a", "b", "better", "a"),),
)
MORE = replace(LOOK, complete={"a": ((0, 4),), "b": ((0, 4),)}, claims=())


def decided(**keys: Any) -> Study:
    return STUDY.model_copy(update={"decision": Decision(**keys)})


def test_looks_are_read_as_they_were_kept(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", STUDY)
    assert folder.read_looks() == ()
    assert folder.keep_look(LOOK) is None
    assert folder.keep_look(MORE) is None
    assert folder.read_looks() == (LOOK, MORE)
    assert LOOK.seeds() == {"a": {0, 1, 2}, "b": {0, 2}}


def test_another_look_at_the_same_seeds_writes_nothing(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", STUDY)
    folder.keep_look(LOOK)
    folder.keep_look(MORE)
    file = folder.path / "looks.json"
    before = file.stat().st_mtime_ns, file.stat().st_ino
    assert folder.keep_look(replace(LOOK, when="2027-01-01T10:00:00+00:00", claims=())) is None
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before
    folder.keep_look(replace(LOOK, rule=replace(LOOK.rule, confidence=0.9)))
    assert len(folder.read_looks()) == 3


def test_two_who_look_at_once_keep_one_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder.create(tmp_path / "run", STUDY)

    @contextmanager
    def held_after_another(lock: Place) -> Iterator[None]:
        with monkeypatch.context() as other:
            other.setattr("bakeoff.records.looks.held", locks.held)
            folder.keep_look(LOOK)
        with locks.held(lock):
            yield

    monkeypatch.setattr("bakeoff.records.looks.held", held_after_another)
    folder.keep_look(LOOK)
    assert folder.read_looks() == (LOOK,)


def test_runs_of_seeds() -> None:
    assert runs_of([]) == ()
    assert runs_of([5, 0, 1, 2]) == ((0, 2), (5, 5))


@pytest.mark.parametrize("refusal", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_who_may_not_write_is_told_and_a_full_disk_is_an_error(
    refusal: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder.create(tmp_path / "run", STUDY)

    def refused(*_: object, **__: object) -> None:
        raise OSError(refusal, "so the system says")

    monkeypatch.setattr(os, "replace", refused)
    file = folder.path / "looks.json"
    if refusal == errno.ENOSPC:
        with pytest.raises(StoreError, match=r"looks\.json: cannot write: so the system says"):
            folder.keep_look(LOOK)
    else:
        assert folder.keep_look(LOOK) == (
            "this look could not be kept, and later verdicts will not pay for it "
            f"({file}: cannot write: so the system says)"
        )
    assert folder.read_looks() == ()


def change(document: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    return {"looks": [document["looks"][0] | {key: value}]}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rule", None),
        ("when", 5),
        ("claims", [{"a": "a", "b": "b", "verdict": "undecided", "better": None}]),
        ("complete", {"a": [[0, 10_000]]}),
        ("complete", {"a": [[-1, 2]]}),
        ("complete", {"a": [[0, 9_999], [0, 9_999]]}),
        ("complete", {"a": [[3, 2]]}),
        ("complete", {"a": [0, 2]}),
    ],
)
def test_a_list_that_nobody_would_write_is_named(key: str, value: object, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", STUDY)
    folder.keep_look(LOOK)
    file = folder.path / "looks.json"
    document = unsealed(file.read_bytes(), "it")
    file.write_bytes(sealed(change(document, key, value)))
    with pytest.raises(StoreError) as caught:
        folder.read_looks()
    assert str(caught.value) == (
        f"{file}: damaged; put a copy back, or delete it, and the next look counts as first"
    )


def test_a_changed_list_is_named(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", STUDY)
    folder.keep_look(LOOK)
    file = folder.path / "looks.json"
    document = json.loads(file.read_text())
    document["looks"] = []
    file.write_text(json.dumps(document))
    with pytest.raises(StoreError, match=r"looks\.json: damaged"):
        folder.read_looks()


def test_the_words_for_another_rule() -> None:
    assert other_rule([LOOK], STUDY) is None
    assert other_rule([], decided(confidence=0.6)) is None
    assert other_rule([LOOK], decided(confidence=0.6, equivalence_margin=15.0)) == (
        "at 95 % confidence, not 60 %, with a margin of 0.25 points, not 15"
    )
    assert other_rule([LOOK], decided(about="models", baseline="b")) == (
        "about architectures, not models, against every pair, not b"
    )
    by_accuracy = replace(LOOK, rule=Rule("accuracy", 0.95, 0.0025))
    assert other_rule([LOOK, by_accuracy], STUDY) == "by accuracy, not balanced_accuracy"


def test_the_rule_is_that_of_the_first_look_until_it_is_reopened(tmp_path: Path) -> None:
    path = tmp_path / "run"
    folder = RunFolder.create(path, STUDY)
    RunFolder.create(path, decided(equivalence_margin=15.0))
    folder.keep_look(LOOK)
    wide = decided(equivalence_margin=15.0)
    before = (path / "study.toml").read_bytes()
    with pytest.raises(StoreError) as caught:
        RunFolder.create(path, wide)
    assert str(caught.value) == (
        f"{path}: looked at before with a margin of 0.25 points, not 15; set it back, or give "
        "--reopen, which every verdict will name"
    )
    RunFolder.create(path, STUDY)
    assert (path / "study.toml").read_bytes() != before
    assert RunFolder.create(path, wide, reopen=True).study == wide
    folder.keep_look(replace(LOOK, rule=Rule.of(wide)))
    RunFolder.create(path, wide)
    RunFolder.create(path, STUDY)
