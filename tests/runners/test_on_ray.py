"""Trials as tasks of a Ray that is started here; workers that die, addresses that do not answer."""

from __future__ import annotations

import os
import platform
import signal
import socket
from pathlib import Path

import pytest

from bakeoff.commands.run import run_study
from bakeoff.errors import BakeoffError, UsageError
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Epoch
from bakeoff.records.working import read_working
from bakeoff.runners import on_ray
from bakeoff.runners.listener import PlannedTrial

from ..factories import entrant, study
from .heard import Heard

ray = pytest.importorskip("ray")

ASKED = study(entrant("a", epochs=60), entrant("b", "mlp-2x200", epochs=2), seeds=2)


class Killer(Heard):
    """Kills the worker of a trial once, when its first checkpoint is there."""

    def __init__(self, folder: RunFolder) -> None:
        super().__init__()
        self._folder = folder
        self.killed = 0

    def epoch_ended(self, trial: PlannedTrial, epoch: Epoch) -> None:
        super().epoch_ended(trial, epoch)
        if trial.key == ("a", 0) and not self.killed and self._folder.unfinished("a", 0).names():
            working = read_working(self._folder.lock("a", 0))
            assert working is not None
            assert working.process != os.getpid()
            self.killed = working.process
            os.kill(working.process, signal.SIGKILL)


@pytest.mark.filterwarnings("ignore")  # Ray's own.
def test_a_killed_worker_costs_no_trial_and_no_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_ray, "machine_name", lambda: "the driver's")
    heard = Killer(RunFolder(tmp_path / "ray", ASKED))
    before = signal.getsignal(signal.SIGTERM)
    far = run_study(ASKED, tmp_path / "ray", on="ray", jobs=2, listener=heard)
    alone = run_study(ASKED, tmp_path / "alone")
    assert signal.getsignal(signal.SIGTERM) == before
    assert heard.killed
    assert "a seed 0: its worker died, and another one goes on" in heard.lines
    assert {line for line in heard.lines if " on " in line and line[0] in "ab"} >= {
        f"{name} {seed} on {platform.node()}" for name in "ab" for seed in range(2)
    }
    assert any(line.startswith("a 0 goes on after epoch ") for line in heard.lines)
    assert len(far.folder.finished()) == 4
    for key in alone.folder.finished():
        assert far.folder.read_weights(*key) == alone.folder.read_weights(*key)
        theirs, ours = (each.folder.read_record(*key) for each in (far, alone))
        assert (theirs.validation, theirs.test) == (ours.validation, ours.test)
        assert theirs.provenance.resumed == ()
    assert not (far.folder.path / "unfinished").exists()


@pytest.mark.parametrize(
    ("on", "line"),
    [
        ("ray:there", "--on ray:there: write ray:HOST:PORT, as ray:10.0.0.1:6379"),
        ("ray:ray://a:x", "--on ray:ray://a:x: write ray:HOST:PORT, as ray:10.0.0.1:6379"),
        ("rai", "--on rai: give ray, ray:HOST:PORT or slurm"),
    ],
)
def test_an_address_that_is_none_is_wrong_usage(on: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        run_study(ASKED, tmp_path / "run", on=on)
    assert str(caught.value) == line


def test_an_address_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # Bound, and not listening: nobody answers there.
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(BakeoffError) as caught:
            run_study(ASKED, tmp_path / "run", on=f"ray:{address}")
    assert str(caught.value) == (
        f"Ray at {address}: does not answer ([Errno 111] Connection refused); is `ray start "
        "--head` running there?"
    )
    assert RunFolder.open(tmp_path / "run").finished() == []


def test_a_ray_that_does_not_come_up_is_started_thrice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(**_: object) -> None:
        raise Exception("The current node timed out during startup.\nTwo lines.")

    heard = Heard()
    monkeypatch.setattr(ray, "init", slow)
    with pytest.raises(BakeoffError) as caught:
        run_study(ASKED, tmp_path / "run", on="ray", jobs=2, listener=heard)
    line = "Ray at this machine: The current node timed out during startup."
    assert str(caught.value) == line
    assert [each for each in heard.lines if "Ray" in each] == [
        f"{line}; it is started once more"
    ] * 2


def test_a_cluster_that_refuses_is_one_line_that_speaks_of_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: object) -> None:
        raise ConnectionError("Failed to connect to Ray cluster at 10.0.0.1:6379\nTwo lines.")

    monkeypatch.setattr(ray, "init", refused)
    monkeypatch.setattr(on_ray, "_refuse_silent", lambda _: None)
    with pytest.raises(BakeoffError) as caught:
        run_study(ASKED, tmp_path / "run", on="ray:10.0.0.1:6379")
    assert str(caught.value) == (
        "Ray at 10.0.0.1:6379: Failed to connect to Ray cluster at 10.0.0.1:6379; where it asks "
        "for a token, set RAY_AUTH_MODE=token"
    )


def test_on_ray_and_stacked_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        run_study(ASKED, tmp_path / "run", on="ray", stack=True)
    assert str(caught.value) == "--stack trains in one process: leave --on out, or --stack"
