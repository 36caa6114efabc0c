"""A run folder that is begun: by several at once, or for more trials than there is room for."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bakeoff.errors import StoreError, StudyError
from bakeoff.files.place import Place
from bakeoff.files.reading import sealed_toml
from bakeoff.records import own_study
from bakeoff.records.folder import RunFolder
from bakeoff.records.timing_file import NOTHING
from bakeoff.study.study import Entrant, Study
from bakeoff.study.toml import to_toml

from ..factories import entrant, study

STUDY = study(entrant("a"), entrant("b"), seeds=2)


@pytest.mark.parametrize(
    ("owner", "look"), [(own_study, "_may_become_run_folder"), (Place, "is_there")]
)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_whoever_begins_at_the_same_moment_is_no_stranger(
    owner: Any, look: str, moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rival makes the folder and works in it, around the first look at it."""
    path = tmp_path / "run"
    plain: Callable[[object], bool] = getattr(owner, look)
    rivals = iter(["rival"])

    def rival() -> None:
        if next(rivals, None):
            folder = RunFolder.create(path, STUDY)
            folder.unfinished("a", 0).path.mkdir(parents=True)
            folder.write_timing(NOTHING)

    def looked(where: object) -> bool:
        if moment == "before":
            rival()
        found = plain(where)
        rival()
        return found

    monkeypatch.setattr(owner, look, looked)
    assert RunFolder.create(path, STUDY).study == STUDY
    assert next(rivals, None) is None


def test_processes_that_begin_at_once_all_get_the_folder(tmp_path: Path) -> None:
    begin = (
        "import sys\n"
        "from pathlib import Path\n"
        "from bakeoff.records.folder import RunFolder\n"
        "from bakeoff.study.toml import read_study\n"
        "study = read_study(Path(sys.argv[1]))\n"
        "print(flush=True)\n"
        "for number in sys.stdin.readline().split():\n"
        "    folder = RunFolder.create(Path(sys.argv[2]) / number, study)\n"
        "    folder.unfinished('a', 0).path.mkdir(parents=True, exist_ok=True)\n"
    )
    file = tmp_path / "study.toml"
    file.write_text(to_toml(STUDY))
    command = [sys.executable, "-c", begin, str(file), str(tmp_path)]
    processes: list[Any] = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for each in processes:
        each.stdout.readline()
    for each in processes:
        each.stdin.write(" ".join(map(str, range(50))) + "\n")
        each.stdin.flush()
    for each in processes:
        each.communicate()
    assert [each.returncode for each in processes] == [0] * 4


MANY = study(*(entrant(f"e{number}") for number in range(1_700)), seeds=10_000)
TOO_MANY = (
    "17,000,000 trials (1,700 entrants x 10,000 seeds), and a run has at most 100,000; "
    "give fewer seeds or fewer entrants"
)


def test_more_trials_than_a_run_has_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        RunFolder.create(tmp_path / "run", MANY)
    assert str(caught.value) == f"{tmp_path / 'run' / 'study.toml'}: {TOO_MANY}"
    assert list(tmp_path.iterdir()) == []
    RunFolder.create(tmp_path / "run", study(*MANY.entrants[:10], seeds=10_000))


def test_a_folder_that_plans_too_many_is_refused_in_little_memory(tmp_path: Path) -> None:
    few = to_toml(MANY.model_copy(update={"entrants": MANY.entrants[:1]}))
    more = [f'[[entrants]]\nname = "{each.name}"\narchitecture = "cnn-2conv"\n' for each in
            MANY.entrants[1:]]  # fmt: skip
    file = tmp_path / "study.toml"
    file.write_bytes(sealed_toml("\n".join([few, *more])))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(StudyError) as caught:
        RunFolder.open(tmp_path)
    assert str(caught.value) == f"{file}: {TOO_MANY}"
    # Kilobytes on Linux: reading the file takes some megabytes, its trials would take gigabytes.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_code_that_changed_is_named(tmp_path: Path) -> None:
    def asked(source: str) -> Study:
        net = Entrant(name="mine", architecture="my_net.py:Net", source=source * 64)
        return study(entrant("a"), net)

    RunFolder.create(tmp_path, asked("1"))
    RunFolder.create(tmp_path, asked("1"))
    with pytest.raises(StoreError) as caught:
        RunFolder.create(tmp_path, asked("2"))
    assert str(caught.value) == (
        f"{tmp_path}: my_net.py:Net has changed since this run began, and mine would be another "
        "network; give another --out, or bring the code back"
    )


def test_code_is_kept_once_below_the_beginning_of_its_hash(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, study())
    kept = {"ab" * 32: {"net.py": b"one", "parts/block.py": b"two"}}
    folder.keep_code(kept)
    code = folder.code("ab" * 32)
    assert code == tmp_path / "sources" / ("ab" * 8)
    assert (code / "parts" / "block.py").read_bytes() == b"two"
    before = (code / "net.py").stat().st_mtime_ns
    folder.keep_code(kept)
    assert (code / "net.py").stat().st_mtime_ns == before


def test_a_run_may_begin_where_arrays_were_put(tmp_path: Path) -> None:
    (tmp_path / "sources" / "data").mkdir(parents=True)
    RunFolder.create(tmp_path, study())
    (tmp_path / "study.toml").unlink()
    (tmp_path / "mine.txt").touch()
    with pytest.raises(StoreError, match=r"not a run folder and not empty; give another --out$"):
        RunFolder.create(tmp_path, study(entrant("b")))
