"""All seeds of an entrant at once: what trains together, what is left, and what comes out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from bakeoff.commands.run import run_study
from bakeoff.data.dataset import Dataset
from bakeoff.files import locks
from bakeoff.files.place import Place
from bakeoff.files.tensors import from_safetensors
from bakeoff.networks.catalogue import ARCHITECTURES
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Record
from bakeoff.runners import stacked
from bakeoff.runners.listener import PlannedTrial
from bakeoff.runners.setting import Setting
from bakeoff.runners.stacked import run_stacked, run_stacks
from bakeoff.study.study import Study
from bakeoff.training.run_trial import run_trial
from bakeoff.training.stacking.run import run_stack
from bakeoff.training.trial import TrialSpec

from ..factories import entrant, first_of, plan, record, study, trial_spec, whole
from .heard import Heard

CPU = torch.device("cpu")


@pytest.fixture
def few(digits: Dataset) -> Dataset:
    return first_of(digits, train=250, test=50)


def train(asked: Study, folder: Path, dataset: Dataset, at_once: int = 10) -> Any:
    """Return the run folder, and what was heard while its stacks were trained."""
    run, heard = RunFolder.create(folder, asked), Heard()
    run_stacks(Setting(run, dataset, CPU, "float32"), plan(run, dataset), heard, at_once)
    return run, heard.lines


def finished(run: RunFolder) -> list[tuple[str, int]]:
    return [(each.entrant, each.seed) for each in run.read_records()]


def test_the_seeds_of_an_entrant_train_together_one_entrant_after_the_other(
    few: Dataset, tmp_path: Path
) -> None:
    asked = study(entrant("a", epochs=2), entrant("b", epochs=1), validation=50, seeds=2)
    run, heard = train(asked, tmp_path / "run", few)
    assert heard == [
        *("a 0 started", "a 1 started"),
        *("a 0 epoch 1", "a 1 epoch 1", "a 0 epoch 2", "a 1 epoch 2"),
        *("a 0 ended", "a 1 ended"),
        *("b 0 started", "b 1 started"),
        *("b 0 epoch 1", "b 1 epoch 1"),
        *("b 0 ended", "b 1 ended"),
    ]
    assert finished(run) == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]


def test_the_outcome_of_a_trial_is_that_of_one_alone_but_for_its_times(
    few: Dataset, tmp_path: Path
) -> None:
    asked = study(entrant("a", architecture="mlp-2x200", epochs=3), validation=50, seeds=2)
    run, _ = train(asked, tmp_path / "run", few)
    for ours in run.read_records():
        alone = run_trial(
            trial_spec(asked, asked.entrant("a"), ours.seed, few, CPU, "float32"), lambda _: None
        )
        theirs = alone.record
        assert (ours.provenance.stacked, theirs.provenance.stacked) == (2, 1)
        assert (ours.stopped, ours.parameters) == (theirs.stopped, theirs.parameters)
        assert ours.validation is not None
        assert theirs.validation is not None
        assert ours.validation.loss == pytest.approx(theirs.validation.loss, rel=1e-4)
        assert ours.training_seconds > 0
        weights = from_safetensors(run.read_weights("a", ours.seed), "w")
        assert weights.keys() == alone.weights.keys()
        for name, weight in weights.items():
            assert torch.allclose(weight, alone.weights[name], rtol=1e-3, atol=1e-5)
        predictions = run.read_predictions("a", ours.seed)
        assert predictions.keys() == alone.predictions.keys()
        same = predictions["validation_index"] == alone.predictions["validation_index"]
        assert same.all()
        assert abs(predictions["test_logits"] - alone.predictions["test_logits"]).max() < 1e-3


def test_no_more_seeds_train_together_than_memory_is_meant_for(
    few: Dataset, tmp_path: Path
) -> None:
    asked = study(entrant("a", epochs=1), validation=50, seeds=5)
    run, heard = train(asked, tmp_path / "run", few, at_once=2)
    assert heard[:4] == ["a 0 started", "a 1 started", "a 0 epoch 1", "a 1 epoch 1"]
    assert {each.provenance.stacked for each in run.read_records()} == {2}
    # The fifth has no other beside it.
    assert finished(run) == [("a", seed) for seed in range(4)]


def test_a_trial_is_written_while_others_of_its_stack_go_on(few: Dataset, tmp_path: Path) -> None:
    one = entrant("a", epochs=20, learning_rate=0.01, target_validation_accuracy=0.7)
    run, heard = train(study(one, validation=100, seeds=4), tmp_path / "run", few)
    ended = [heard.index(f"a {seed} ended") for seed in range(4)]
    assert any("epoch" in line for line in heard[min(ended) : max(ended)])
    assert {each.stopped.reason for each in run.read_records()} == {"target reached"}


def is_held(file: Place) -> bool:
    with locks.held_if_free(file) as ours:
        return not ours


def test_a_finished_trial_and_one_begun_alone_are_not_locked_by_a_stack(
    few: Dataset, tmp_path: Path
) -> None:
    asked = study(entrant("a", epochs=1), validation=50, seeds=3)
    run = RunFolder.create(tmp_path / "run", asked)
    run.unfinished("a", 1).path.mkdir(parents=True)
    held: list[list[int]] = []

    class Curious(Heard):
        def trial_ended(self, trial: PlannedTrial, record: Record) -> None:
            held.append([seed for seed in range(3) if is_held(run.lock("a", seed))])

    planned = plan(run, few)
    run_stacks(Setting(run, few, CPU, "float32"), planned, Curious())
    assert held == [[2], []]


def test_what_others_hold_and_what_was_begun_alone_is_left(few: Dataset, tmp_path: Path) -> None:
    asked = study(entrant("a", epochs=1), validation=50, seeds=5)
    run = RunFolder.create(tmp_path / "run", asked)
    run.unfinished("a", 1).path.mkdir(parents=True)
    planned = plan(run, few)
    run.write_trial(*whole(asked, "a", 2))
    heard = Heard()
    with locks.held(run.lock("a", 0)):
        run_stacks(Setting(run, few, CPU, "float32"), planned, heard)
    assert finished(run) == [("a", 2), ("a", 3), ("a", 4)]
    assert heard.lines[:2] == ["a 3 started", "a 4 started"]


def test_a_stack_holds_the_locks_of_its_trials(
    few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = study(entrant("a", epochs=1), validation=50, seeds=2)
    files = [RunFolder(tmp_path / "run", asked).lock("a", seed) for seed in (0, 1)]
    seen: list[bool] = []

    def watched(*arguments: Any) -> Iterator[Any]:
        seen.extend(is_held(file) for file in files)
        yield from run_stack(*arguments)

    monkeypatch.setattr(stacked, "run_stack", watched)
    run, _ = train(asked, tmp_path / "run", few)
    assert seen == [True, True]
    assert not any(is_held(file) for file in files)
    assert len(finished(run)) == 2


def test_what_no_stack_trained_is_trained_one_by_one(few: Dataset, tmp_path: Path) -> None:
    asked = study(entrant("a", epochs=1), validation=50, seeds=3)
    run, heard = RunFolder.create(tmp_path / "run", asked), Heard()
    planned = plan(run, few)
    run.unfinished("a", 1).path.mkdir(parents=True)
    run_stacked(Setting(run, few, CPU, "float32"), planned, heard)
    assert heard.lines[-3:] == ["a 1 started", "a 1 epoch 1", "a 1 ended"]
    assert [line for line in heard.lines if line.endswith("elsewhere")] == []
    assert [r.provenance.stacked for r in run.read_records()] == [2, 1, 2]


class Branching(nn.Linear):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs = super().forward(inputs.flatten(1))
        return outputs if bool(outputs.sum() > 0) else outputs * 2


def test_a_network_that_cannot_be_stacked_is_left_and_the_reason_said(
    few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ARCHITECTURES, "branching", lambda _, classes: Branching(64, classes))
    asked = study(entrant("b", architecture="branching", epochs=1), validation=50, seeds=2)
    run, heard = train(asked, tmp_path / "run", few)
    [line] = heard
    assert line.startswith(
        "b cannot be stacked, so it trains one by one: vmap: It looks like you're either"
    )
    assert len(line) < 250
    assert finished(run) == []


def test_a_stack_that_does_not_fit_into_memory_trains_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(specs: Sequence[TrialSpec], _: Any) -> Iterator[Any]:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        yield specs

    monkeypatch.setattr(stacked, "run_stack", full)
    asked, heard = study(entrant("a", epochs=1), seeds=2), Heard()
    baked = run_study(
        asked, tmp_path / "run", device="cpu", precision="float32", stack=True, listener=heard
    )
    assert "a: 2 seeds at once do not fit into memory, so they train one by one" in heard.lines
    assert [(r.status, r.provenance.stacked) for r in baked.folder.read_records()] == [
        ("complete", 1)
    ] * 2


def test_another_error_in_a_stack_is_not_taken_for_a_lack_of_memory(
    few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Iterator[Any]:
        raise RuntimeError("something else")

    monkeypatch.setattr(stacked, "run_stack", broken)
    with pytest.raises(RuntimeError, match=r"^something else$"):
        train(study(entrant("a", epochs=1), seeds=2), tmp_path / "run", few)


def test_a_whole_study_can_be_run_stacked_and_goes_on_where_it_was(tmp_path: Path) -> None:
    asked = study(entrant("a", epochs=1), entrant("b", epochs=1), seeds=2)
    baked = run_study(asked, tmp_path / "run", device="cpu", precision="float32", stack=True)
    assert baked.trained == 4
    records = baked.folder.read_records()
    assert [r.provenance.stacked for r in records] == [2] * 4
    more = asked.model_copy(update={"seeds": 3})
    again = run_study(more, tmp_path / "run", device="cpu", precision="float32")
    assert again.trained == 2
    assert sorted(r.provenance.stacked for r in again.folder.read_records()) == [1, 1, 2, 2, 2, 2]


def test_a_record_from_before_stacks_is_one_of_a_trial_alone() -> None:
    old = record(study(), "linear").model_dump(mode="json")
    del old["provenance"]["stacked"]
    assert Record.model_validate_json(json.dumps(old)).provenance.stacked == 1


def test_what_cannot_be_stacked_in_the_runs_precision_trains_one_by_one(
    few: Dataset, tmp_path: Path
) -> None:
    asked = study(entrant("a", "cnn-3conv", epochs=1), validation=50, seeds=2)
    run, heard = RunFolder.create(tmp_path / "run", asked), Heard()
    run_stacked(Setting(run, few, CPU, "bfloat16"), plan(run, few), heard)
    # Where this torch can normalise bfloat16 in a stack, it may.
    alone = [line for line in heard.lines if "cannot be stacked, so it trains one by one" in line]
    assert alone or all(each.provenance.stacked == 2 for each in run.read_records())
    assert finished(run) == [("a", 0), ("a", 1)]
