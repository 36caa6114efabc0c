"""What reads a run changes nothing in it but notes a new look; `compare` needs no torch."""

from __future__ import annotations

import builtins
import fcntl
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from bakeoff.commands.compare import compare_run
from bakeoff.commands.inspect import inspect_run, opinions
from bakeoff.commands.report import report_run
from bakeoff.commands.run import Baked, run_study
from bakeoff.commands.verify import verify_run
from bakeoff.errors import StoreError
from bakeoff.records.folder import RunFolder
from bakeoff.study.study import Decision

from ..factories import entrant, study

ASKED = study(entrant("linear", epochs=1), entrant("hidden", "mlp-2x200", epochs=1), seeds=2)


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory) -> Baked:
    return run_study(ASKED, tmp_path_factory.mktemp("compare") / "run")


def test_a_folder_may_be_named_by_a_text(baked: Baked) -> None:
    folder = str(baked.folder.path)
    assert run_study(ASKED, folder).trained == 0
    assert compare_run(folder).answer == report_run(folder).answer == baked.conclusion.answer


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return all that is in a folder, with the time of its last change."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }


def guarded(really: Callable[..., Any], refuse: Callable[..., None]) -> Callable[..., Any]:
    def called(*arguments: Any, **more: Any) -> Any:
        refuse(*arguments, **more)
        return really(*arguments, **more)

    return called


def only_reading(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the system refuse every change below `folder`, as it does for who may only read it."""

    def refused(*places: object, **more: Any) -> None:
        folders = {name: each for name, each in more.items() if name.endswith("dir_fd") and each}
        opened = [Path(f"/proc/self/fd/{each}").readlink() for each in folders.values()]
        if any(str(place).startswith(str(folder)) for place in (*places, *opened)):
            raise PermissionError(13, "Permission denied")

    really_open, really_open_text = os.open, builtins.open

    def opened(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            refused(path, **more)
        return really_open(path, flags, *rest, **more)

    def opened_text(file: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if set(mode) & set("wax+"):
            refused(file)
        return really_open_text(file, mode, *rest, **more)

    def locked(*_: object) -> NoReturn:
        raise AssertionError("a reader locks nothing")

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(builtins, "open", opened_text)
    monkeypatch.setattr(io, "open", opened_text)
    for name in ("mkdir", "rename", "replace", "unlink", "rmdir", "utime"):
        monkeypatch.setattr(os, name, guarded(getattr(os, name), refused))
    monkeypatch.setattr(fcntl, "flock", locked)


@pytest.fixture
def somebody_elses(baked: Baked, tmp_path: Path) -> Path:
    """A finished run whose files may only be read, and that has no folder of locks."""
    copy = shutil.copytree(baked.folder.path, tmp_path / "theirs")
    shutil.rmtree(copy / "locks")
    for path in copy.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return copy


def test_a_finished_run_is_compared_without_a_single_change(
    baked: Baked, somebody_elses: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(somebody_elses)
    with monkeypatch.context() as reader:
        only_reading(reader, somebody_elses)
        found = compare_run(somebody_elses)
    assert tree(somebody_elses) == before
    assert found.comparison.to_dict() == baked.conclusion.comparison.to_dict()


def test_the_refusals_of_the_test_before_would_be_met(
    somebody_elses: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writers: list[Callable[[], object]] = [
        lambda: (somebody_elses / "new").write_text(""),
        (somebody_elses / "new").mkdir,
        lambda: (somebody_elses / "study.toml").rename(somebody_elses / "new"),
    ]
    with monkeypatch.context() as reader:
        only_reading(reader, somebody_elses)
        for write in writers:
            with pytest.raises(PermissionError):
                write()


def test_whoever_may_only_read_a_run_can_look_inside_it_and_verify_it(
    somebody_elses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    before = tree(somebody_elses)
    with monkeypatch.context() as reader:
        reader.chdir(own)
        only_reading(reader, somebody_elses)
        seen = inspect_run(somebody_elses, "linear", 3, 1)
        assert len(opinions(somebody_elses, 3).entrants) == 2
        assert verify_run(somebody_elses).disagreements == ()
    assert tree(somebody_elses) == before
    # The picture has to go somewhere.
    assert [seen.picture.name] == [file.name for file in own.iterdir()]
    assert seen.picture == Path("inside-linear-1-3.svg")


def test_a_look_that_nobody_took_before_is_kept(baked: Baked, tmp_path: Path) -> None:
    copy = shutil.copytree(baked.folder.path, tmp_path / "copy")
    (look,) = RunFolder.open(copy).read_looks()
    assert look.complete == {"linear": ((0, 1),), "hidden": ((0, 1),)}
    (copy / "looks.json").unlink()
    before = tree(copy)
    assert compare_run(copy).look_note is None
    assert tree(copy).keys() - before.keys() == {"looks.json"}
    assert [each.complete for each in RunFolder.open(copy).read_looks()] == [look.complete]


def test_who_may_only_read_is_told_that_a_new_look_is_not_kept(
    somebody_elses: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (somebody_elses / "looks.json").unlink()
    before = tree(somebody_elses)
    with monkeypatch.context() as reader:
        only_reading(reader, somebody_elses)
        found = compare_run(somebody_elses)
    assert tree(somebody_elses) == before
    assert found.look_note is not None
    assert found.look_note.startswith("this look could not be kept")
    assert found.to_dict()["look_note"] == found.look_note


def test_more_seeds_are_a_second_look_and_another_margin_wants_to_be_reopened(
    baked: Baked, tmp_path: Path
) -> None:
    copy = shutil.copytree(baked.folder.path, tmp_path / "copy")
    more = ASKED.model_copy(update={"seeds": 3})
    (pair,) = run_study(more, copy).conclusion.comparison.pairs
    assert pair.evidence is not None
    assert pair.evidence.looks == (2, 3)
    assert " 2 looks" in pair.verdict.sentence
    wide = more.model_copy(update={"decision": Decision(equivalence_margin=15.0)})
    with pytest.raises(StoreError, match=r"with a margin of 0\.25 points, not 15; set it back"):
        run_study(wide, copy)
    (reopened,) = run_study(wide, copy, reopen=True).conclusion.comparison.pairs
    assert reopened.verdict.sentence.endswith(
        "; reopened, looked at before with a margin of 0.25 points, not 15"
    )
    (again,) = compare_run(copy).comparison.pairs
    assert again.to_dict() == reopened.to_dict()
    # Both rules are open now, and each verdict names the other.
    (first_rule,) = run_study(more, copy).conclusion.comparison.pairs
    assert first_rule.verdict.sentence.endswith(
        "; reopened, looked at before with a margin of 15 points, not 0.25"
    )
    assert verify_run(copy).disagreements == ()


def test_comparing_needs_no_torch_not_even_to_be_there(somebody_elses: Path) -> None:
    probe = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['matplotlib'] = None\n"  # An import of it fails.
        "from bakeoff.cli.main import run\n"
        f"sys.exit(run(['compare', {str(somebody_elses)!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "stands first" in done.stdout


def test_the_report_is_named_only_where_there_is_one(baked: Baked, tmp_path: Path) -> None:
    copy = shutil.copytree(baked.folder.path, tmp_path / "copy")
    assert compare_run(copy).to_dict()["report"] == str(copy / "report.html")
    (copy / "report.html").unlink()
    assert compare_run(copy).to_dict()["report"] is None
    for name in ("comparison.json", "figures"):
        assert (copy / name).exists()


def test_a_report_is_written_as_at_the_end_of_a_run(baked: Baked, tmp_path: Path) -> None:
    copy = shutil.copytree(baked.folder.path, tmp_path / "copy")
    for file in (copy / "comparison.json", copy / "report.html", *copy.glob("figures/*")):
        file.unlink()
    assert report_run(copy).report == copy / "report.html"
    for file in (*baked.folder.path.glob("figures/*"), baked.folder.path / "comparison.json"):
        again = copy / file.relative_to(baked.folder.path)
        assert again.read_bytes() == file.read_bytes()
    document = json.loads((copy / "comparison.json").read_text())
    assert document == json.loads(json.dumps(baked.conclusion.comparison.to_dict()))
