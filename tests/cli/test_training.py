"""`bakeoff worker` and `bakeoff status`: what they print where, and what they exit with."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from bakeoff.commands.run import run_study
from bakeoff.files import locks
from bakeoff.records.folder import RunFolder
from bakeoff.records.working import Working, write_working

from ..commands.test_work import Away
from ..factories import entrant, study

ASKED = study(entrant("a", epochs=1), entrant("b", epochs=2))
HERE = platform.node()


@pytest.fixture
def begun(tmp_path: Path) -> RunFolder:
    with pytest.raises(KeyboardInterrupt):
        run_study(ASKED, tmp_path / "run", listener=Away())
    return RunFolder.open(tmp_path / "run")


def test_a_worker_says_on_stdout_how_the_run_stands_and_the_rest_on_stderr(
    begun: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["worker", str(begun.path), "--jobs", "1"]) == 0
    captured = capsys.readouterr()
    assert captured.out == (
        f"{HERE}: trials finished: 2 of 2; bakeoff run {begun.path}/study.toml --out {begun.path} "
        "compares them\n"
    )
    assert "2 trials to train\n" in captured.err
    assert "\nb: budget used after epoch 2, " in captured.err
    assert run(["worker", str(begun.path), "--jobs", "1", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {
        "folder": str(begun.path), "machine": HERE, "finished": 2, "planned": 2,
    }  # fmt: skip
    assert captured.err == "nothing to train: all 2 trials are finished\n"


def test_a_worker_that_is_not_fit_is_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["worker", str(tmp_path / "nothing")]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        f"bakeoff: {HERE}: {tmp_path}/nothing: no run folder (it has no study.toml); give the "
        "--out of one\n"
    )


def test_a_number_of_jobs_that_is_none_is_wrong_usage_that_names_the_machine(
    begun: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["worker", str(begun.path), "--jobs", "none"]) == 1
    assert capsys.readouterr().err == (
        f"bakeoff: {HERE}: --jobs none: give a number from 1 up, or auto\n"
    )


def test_the_status_of_a_run_is_text_or_json(
    begun: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = begun.lock("a", 0)
    with locks.held(lock):
        working = Working(
            machine="node7",
            process=12,
            since="2026-01-02T03:04:05Z",
            epoch=0,
        )
        write_working(lock, working)
        assert run(["status", str(begun.path)]) == 0
        text = capsys.readouterr().out
        assert run(["status", str(begun.path), "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
    since = working.since.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    assert text == (
        f"{begun.path}: 0 of 2 trials finished, 1 running, 1 to begin\n"
        f"running  a seed 0: on node7, process 12, since {since}, epoch 0 of 1\n"
    )
    assert document == {
        "folder": str(begun.path), "planned": 2, "finished": 0, "failed": [], "machines": {},
        "seconds_left": None,
        "running": [
            {
                "entrant": "a", "seed": 0, "machine": "node7", "process": 12,
                "since": "2026-01-02T03:04:05Z", "epoch": 0, "epochs": 1, "seconds_left": None,
            }
        ],
    }  # fmt: skip


def test_the_status_of_what_is_no_run_is_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["status", str(tmp_path / "nothing"), "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        f"bakeoff: {tmp_path}/nothing: no run folder (it has no study.toml); give the --out of "
        "one\n"
    )
