"""What a stretch of work took, and what others took meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bakeoff.training import clocks
from bakeoff.training.clocks import NOTHING, Clocks, Taken, of_children

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="as Linux tells it")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Return the clocks of a machine with four cores, as they stand: seconds of wall, own, busy."""
    stand = {"wall": 100.0, "own": 10.0, "busy": 50.0}
    monkeypatch.setattr(time, "perf_counter", lambda: stand["wall"])
    monkeypatch.setattr(time, "process_time", lambda: stand["own"])
    monkeypatch.setattr(clocks, "_busy", lambda: stand["busy"])
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)))
    return stand


@pytest.mark.parametrize(
    ("busy", "run", "others"),
    [(8.0, 2.0, 0.75), (2.0, 2.0, 0.0), (8.0, 8.0, 0.0), (1.9, 2.0, 0.0), (99.0, 2.0, 1.0)],
)
def test_others_took_what_this_run_did_not(
    machine: dict[str, float], busy: float, run: float, others: float
) -> None:
    taken_by_run = [5.0]
    began = Clocks.read(lambda: taken_by_run[0])
    machine["wall"] += 2.0
    machine["own"] += 1.5
    machine["busy"] += busy
    taken_by_run[0] += run
    taken = began.taken()
    assert (taken.seconds, taken.processor_seconds, taken.others) == (2.0, 1.5, others)


def test_of_a_short_stretch_the_system_tells_nothing(machine: dict[str, float]) -> None:
    began = Clocks.read()
    machine["wall"] += 0.4
    assert began.taken().others is None


def test_a_machine_that_hides_its_accounting_tells_seconds_alone(
    machine: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hidden() -> float:
        raise FileNotFoundError("/proc/stat")

    monkeypatch.setattr(clocks, "_busy", hidden)
    began = Clocks.read()
    machine["wall"] += 2.0
    machine["own"] += 1.0
    taken = began.taken()
    assert (taken.seconds, taken.processor_seconds, taken.others) == (2.0, 1.0, None)


def test_busy_seconds_are_those_of_the_cores_that_may_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "cpu  900 900 900 900 900 900 900 900 0 0\n"
        "cpu0 1 2 3 1000 1000 4 5 6 900 900\n"
        "cpu1 10 20 30 1000 1000 40 50 60 900 900\n"
        "cpu10 9 9 9 9 9 9 9 9 9 9\n"
        "intr 5\n"
    )
    plain = Path.read_text
    monkeypatch.setattr(
        Path, "read_text", lambda path, *a: text if str(path) == "/proc/stat" else plain(path, *a)
    )
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert clocks._busy() == (1 + 2 + 3 + 4 + 5 + 6) * 11 / os.sysconf("SC_CLK_TCK")


def test_children_are_counted_while_they_live_and_when_they_have_ended() -> None:
    work = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()\n"
    before = of_children(os.getpid())
    with subprocess.Popen(
        [sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"\n"
        alive = of_children(os.getpid()) - before
        child.communicate(b"\n")
    ended = of_children(os.getpid()) - before
    assert 0.15 <= alive <= ended


def test_two_stretches_together_weigh_the_share_of_others_by_their_seconds() -> None:
    known, unknown = Taken(3.0, 2.0, 0.5), Taken(1.0, 0.5, None)
    assert known + unknown == Taken(4.0, 2.5, 0.5)
    assert known + Taken(1.0, 1.0, 0.1) == Taken(4.0, 3.0, 0.4)
    assert unknown + unknown == Taken(2.0, 1.0, None)
    assert NOTHING + known == known
