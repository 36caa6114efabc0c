"""A study is tried, not trained: faults, cost, and what it could show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from bakeoff.commands.check import check_study
from bakeoff.errors import DataError, StudyError
from bakeoff.findings.reach import PARTING
from bakeoff.study.protocol import Protocol
from bakeoff.study.study import Entrant, Study

from ..factories import entrant, study
from ..networks.drawn import SOUND, drawn

TWO = study(entrant("a", epochs=4), entrant("b", "mlp-2x200", epochs=2), seeds=3)


def of_file(folder: Path, text: str) -> Study:
    drawn(folder, {"net.py": text})
    net = Entrant(name="mine", architecture="net.py:Net")
    return study(entrant(), net, seeds=3).model_copy(update={"base": str(folder)})


def test_a_sound_study_tells_what_it_takes_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    checked = check_study(TWO, device="cpu", precision="float32")
    assert checked.faults == ()
    assert (checked.train, checked.validation, checked.test) == (1000, 297, 500)
    assert (checked.image_shape, checked.classes, checked.pairs) == ((1, 8, 8), 10, 1)
    sizes = {each.name: each.size and each.size.parameters for each in checked.entrants}
    assert sizes == {"a": 650, "b": 55_210}
    assert list(tmp_path.iterdir()) == []


def test_seconds_are_those_of_all_epochs_and_seeds_on_all_cores() -> None:
    checked = check_study(TWO, device="cpu", precision="float32")
    each = {row.name: row.taken.seconds_per_epoch for row in checked.entrants if row.taken}
    alone = 3 * (4 * each["a"] + 2 * each["b"])
    assert checked.seconds == pytest.approx(alone / min(checked.cores, 6))


def test_what_is_wrong_is_told_of_each_entrant_and_the_others_are_measured(
    tmp_path: Path,
) -> None:
    checked = check_study(of_file(tmp_path, SOUND.replace("return self", "return 1, self")))
    assert [line.partition(":")[0] for line in checked.faults] == ["mine"]
    assert [each.taken is None for each in checked.entrants] == [False, True]
    assert checked.seconds is None


def test_what_fails_only_in_training_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: object) -> None:
        raise MemoryError("no room for\nanything")

    monkeypatch.setattr("bakeoff.commands.check.tried", no_memory)
    assert check_study(of_file(tmp_path, SOUND)).faults == (
        "linear: no room for", "mine: no room for",
    )  # fmt: skip


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    nowhere = TWO.model_copy(update={"protocol": Protocol(dataset=f"{tmp_path}/photos")})
    with pytest.raises(DataError, match=f"^{tmp_path}/photos: nothing is there; "):
        check_study(nowhere)
    unknown = study(entrant("a", "cnn-2con"))
    with pytest.raises(StudyError, match=r"^s\.toml: entrants\[0\]\.architecture: unknown arch"):
        check_study(unknown, source="s.toml")


def test_the_document_has_what_the_text_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "quick", "--json", "--seeds", "2"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["study"] == "quick"
    assert document["images"] == {"train": 1000, "validation": 297, "test": 500}
    assert len(document["entrants"]) == 5
    assert [each["parting"] for each in document["smallest_differences"]] == list(PARTING)


def test_faults_end_with_one_line_and_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn(tmp_path, {"net.py": SOUND.replace("return self", "return 1, self")})
    file = tmp_path / "s.toml"
    file.write_text(
        'name = "s"\n[protocol]\ndataset = "digits"\n'
        '[[entrants]]\nname = "mine"\narchitecture = "net.py:Net"\n'
    )
    assert run(["check", str(file)]) == 1
    printed = capsys.readouterr()
    assert "✗ mine: " in printed.out
    assert printed.err == f"bakeoff: {file}: faults: 1; mend them before it is run\n"
