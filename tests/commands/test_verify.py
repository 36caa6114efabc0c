"""Files that disagree are found, though every seal was made anew."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bakeoff.cli.main import run
from bakeoff.commands.run import Baked, run_study
from bakeoff.commands.verify import verify_run
from bakeoff.files.arrays import to_npz
from bakeoff.files.tensors import from_safetensors, to_safetensors
from bakeoff.records.folder import RunFolder
from bakeoff.records.trial_files import manifest_of

from ..factories import entrant, study

ASKED = study(entrant("linear", epochs=1), entrant("drop", "cnn-2conv-dropout", epochs=1), seeds=2)


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory) -> Baked:
    return run_study(ASKED, tmp_path_factory.mktemp("verify") / "run")


@pytest.fixture
def copy(baked: Baked, tmp_path: Path) -> RunFolder:
    return RunFolder.open(shutil.copytree(baked.folder.path, tmp_path / "copy"))


def put(folder: RunFolder, name: str, content: bytes, seed: int = 0) -> Path:
    """Put a file in the place of a trial's, and seal it as a forger would."""
    file = folder.trial("linear", seed).path / name
    file.write_bytes(content)
    rest = {each.name: each.read_bytes() for each in file.parent.iterdir()}
    del rest["manifest.json"]
    file.with_name("manifest.json").write_bytes(manifest_of(rest))
    return file


def with_scores(folder: RunFolder, part: str, **scores: Any) -> bytes:
    document = json.loads((folder.trial("linear", 0).path / "record.json").read_text())
    document[part] |= scores
    return json.dumps(document).encode()


def test_a_run_agrees_with_itself(baked: Baked, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in baked.folder.path.rglob("*")}
    assert verify_run(baked.folder.path).disagreements == ()
    assert run(["verify", str(baked.folder.path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "checked: 4 trials: every file whole, of this study and these data",
        "checked: their scores from their predictions, for validation and test",
        "checked: their predictions from their weights, within 0.0001 of the largest logit",
        "checked: comparison.json, figures and report.html from all trials",
    ]
    assert {path: path.stat().st_mtime_ns for path in baked.folder.path.rglob("*")} == before


@pytest.mark.parametrize("part", ["validation", "test"])
@pytest.mark.parametrize("command", ["compare", "report", "verify"])
def test_edited_scores_are_refused_by_name(
    part: str, command: str, copy: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    record = copy.read_record("linear", 0)
    scores = getattr(record, part)
    file = put(copy, "record.json", with_scores(copy, part, accuracy=0.99))
    assert run([command, str(copy.path)]) == 1
    said = capsys.readouterr()
    assert (
        f"{file}: {part} accuracy is 0.99, by the predictions {scores.accuracy:.6g}; "
        f"move {file.parent} away and run again to train it anew"
    ) in said.out + said.err
    assert "Traceback" not in said.err


def other_seed(name: str) -> Callable[[RunFolder], bytes]:
    return lambda folder: (folder.trial("linear", 1).path / name).read_bytes()


def moved(folder: RunFolder) -> bytes:
    weights = from_safetensors(folder.read_weights("linear", 0), "w")
    weights["1.bias"][3] += 0.01
    return to_safetensors(weights)


def turned(part: str) -> Callable[[RunFolder], bytes]:
    def change(folder: RunFolder) -> bytes:
        arrays: dict[str, NDArray[Any]] = folder.read_predictions("linear", 0)
        logits = arrays[f"{part}_logits"]
        # The same classes and the same loss but for rounding, and yet no logits of these weights.
        return to_npz(arrays | {f"{part}_logits": logits + np.float32(1)})

    return change


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("predictions.npz", other_seed("predictions.npz"), "trained on another split than seed 0"),
        ("model.safetensors", other_seed("model.safetensors"), "validation predictions are not"),
        ("model.safetensors", moved, "validation predictions are not those of the weights: logits"),
        ("predictions.npz", turned("validation"), "validation predictions are not those of"),
        ("predictions.npz", turned("test"), "test predictions are not those of the weights"),
        ("record.json", lambda f: with_scores(f, "validation", loss=0.5), "validation loss is 0.5"),
        ("record.json", lambda f: with_scores(f, "test", loss=0.5), "test loss is 0.5"),
    ],
)
def test_what_was_put_in_is_found(
    name: str,
    content: Callable[[RunFolder], bytes],
    complaint: str,
    copy: RunFolder,
    capsys: pytest.CaptureFixture[str],
) -> None:
    put(copy, name, content(copy))
    found = verify_run(copy.path)
    (line,) = found.disagreements
    assert line.startswith(f"{copy.trial('linear', 0).path}: {complaint}")
    assert found.checked[-1].startswith("not the comparison")
    assert run(["verify", str(copy.path)]) == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[0] == line
    assert said.err == f"bakeoff: {copy.path}: disagreements: 1\n"


def test_a_damaged_file_is_one_of_the_lines_and_the_other_trials_are_looked_at(
    copy: RunFolder,
) -> None:
    put(copy, "record.json", with_scores(copy, "test", accuracy=0.99))
    file = copy.trial("drop", 1).path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    first, second = verify_run(copy.path).disagreements
    assert "linear/0/record.json: test accuracy is 0.99" in first
    assert second.startswith(f"{file}: damaged, its SHA-256 is not the manifest's")


def test_a_comparison_and_report_of_other_trials_are_found(copy: RunFolder) -> None:
    comparison, page = copy.path / "comparison.json", copy.path / "report.html"
    comparison.write_text(comparison.read_text().replace('"trials": 4', '"trials": 5', 1))
    page.write_text(page.read_text() + "<!-- better -->")
    (copy.path / "figures" / "inside.svg").unlink()
    anew = f"bakeoff report {copy.path} writes it anew"
    assert verify_run(copy.path).disagreements == (
        f"{comparison}: not what the trials come to; {anew}",
        f"{copy.path}: missing, changed, or drawn by another version: figures/inside.svg, "
        f"report.html; {anew}",
    )


def test_json_holds_what_was_checked_and_what_disagrees(
    copy: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy.path / "comparison.json").unlink()
    assert run(["verify", str(copy.path), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"checked", "disagreements"}
    assert len(document["disagreements"]) == 1
