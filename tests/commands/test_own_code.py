"""Runs of networks of the user's own: refused before, reproduced after, never run for others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from bakeoff.commands.inspect import inspect_run
from bakeoff.commands.report import report_run
from bakeoff.commands.run import Baked, run_study
from bakeoff.commands.verify import verify_run
from bakeoff.errors import StoreError, StudyError
from bakeoff.networks import known
from bakeoff.study.study import Entrant, Study
from bakeoff.training.code import UntrustedError

from ..factories import entrant, study
from ..networks.drawn import HEAD, SOUND, drawn
from ..runners.heard import Heard

FAULTY = SOUND.replace("return self", "return 1, self")
ODD = SOUND.replace("self.b(F.relu", "F.softmax(self.b(F.relu").replace("))))", ")))), 1)")


def asked(folder: Path, seeds: int = 1) -> Study:
    net = Entrant(name="mine", architecture="net.py:Net", recipe=entrant(epochs=1).recipe)
    return study(entrant(epochs=1), net, seeds=seeds).model_copy(update={"base": str(folder)})


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory) -> Baked:
    """Return a run whose network was taken from a file that is gone since."""
    folder = tmp_path_factory.mktemp("own")
    file = drawn(folder, {"net.py": f"import block\n{SOUND}", "block.py": ""})
    # In workers, which load what the run keeps.
    done = run_study(
        asked(folder, seeds=2), folder / "run", precision="float32", jobs=2, threads=1,
    )  # fmt: skip
    file.unlink()
    return done


@pytest.fixture
def another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(known, "_LOADED", {})


@pytest.fixture
def copy(baked: Baked, tmp_path: Path) -> Path:
    return shutil.copytree(baked.folder.path, tmp_path / "run")


def test_a_faulty_network_is_refused_before_there_is_a_folder(tmp_path: Path) -> None:
    drawn(tmp_path, {"net.py": FAULTY})
    with pytest.raises(StudyError, match=r"^s\.toml: entrants\[1\]\.architecture: ") as caught:
        run_study(asked(tmp_path), tmp_path / "run", source="s.toml")
    assert "tuple" in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_what_is_odd_is_said_and_trained(tmp_path: Path) -> None:
    drawn(tmp_path, {"net.py": ODD})
    heard = Heard()
    baked = run_study(asked(tmp_path), tmp_path / "run", listener=heard)
    assert baked.conclusion.troubles == ()
    assert [line for line in heard.lines if "softmax" in line]
    assert "mine: a look at net.py:Net" in "\n".join(heard.lines)


def test_code_that_changed_is_refused_for_a_run_already_begun(tmp_path: Path) -> None:
    drawn(tmp_path, {"net.py": SOUND})
    run_study(asked(tmp_path), tmp_path / "run")
    drawn(tmp_path, {"net.py": SOUND.replace("16", "17")})
    with pytest.raises(StoreError, match=r"net\.py:Net has changed since this run began"):
        run_study(asked(tmp_path, seeds=2), tmp_path / "run")


def test_a_run_keeps_the_code_and_trains_from_it_in_workers(baked: Baked) -> None:
    source = baked.folder.study.entrant("mine").source
    assert sorted(each.name for each in baked.folder.code(source or "").iterdir()) == [
        "block.py",
        "net.py",
    ]
    assert [row.trials for row in baked.standings] == [2, 2]
    assert str(baked.verdict("mine", "linear")) == str(baked.verdict("linear", "mine"))


def test_who_ran_it_sees_it_again_though_the_file_is_gone(
    baked: Baked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "_LOADED", {})
    assert verify_run(baked.folder.path).disagreements == ()


@pytest.mark.usefixtures("another_user")
def test_nothing_is_run_for_who_never_had_it_run(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / "net.py").write_text("")
    for code in copy.glob("sources/*/net.py"):
        code.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n{HEAD}")
    with pytest.raises(UntrustedError, match=r"then say --trust-code$"):
        inspect_run(copy, "mine", 0, 0)
    with pytest.raises(UntrustedError, match=r"then say --trust-code$"):
        verify_run(copy)
    assert run(["compare", str(copy)]) == 0
    assert run(["inspect", str(copy), "--all"]) == 0
    assert run(["inspect", str(copy), "--entrant", "linear"]) == 0
    assert run(["report", str(copy)]) == 0
    assert capsys.readouterr().err == ""
    assert not (tmp_path / "ran").exists()


@pytest.mark.usefixtures("another_user")
def test_the_report_says_why_there_is_no_picture_until_trust_is_said_once(copy: Path) -> None:
    winner = report_run(copy).winner
    page = (copy / "report.html").read_text()
    assert ("is code that you never had run" in page) == (winner == "mine")
    assert inspect_run(copy, "mine", 0, 0, trust_code=True).view.entrant == "mine"
    known._LOADED.clear()
    assert inspect_run(copy, "mine", 0, 0).view.entrant == "mine"
    assert report_run(copy).winner == winner
    assert "is code that you never had run" not in (copy / "report.html").read_text()
    assert verify_run(copy).disagreements == ()
