from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from bakeoff.architectures.catalogue import ARCHITECTURES
from bakeoff.bake import run_study
from bakeoff.data.dataset import Dataset
from bakeoff.progress import PlannedTrial, Silence
from bakeoff.record import Epoch, Record
from bakeoff.runners.stacked import run_stacked
from bakeoff.study import Study
from bakeoff.training.trial import Trial, TrialSpec, run_trial

from ..factories import entrant, first_of, record, study

CPU = torch.device("cpu")


class Heard(Silence):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def trial_started(self, trial: PlannedTrial) -> None:
        self.lines.append(f"{trial.entrant.name} {trial.seed} started")

    def epoch_ended(self, trial: PlannedTrial, epoch: Epoch) -> None:
        self.lines.append(f"{trial.entrant.name} {trial.seed} epoch {epoch.epoch}")

    def stage(self, text: str) -> None:
        self.lines.append(text)


def plan(asked: Study, *trials: tuple[str, int]) -> list[PlannedTrial]:
    return [PlannedTrial(asked.entrant(name), seed, 1.0) for name, seed in trials]


def stacked(
    asked: Study, planned: list[PlannedTrial], dataset: Dataset, heard: Heard, at_once: int = 10
) -> list[tuple[PlannedTrial, Trial]]:
    return list(
        run_stacked(
            asked,
            planned,
            dataset,
            device=CPU,
            precision="float32",
            listener=heard,
            at_once=at_once,
        )
    )


def test_the_seeds_of_an_entrant_train_together_one_entrant_after_the_other(
    digits: Dataset,
) -> None:
    asked = study(entrant("a", epochs=2), entrant("b", epochs=1), validation=50, seeds=2)
    planned = plan(asked, ("a", 0), ("b", 0), ("a", 1), ("b", 1))
    heard = Heard()
    few = first_of(digits, train=150, test=50)
    done = stacked(asked, planned, few, heard)
    assert heard.lines == [
        *("a 0 started", "a 1 started"),
        *("a 0 epoch 1", "a 1 epoch 1", "a 0 epoch 2", "a 1 epoch 2"),
        *("b 0 started", "b 1 started"),
        *("b 0 epoch 1", "b 1 epoch 1"),
    ]
    assert [p for p, _ in done] == [planned[i] for i in (0, 2, 1, 3)]
    for trial_planned, trial in done:
        assert trial.record.entrant == trial_planned.entrant.name
        assert trial.record.seed == trial_planned.seed


def test_the_outcome_of_a_trial_is_that_of_one_alone_but_for_its_times(
    digits: Dataset,
) -> None:
    asked = study(entrant("a", architecture="mlp-2x200", epochs=3), validation=50, seeds=2)
    few = first_of(digits, train=250, test=80)
    planned = plan(asked, ("a", 0), ("a", 1))
    together = stacked(asked, planned, few, Heard())
    for each, ours in together:
        spec = TrialSpec(asked, each.entrant, each.seed, few, CPU, "float32")
        theirs = run_trial(spec, lambda _: None)
        assert (ours.record.contended, theirs.record.contended) == (True, False)
        assert (ours.record.provenance.stacked, theirs.record.provenance.stacked) == (2, 1)
        assert ours.record.stopped == theirs.record.stopped
        assert ours.record.parameters == theirs.record.parameters
        assert ours.record.validation is not None
        assert theirs.record.validation is not None
        assert ours.record.validation.loss == pytest.approx(theirs.record.validation.loss, rel=1e-4)
        assert ours.record.training_seconds > 0
        assert ours.weights.keys() == theirs.weights.keys()
        for name, weight in ours.weights.items():
            assert torch.allclose(weight, theirs.weights[name], rtol=1e-3, atol=1e-5)
        assert ours.predictions.keys() == theirs.predictions.keys()
        assert (
            ours.predictions["validation_index"] == theirs.predictions["validation_index"]
        ).all()
        difference = ours.predictions["test_logits"] - theirs.predictions["test_logits"]
        assert abs(difference).max() < 1e-3


def test_no_more_seeds_train_together_than_memory_is_meant_for(digits: Dataset) -> None:
    asked = study(entrant("a", epochs=1), validation=50, seeds=5)
    planned = plan(asked, *(("a", seed) for seed in range(5)))
    heard = Heard()
    few = first_of(digits, train=150, test=50)
    done = stacked(asked, planned, few, heard, at_once=2)
    assert [(t.record.provenance.stacked, t.record.contended) for _, t in done] == [
        *[(2, True)] * 4,
        (1, False),
    ]
    assert heard.lines[:4] == ["a 0 started", "a 1 started", "a 0 epoch 1", "a 1 epoch 1"]


def test_a_trial_is_handed_on_while_others_of_its_stack_go_on(digits: Dataset) -> None:
    one = entrant("a", epochs=20, learning_rate=0.01, target_validation_accuracy=0.7)
    asked = study(one, validation=100, seeds=4)
    heard = Heard()
    runs = run_stacked(
        asked,
        plan(asked, *(("a", seed) for seed in range(4))),
        first_of(digits, train=400, test=50),
        device=CPU,
        precision="float32",
        listener=heard,
    )
    _, first = next(runs)
    heard_then = len(heard.lines)
    last = [trial for _, trial in runs][-1]
    assert last.record.stopped.epoch > first.record.stopped.epoch
    assert len(heard.lines) > heard_then
    assert {first.record.stopped.reason, last.record.stopped.reason} == {"target reached"}


class Branching(nn.Linear):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs = super().forward(inputs.flatten(1))
        return outputs if bool(outputs.sum() > 0) else outputs * 2


def test_a_network_that_cannot_be_stacked_trains_one_by_one_and_says_so(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ARCHITECTURES, "branching", lambda _, classes: Branching(64, classes))
    asked = study(entrant("b", architecture="branching", epochs=1), validation=50, seeds=2)
    heard = Heard()
    few = first_of(digits, train=150, test=50)
    done = stacked(asked, plan(asked, ("b", 0), ("b", 1)), few, heard)
    assert heard.lines[0].startswith(
        "b cannot be stacked, so it trains one by one: vmap: It looks like you're either"
    )
    assert len(heard.lines[0]) < 250
    assert heard.lines[1:] == ["b 0 started", "b 0 epoch 1", "b 1 started", "b 1 epoch 1"]
    assert [(t.record.provenance.stacked, t.record.contended) for _, t in done] == [(1, False)] * 2


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
    del old["contended"], old["provenance"]["stacked"]
    read = Record.model_validate(old)
    assert (read.contended, read.provenance.stacked) == (False, 1)
