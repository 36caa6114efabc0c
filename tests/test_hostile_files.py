"""Whatever lies in a run folder or study file, each command ends with one line and no traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bakeoff.cli.main import run
from bakeoff.files.reading import sealed
from bakeoff.records.trial_files import manifest_of
from bakeoff.study.toml import read_study

STUDY = """
name = "tiny"

[protocol]
dataset = "digits"
validation_examples = 297

[recipe]
epochs = 1

[[entrants]]
name = "plain"
architecture = "logistic-regression"
"""
TRIAL = "trials/plain/0"
COMMANDS: dict[str, Callable[[str, str], list[str]]] = {
    "compare": lambda out, _: ["compare", out],
    "report": lambda out, _: ["report", out],
    "inspect": lambda out, _: ["inspect", out],
    "inspect --all": lambda out, _: ["inspect", out, "--all"],
    "run": lambda out, study: ["run", study, "--out", out],
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "tiny.toml"
    path.write_text(STUDY)
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, study: Path) -> Path:
    out = tmp_path_factory.mktemp("run") / "tiny"
    assert run(["run", str(study), "--out", str(out)]) == 0
    return out


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "copy")


def refusal(arguments: list[str], capsys: pytest.CaptureFixture[str], code: int = 1) -> str:
    """Return the last line on standard error of a command that must refuse."""
    capsys.readouterr()
    assert run(arguments) == code
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert "\x1b" not in captured.out + captured.err
    lines = captured.err.splitlines()
    assert [line for line in lines if line.startswith("bakeoff: ")] == lines[-1:]
    return lines[-1]


def put_directory(file: Path) -> None:
    file.mkdir()


def put_loop(file: Path) -> None:
    file.symlink_to(file)


def put_fifo(file: Path) -> None:
    os.mkfifo(file)


def put_hole(file: Path) -> None:
    with file.open("wb") as stream:
        stream.truncate(10_000_000_000)


def put_nothing(file: Path) -> None:
    file.touch()


def put_nesting(file: Path) -> None:
    file.write_bytes(b"[" * 60_000)


THINGS = [put_directory, put_loop, put_fifo, put_hole, put_nesting]
FILES = {
    "study.toml": set(COMMANDS),
    "timing.json": {"compare", "report", "run"},
    "looks.json": {"compare", "report", "run"},
    f"{TRIAL}/manifest.json": set(COMMANDS),
    f"{TRIAL}/record.json": set(COMMANDS),
    f"{TRIAL}/predictions.npz": {"compare", "report", "inspect", "inspect --all", "run"},
    f"{TRIAL}/model.safetensors": {"report", "inspect", "run"},
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs and devices")
@pytest.mark.parametrize("put", THINGS)
@pytest.mark.parametrize("name", FILES)
def test_every_command_names_what_is_no_sound_file(
    name: str,
    put: Callable[[Path], None],
    copied: Path,
    study: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = copied / name
    file.unlink(missing_ok=True)  # Of one seed there is no list of looks.
    put(file)
    # Every command meets one of the things, and every thing one of the commands.
    # `run` comes last: it mends.
    for command in sorted(FILES[name]) if put is put_hole else sorted(FILES[name])[-1:]:
        asked = COMMANDS[command](str(copied), str(study))
        if command == "run" and name.startswith("trials/"):
            # What it was is kept, and trained again.
            assert run(asked) == 0
            line = next(text for text in capsys.readouterr().err.splitlines() if str(file) in text)
            assert line.startswith(f"{file}: ")
            assert f"; set aside as {copied / 'set-aside'}" in line
        else:
            line = refusal(asked, capsys)
            assert line.startswith(f"bakeoff: {file}: "), command
            assert "; " in line, command


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs and devices")
@pytest.mark.parametrize("put", THINGS)
def test_a_study_that_is_no_sound_file_is_named(
    put: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.toml"
    put(file)
    for command in ("show", "run"):
        assert refusal([command, str(file)], capsys).startswith(f"bakeoff: {file}: ")


@pytest.mark.parametrize("put", [put_directory, put_loop, put_nothing])
def test_a_thing_in_place_of_a_trial_or_of_all_trials_is_no_traceback(
    put: Callable[[Path], None], copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (TRIAL, "trials/plain", "trials"):
        shutil.rmtree(copied / name)
        put(copied / name)
        assert str(copied) in refusal(["compare", str(copied)], capsys)
        if name == TRIAL:
            (copied / TRIAL).rmdir() if put is put_directory else (copied / TRIAL).unlink()
            (copied / TRIAL).mkdir()
        elif put is not put_directory:
            (copied / name).unlink()
            (copied / name).mkdir(parents=True)


def reseal(folder: Path, name: str, content: bytes) -> None:
    """Replace a file of the trial and make the manifest agree, as a forger would."""
    (folder / TRIAL / name).write_bytes(content)
    files = {each.name: each.read_bytes() for each in (folder / TRIAL).iterdir()}
    del files["manifest.json"]
    (folder / TRIAL / "manifest.json").write_bytes(manifest_of(files))


@pytest.mark.parametrize("name", ["record.json", "predictions.npz", "model.safetensors"])
@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[" * 100_000, b"\xff" * 100, bytes(100_000), b"PK\5\6" + bytes(18)]
)
def test_a_forged_file_with_a_right_manifest_is_named(
    name: str, content: bytes, copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reseal(copied, name, content)
    assert refusal(["report", str(copied)], capsys).startswith(f"bakeoff: {copied / TRIAL / name}")


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("entrant", "../../../etc", "speaks of ../../../etc seed 0, not of plain seed 0"),
        ("study", "\x1b[31m\n\u202e", None),
        ("trouble", "\x1b]0;title\x07\n" * 100, None),
        (
            "status",
            "diverged",
            "no trial is complete (plain seed 0 diverged); to train them again: ",
        ),
        ("status", "\x1b[2J", "not a record of this version (status)"),
        ("seed", -1, "speaks of plain seed -1, not of plain seed 0"),
        ("parameters", 10**300, f"not a record of this version (1{'0' * 18}… was not measured)"),
        ("epochs", [], None),
        ("test", None, "not a record of this version (complete, but without scores)"),
    ],
)
def test_a_forged_record_is_refused_or_inert(
    key: str,
    value: object,
    line: str | None,
    copied: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    record = json.loads((copied / TRIAL / "record.json").read_bytes())
    reseal(copied, "record.json", json.dumps(record | {key: value}).encode())
    if line is not None:
        assert line in refusal(["compare", str(copied)], capsys)
        return
    assert run(["compare", str(copied)]) == 0
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err
    assert run(["report", str(copied)]) == 0
    assert "\u202e" not in (copied / "report.html").read_text(encoding="utf-8")


def test_what_a_failed_trial_says_of_itself_steers_no_terminal(
    tmp_path: Path, study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two = tmp_path / "two.toml"
    two.write_text(STUDY.replace("[protocol]", "seeds = 2\n[protocol]"))
    out = tmp_path / "out"
    assert run(["run", str(two), "--out", str(out)]) == 0
    record = json.loads((out / TRIAL / "record.json").read_bytes())
    forged = {"status": "diverged", "trouble": "[red]\x1b[31m\x9b2J\r\nall is well\u202e"}
    nothing = {"validation": None, "test": None, "cost": None}
    reseal(out, "record.json", json.dumps(record | forged | nothing).encode())
    capsys.readouterr()
    assert run(["compare", str(out)]) == 0
    said = capsys.readouterr().out
    shown = r"plain seed 0 diverged: [red]\x1b[31m\x9b2J\r\nall is well\u202e"
    assert shown in said.splitlines()
    assert run(["report", str(out)]) == 0
    assert shown in (out / "report.html").read_text(encoding="utf-8")


def test_texts_of_a_study_steer_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.toml"
    text = r'"[red]\u001b[31m\u009b2J\u0007\u202e\u2028\U000e0041"'
    file.write_text(f"title = {text}\nquestion = {text}\nabout = {text}\n{STUDY}")
    capsys.readouterr()
    assert run(["show", str(file)]) == 0
    shown = capsys.readouterr().out
    assert shown.replace("\n", "").isprintable()
    again = tmp_path / "again.toml"
    again.write_text(shown)
    assert read_study(again) == read_study(file)
    assert run(["show", str(file), "--json"]) == 0
    assert capsys.readouterr().out.isascii()


@pytest.mark.parametrize(
    "name",
    ["..", ".", "../x", "/etc", "a/b", "a\\\\b", "~", "a\\u0000", "a\\n", "\\u001b[31m", "A", "",
     "a.", "<b>", "\\u202ea", "a" * 65],
)  # fmt: skip
def test_no_name_leads_out_of_the_run_folder(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.toml"
    for changed in (
        STUDY.replace('name = "plain"', f'name = "{name}"'),
        STUDY.replace('name = "tiny"', f'name = "{name}"'),
    ):
        file.write_text(changed)
        out = tmp_path / "out"
        line = refusal(["run", str(file), "--out", str(out)], capsys)
        assert line.startswith(f"bakeoff: {file}: ")
        assert not out.exists()


# A run's own study file


def test_a_changed_study_of_a_run_is_refused_and_can_be_written_anew(
    copied: Path, study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = copied / "study.toml"
    text = file.read_text(encoding="utf-8")
    assert "confidence = 0.95" in text
    file.write_text(text.replace("confidence = 0.95", "confidence = 0.55"))
    expected = (
        f"bakeoff: {file}: damaged, its first line is not the SHA-256 of the rest; "
        "delete it and run the study again: trials are kept"
    )
    assert refusal(["compare", str(copied)], capsys) == expected
    assert refusal(["run", str(study), "--out", str(copied)], capsys) == expected
    file.unlink()
    assert run(["run", str(study), "--out", str(copied)]) == 0
    assert "nothing to train: the only trial is finished" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == text


def test_trials_without_their_study_are_not_taken_for_those_of_another(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copied / "study.toml").unlink()
    other = tmp_path / "other.toml"
    other.write_text(STUDY.replace("epochs = 1", "epochs = 2"))
    line = refusal(["run", str(other), "--out", str(copied)], capsys)
    assert line.startswith(f"bakeoff: {copied / TRIAL / 'record.json'}: belongs to another study")


def test_a_forged_timing_is_named(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = copied / "timing.json"
    forged: list[Any] = [3, {"plain": ["x"]}, {"plain": [-1.0, 0.5]}, {"plain": []}]
    for times in forged:
        file.write_bytes(sealed({"seconds_per_example": times}))
        expected = f"bakeoff: {file}: damaged; delete it and run again to time anew"
        assert refusal(["compare", str(copied)], capsys) == expected


def test_the_installed_command_refuses_in_the_same_way(copied: Path) -> None:
    (copied / TRIAL / "record.json").write_bytes(b"\x00" * 10)
    done = subprocess.run(
        [sys.executable, "-m", "bakeoff", "compare", str(copied)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
