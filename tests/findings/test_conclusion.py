"""What a run supports: concluded once, from files that are each read once."""

from __future__ import annotations

import os
import platform
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bakeoff.cli.tables import results_text
from bakeoff.commands.report import report_run
from bakeoff.commands.run import run_study
from bakeoff.data.readers.digits import load_digits
from bakeoff.errors import StoreError
from bakeoff.findings import standings as standings_module
from bakeoff.findings.conclusion import conclude
from bakeoff.records.folder import RunFolder
from bakeoff.study.protocol import Protocol
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Entrant, Study

from ..factories import diverged, entrant, study

DIGITS = load_digits()
FEW = Recipe(epochs=1)
THREE = Study(
    name="three",
    seeds=3,
    protocol=Protocol(dataset="digits", validation_examples=297, train_examples=100),
    entrants=(
        Entrant(name="linear", architecture="logistic-regression", recipe=FEW),
        Entrant(name="hidden", architecture="mlp-2x200", recipe=FEW),
        Entrant(name="convolution", architecture="cnn-1conv", recipe=FEW),
    ),
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("conclusion") / "run"
    run_study(THREE, out)
    return out


def test_standings_are_made_once_and_each_file_of_a_trial_is_read_once(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, made = Counter[Path](), Counter[str]()
    really_open, really_stand = os.open, standings_module._standing

    def counted_open(path: Path, *arguments: int, dir_fd: int | None = None) -> int:
        around = Path() if dir_fd is None else Path(f"/proc/self/fd/{dir_fd}").readlink()
        opened[around / path] += 1
        return really_open(path, *arguments, dir_fd=dir_fd)

    def counted_standing(*arguments: object) -> object:
        made["rows"] += 1
        return really_stand(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as counting:
        counting.setattr(os, "open", counted_open)
        counting.setattr(standings_module, "_standing", counted_standing)
        report_run(finished)
    assert made["rows"] == 3
    for name in ("predictions.npz", "record.json"):
        assert {file: opened[file] for file in finished.rglob(name)} == {
            finished / "trials" / each.name / str(seed) / name: 1
            for each in THREE.entrants
            for seed in range(3)
        }
    # A look into the first trial of each entrant at most.
    for file in (file for file in opened if file.name == "model.safetensors"):
        assert (file.parent.name, opened[file]) == ("0", 1)


def test_a_conclusion_keeps_no_logits(finished: Path) -> None:
    """Thirty trials on a thousand classes would take gigabytes; two numbers an image do not."""
    found = conclude(RunFolder.open(finished), DIGITS)
    assert len(found.predicted) == 9
    for each in found.predicted.values():
        assert each.probabilities is not None
        assert each.classes.shape == each.probabilities.shape == DIGITS.test_labels.shape


def test_a_leak_stands_beside_the_scores(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder.open(finished)
    assert conclude(folder, DIGITS).leaks == ()
    line = "1 of 500 test images is also in training: test image 3 = training image 4"
    monkeypatch.setattr("bakeoff.findings.conclusion.leaks", lambda _: (line,))
    leaky = conclude(folder, DIGITS)
    assert leaky.to_dict()["leaks"] == [line]
    assert line in results_text(leaky, ()).splitlines()


def test_the_machine_that_timed_is_named_and_that_trials_ran_on_different_hardware(
    finished: Path,
) -> None:
    found = conclude(RunFolder.open(finished), DIGITS)
    assert found.timed_on == platform.node()
    assert found.mixed_hardware is None
    first, *others = found.records
    elsewhere = first.provenance.model_copy(update={"machine": "node7"})
    same = first.model_copy(update={"provenance": elsewhere})
    assert replace(found, records=(same, *others)).mixed_hardware is None
    other = same.model_copy(
        update={"provenance": elsewhere.model_copy(update={"cpu": "Xeon\n, 8 cores"})}
    )
    mixed = replace(found, records=(other, *others))
    kinds = f"Xeon\\n, 8 cores: 1; {first.provenance.cpu}: 8"
    assert mixed.to_dict()["mixed_hardware"] == (
        f"2 kinds of hardware trained these trials ({kinds}), so their wall seconds compare no "
        "entrants"
    )
    assert f"2 kinds of hardware trained these trials ({kinds}), so" in " ".join(
        results_text(mixed, ()).split()
    )


@pytest.mark.parametrize(
    ("failed", "why"),
    [
        ((), "to train them: bakeoff run 'a run/study.toml' --out 'a run'"),
        (
            ("a", "b"),
            "to train them again: bakeoff run 'a run/study.toml' --out 'a run' --retry-failed",
        ),
    ],
)
def test_nothing_to_conclude_from_says_what_to_do(
    failed: tuple[str, ...], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = study(entrant("a"), entrant("b"))
    folder = RunFolder.create(Path("a run"), asked)
    for name in failed:
        lost = diverged(asked, name)
        here = lost.provenance.model_copy(update={"data_hash": DIGITS.sha256})
        folder.write_trial(lost.model_copy(update={"provenance": here}), {}, {})
    found = " (a seed 0 diverged; b seed 0 diverged)" if failed else ""
    with pytest.raises(StoreError) as caught:
        conclude(folder, DIGITS)
    assert str(caught.value) == f"a run: no trial is complete{found}; {why}"
