"""As many threads as there are, whatever was asked for; in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
import torch

from bakeoff.engine.team import given_threads, in_each_thread

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="as Linux does it")


def said_by(code: str, **environment: str) -> list[str]:
    """Return the lines that a fresh Python prints; two threads are asked for."""
    head = "import os, torch\nfrom bakeoff.engine.team import given_threads, in_each_thread\n"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    done = subprocess.run(
        [sys.executable, "-c", head + code],
        env=kept | {"OMP_NUM_THREADS": "2"} | environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


TEAM = """
import threading
seen = []
print(in_each_thread(lambda: seen.append(threading.get_native_id())), len(set(seen)))
"""


def test_something_is_done_once_in_each_thread() -> None:
    assert said_by(f"{TEAM}torch.set_num_threads(1){TEAM}") == ["2 2", "1 1"]


def test_a_thread_of_pythons_has_a_team_too() -> None:
    sizes: list[int] = []
    thread = threading.Thread(target=lambda: sizes.append(in_each_thread(lambda: None)))
    thread.start()
    thread.join()
    assert sizes == [1]


GIVEN = """
with given_threads(2, print):
    print(torch.get_num_threads(), in_each_thread(lambda: None))
print(torch.get_num_threads())
"""


@pytest.mark.parametrize("limit", [{"OMP_THREAD_LIMIT": "1"}, {"OMP_MAX_ACTIVE_LEVELS": "0"}])
def test_what_there_is_is_taken_and_told(limit: dict[str, str]) -> None:
    told = "2 threads were asked for and 1 given, so 1 compute"
    assert said_by(GIVEN, **limit) == [told, "1 1", "2"]


def test_a_team_does_not_shrink_on_a_busy_machine() -> None:
    dynamic = "import ctypes\nfrom bakeoff.engine.team import _openmp\nomp = _openmp()\n"
    asked = "print(omp.omp_get_dynamic())\n"
    lines = said_by(dynamic + asked + GIVEN + asked, OMP_DYNAMIC="true")
    assert lines == ["1", "2 2", "2", "1"]


def test_where_all_are_given_nothing_is_said_and_one_is_taken_where_none_are_asked_for() -> None:
    assert said_by(GIVEN + GIVEN.replace("2, print", "")) == ["2 2", "2", "1 1", "2"]


FORKED = "forked from a process that had started threads, so this one computes with 1"
CHILD = """
child = os.fork()
if child == 0:
    with given_threads(2, lambda line: print(line, flush=True)):
        torch.ones(300, 300) @ torch.ones(300, 300)
        print(torch.get_num_threads(), flush=True)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


def test_a_child_of_fork_waits_for_no_thread_of_its_parents() -> None:
    assert said_by("in_each_thread(lambda: None)\n" + CHILD) == [FORKED, "1"]


def test_a_child_of_a_parent_without_threads_starts_its_own() -> None:
    assert said_by(CHILD) == ["2"]


def test_a_child_that_knows_nothing_of_its_parent_starts_none() -> None:
    later = CHILD.replace(
        "    with given", "    from bakeoff.engine.team import given_threads\n    with given"
    )
    code = f"import os, torch\ntorch.set_num_threads(2)\ntorch.ones(1 << 20) + 1\n{later}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"OMP_NUM_THREADS": "2"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == [FORKED, "1"], done.stderr


def test_without_gnus_interface_the_asked_are_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bakeoff.engine.team._openmp", lambda: None)
    done: list[int] = []
    assert in_each_thread(lambda: done.append(1)) == torch.get_num_threads()
    assert done == [1]
    with given_threads(1, pytest.fail):
        pass
