"""An interrupted training goes on as if nothing had happened: to the last bit."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import operator
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from bakeoff.data.dataset import Dataset
from bakeoff.engine.devices import place
from bakeoff.engine.pixels import Pixels
from bakeoff.engine.step import Step, Update, make_update
from bakeoff.errors import StoreError
from bakeoff.files.place import Place
from bakeoff.networks.build import build
from bakeoff.records.checkpoints import Checkpoint, Checkpoints, decode, encode
from bakeoff.records.record import Epoch, Provenance, Resumed
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Study
from bakeoff.training import finish
from bakeoff.training import run_trial as running
from bakeoff.training import trial as start
from bakeoff.training.clocks import Clocks, Taken
from bakeoff.training.fit import EpochPart, Streams, fit
from bakeoff.training.memory import is_out_of_memory
from bakeoff.training.moving import Moving
from bakeoff.training.provenance import provenance as made_here
from bakeoff.training.run_trial import run_trial
from bakeoff.training.trial import Trial, TrialSpec, to_device

from ..factories import entrant, first_of, provenance, study, trial_spec
from .test_trial import same_but_for_times

pytestmark = pytest.mark.usefixtures("checkpoint_each_epoch")
CPU = torch.device("cpu")
EPOCHS = 4


Start = tuple[Sequence[Epoch], dict[str, torch.Tensor] | None]
"""History and state that a training goes on from."""

FROM_THE_BEGINNING: Start = ((), None)


class KilledError(Exception):
    """Stands for the end of the process."""


def same(left: Any, right: Any) -> bool:
    """Return whether two nested states are the same to the bit, layout included."""
    if isinstance(left, torch.Tensor):
        return bool(
            left.dtype == right.dtype and left.stride() == right.stride() and left.equal(right)
        )
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def same_numbers(left: Mapping[str, torch.Tensor], right: Mapping[str, torch.Tensor]) -> bool:
    """Return whether two states are the same to the bit, however they lie in memory."""
    return left.keys() == right.keys() and all(
        left[name].dtype == right[name].dtype and left[name].equal(right[name]) for name in left
    )


def copied(moving: Moving) -> dict[str, torch.Tensor]:
    """Return the state as it is now, by way of the bytes of a checkpoint."""
    kept = Checkpoint((), provenance("0" * 64), state=moving.state())
    return dict(decode(encode(kept, "it"), "it").state)


def weights(state: Mapping[str, torch.Tensor] | None) -> dict[str, torch.Tensor]:
    """Return the network's part of a state."""
    assert state is not None
    parts = {name: value for name, value in state.items() if name.startswith("model.")}
    return {name.removeprefix("model."): value for name, value in parts.items()}


def trained(
    data: Dataset,
    recipe: Recipe,
    precision: str,
    start: Start,
    keep: Callable[[Sequence[Epoch], Moving, EpochPart | None], None],
) -> nn.Module:
    network = build("cnn-2conv-dropout", (1, 8, 8), 10, initialisation="framework-default", seed=3)
    model = place(network, CPU)
    images, labels = data.train_images, data.train_labels
    first, rest = torch.arange(120).numpy(), torch.arange(120, 170).numpy()
    fit(
        model,
        recipe,
        to_device(images, labels, first, CPU),
        to_device(images, labels, rest, CPU),
        Streams(1, 2, "e"),
        pixels=Pixels(1 / 255),
        autocast=torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"),
        on_epoch=lambda _: None,
        before=start[0],
        state=start[1],
        keep=keep,
    )
    return model


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_state_after_a_resume_at_any_epoch_is_that_without_one(
    optimizer: Any, precision: str, digits: Dataset
) -> None:
    recipe = Recipe(
        optimizer=optimizer, schedule="one-cycle", weight_decay=0.01, batch_size=50, epochs=EPOCHS
    )
    states: list[dict[str, torch.Tensor]] = []
    histories: list[tuple[Epoch, ...]] = []

    def note(history: Sequence[Epoch], moving: Moving, _: EpochPart | None) -> None:
        histories.append(tuple(history))
        states.append(copied(moving))

    trained(digits, recipe, precision, FROM_THE_BEGINNING, note)
    whole, last = histories[-1], states[-1]
    assert len(states) == EPOCHS
    assert not same(states[0], states[1])
    for epoch in range(1, EPOCHS):
        before = len(states)
        start = (histories[epoch - 1], states[epoch - 1])
        model = trained(digits, recipe, precision, start, note)
        assert len(states) - before == EPOCHS - epoch
        assert same(states[-1], last)
        assert same_numbers(dict(model.state_dict()), weights(last))
        assert without_seconds(histories[-1]) == without_seconds(whole)


def without_seconds(history: Sequence[Epoch]) -> list[Epoch]:
    times = {"seconds": 0.0, "processor_seconds": 0.0, "others": None}
    return [epoch.model_copy(update=times) for epoch in history]


def test_losing_the_optimizer_would_be_seen(digits: Dataset) -> None:
    """The test of the test above: a resume that forgets something does not come out the same."""
    recipe = Recipe(batch_size=50, epochs=2)
    states: list[dict[str, torch.Tensor]] = []
    histories: list[tuple[Epoch, ...]] = []

    def note(history: Sequence[Epoch], moving: Moving, _: EpochPart | None) -> None:
        histories.append(tuple(history))
        states.append(copied(moving))

    trained(digits, recipe, "float32", FROM_THE_BEGINNING, note)
    forgetful = copy.deepcopy(states[0])
    for name, values in forgetful.items():
        if name.startswith("exp_avg."):
            values.zero_()
    trained(digits, recipe, "float32", (histories[0], forgetful), note)
    assert not same(states[-1], states[1])


def test_a_training_that_was_at_its_end_takes_no_further_step(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(batch_size=50, epochs=1)
    starts: list[Start] = []
    trained(
        digits, recipe, "float32", FROM_THE_BEGINNING,
        lambda history, moving, _: starts.append((tuple(history), copied(moving))),
    )  # fmt: skip
    monkeypatch.setattr(Step, "__call__", lambda *_: pytest.fail("a step"))
    model = trained(digits, recipe, "float32", starts[0], lambda *_: pytest.fail("an epoch"))
    assert same_numbers(dict(model.state_dict()), weights(starts[0][1]))


def begun(
    name: str = "mlp-2x200", optimizer: Any = "adam", epochs: int = 0, **recipe: Any
) -> Moving:
    """Return what moves in a training of 4 steps an epoch, after so many epochs of 8 x 8 images."""
    network = build(name, (1, 8, 8), 10, initialisation="framework-default", seed=0)
    model = place(network, CPU)
    moving = Moving.of(model, Recipe(optimizer=optimizer, **recipe), 4)
    autocast = torch.autocast("cpu", enabled=False)
    update = make_update(model, moving.optimizer, Pixels(1 / 255), autocast)
    images = torch.arange(5 * 64, dtype=torch.uint8).reshape(5, 1, 8, 8)
    for _ in range(4 * epochs):
        update(images, torch.arange(5))
        moving.schedule.step()
    return moving


@pytest.mark.parametrize("schedule", ["constant", "one-cycle"])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("name", ["mlp-2x200", "cnn-2conv", "cnn-3conv"])
def test_what_was_left_is_taken_up_to_the_last_bit(
    name: str, optimizer: Any, schedule: Any
) -> None:
    after_two = copied(begun(name, optimizer, 2, schedule=schedule))
    fresh = begun(name, optimizer, schedule=schedule)
    assert fresh.misfit(after_two, 8) is None
    fresh.restore(after_two, 8)
    assert same(copied(fresh), after_two)
    assert same(layout(fresh), layout(begun(name, optimizer, 2, schedule=schedule)))


def layout(moving: Moving) -> dict[str, Any]:
    """Return how all that moves lies in memory, and what the rates and counters are."""
    groups = moving.optimizer.state_dict()["param_groups"]
    strides = {name: value.stride() for name, value in moving.state().items()}
    return {"groups": groups, "schedule": moving.schedule.state_dict(), "strides": strides}


Spoil = Callable[[dict[str, torch.Tensor]], object]


def change(name: str, value: torch.Tensor) -> Spoil:
    """Return what sets one part of a state."""
    return lambda state: operator.setitem(state, name, value)


def drop(*starts: str) -> Spoil:
    """Return what takes parts out of a state, by how their names start."""

    def take_out(state: dict[str, torch.Tensor]) -> None:
        for name in [each for each in state if each.startswith(starts)]:
            del state[name]

    return take_out


RIGHT = "float32 [200, 64]"


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (drop("model."), "model.1.weight is missing"),
        (drop("model.3.bias"), "model.3.bias is missing"),
        (change("model.extra", torch.ones(1)), "model.extra is no part"),
        (change("model.1.weight", torch.ones(5)), f"model.1.weight is float32 [5], not {RIGHT}"),
        (
            change("model.1.weight", torch.full((200, 64), float("nan"))),
            "model.1.weight holds what is not a number",
        ),
        (
            change("exp_avg.1.weight", torch.ones(5)),
            f"exp_avg.1.weight is float32 [5], not {RIGHT}",
        ),
        (
            change("exp_avg.1.weight", torch.ones(200, 64).double()),
            "exp_avg.1.weight is float64 [200, 64], not " + RIGHT,
        ),
        (
            change("exp_avg.1.weight", torch.ones(64, 200)),
            "exp_avg.1.weight is float32 [64, 200], not " + RIGHT,
        ),
        (
            change("exp_avg_sq.1.weight", torch.full((200, 64), -1.0)),
            "exp_avg_sq.1.weight holds a number below zero",
        ),
        (drop("exp_avg.1.weight"), "exp_avg.1.weight is missing"),
        (drop("step.", "exp_avg"), "step.1.weight is missing"),
        (drop("step.1.weight", "exp_avg.1.weight"), "step.1.weight is missing"),
        (change("exp_avg.9.weight", torch.ones(1)), "exp_avg.9.weight is no part"),
        (change("lr.1.weight", torch.ones(1)), "lr.1.weight is no part"),
        (change("step.1.weight", torch.tensor(-1.0)), "step.1.weight is -1.0 after 8 steps"),
        (change("step.1.weight", torch.tensor(7.5)), "step.1.weight is 7.5 after 8 steps"),
        (change("step.1.weight", torch.tensor(9.0)), "step.1.weight is 9.0 after 8 steps"),
        (change("step.1.weight", torch.ones(1)), "step.1.weight is float32 [1], not float32 []"),
    ],
)
def test_a_state_that_this_training_never_left_is_named(spoil: Spoil, complaint: str) -> None:
    state = copied(begun(epochs=2))
    spoil(state)
    assert begun().misfit(state, 8) == complaint


def test_what_a_training_leaves_fits_itself_and_what_it_cannot_leave_does_not() -> None:
    """As it is asked before a checkpoint is written."""
    moving = begun("cnn-2conv", epochs=2)
    assert moving.misfit(moving.state(), 8) is None
    assert moving.misfit(moving.state(), 12) == "no weight has taken all 12 steps"
    with torch.no_grad():
        next(moving.model.parameters()).view(-1)[7] = float("nan")
    complaint = moving.misfit(moving.state(), 8)
    assert complaint is not None
    assert complaint.endswith("holds what is not a number")


def test_counts_of_steps_agree_with_the_history() -> None:
    state = copied(begun(epochs=2))
    for name, values in state.items():
        if name.startswith("step."):
            values.fill_(7)
    assert begun().misfit(state, 8) == "no weight has taken all 8 steps"


def test_a_state_of_another_network_or_optimizer_is_refused() -> None:
    for other in (begun("logistic-regression", epochs=1), begun(optimizer="sgd", epochs=1)):
        assert begun().misfit(copied(other), 4) is not None


def test_a_weight_that_is_not_used_has_no_moments() -> None:
    def moving(epochs: int) -> Moving:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        model.register_parameter("unused", nn.Parameter(torch.ones(3)))
        found = Moving.of(model, Recipe(), 1)
        for _ in range(epochs):
            model(torch.ones(2, 64)).sum().backward()
            found.optimizer.step()
            found.schedule.step()
        return found

    with torch.random.fork_rng():
        state = copied(moving(1))
        assert len(state) == 3 + 2 * 3
        assert moving(0).misfit(state, 1) is None
        fresh = moving(0)
        fresh.restore(state, 1)
        assert same(copied(fresh), state)
        state["model.unused"] += 1
        assert moving(0).misfit(state, 1) == "step.unused is missing"


# A whole trial

DROP = entrant("drop", "cnn-2conv-dropout", epochs=3)
STUDY = study(DROP, entrant("plain", epochs=3), validation=60)


@pytest.fixture(scope="module")
def few(digits: Dataset) -> Dataset:
    return first_of(digits, train=260, test=90)


def spec(few: Dataset, precision: str = "float32", of: Study = STUDY) -> TrialSpec:
    return trial_spec(of, of.entrants[0], 0, few, CPU, precision)


def kept(path: Path) -> Checkpoints:
    return Checkpoints(Place(path), pytest.fail)


def interrupted(of: TrialSpec, path: Path, after: int) -> None:
    """Run a trial that dies in the epoch after `after`, of which nothing is kept."""

    def die(epoch: Epoch) -> None:
        if epoch.epoch == after:
            raise KilledError

    with pytest.raises(KilledError):
        run_trial(of, die, kept(path))


def identical(left: Trial, right: Trial) -> bool:
    return (
        same_but_for_times(left.record, right.record)
        and same(left.weights, right.weights)
        and left.predictions.keys() == right.predictions.keys()
        and all(
            (left.predictions[name] == right.predictions[name]).all() for name in left.predictions
        )
    )


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_trial_interrupted_after_every_epoch_ends_as_one_that_was_not(
    precision: str, few: Dataset, tmp_path: Path
) -> None:
    whole = run_trial(spec(few, precision), lambda _: None)
    for after in (1, 2, 3):
        interrupted(spec(few, precision), tmp_path, after)
        torch.rand(3)
    heard: list[tuple[int, int]] = []
    resumed = run_trial(
        spec(few, precision), lambda _: None, kept(tmp_path), lambda *stands: heard.append(stands)
    )
    assert heard == [(3, 0)]
    assert identical(resumed, whole)
    assert resumed.record.provenance.resumed == ()


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (
            {"state": change("exp_avg.conv1.weight", torch.ones(5))},
            "not of this network and optimizer: exp_avg.conv1.weight is float32 [5], not float32 "
            "[32, 1, 5, 5]",
        ),
        ({"history": {"epoch": 4}}, "not a checkpoint of this version"),
        ({"history": {"validation_accuracy": 9.9}}, "not a checkpoint of this version"),
        ({"origin": {"cpu": "\x1b[2J"}}, "not a checkpoint of this version"),
    ],
)
def test_a_forged_checkpoint_is_named_and_the_one_before_it_taken(
    spoil: dict[str, Any],
    complaint: str,
    few: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = run_trial(spec(few), lambda _: None)
    interrupted(spec(few), tmp_path, 2)
    newest = sorted(tmp_path.iterdir())[-1]
    read = decode(newest.read_bytes(), "it")
    newest.unlink()
    if "state" in spoil:
        spoil["state"](read.state)
    last = read.history[-1].model_copy(update=spoil.get("history"))
    forged = dataclasses.replace(
        read,
        history=(*read.history[:-1], last),
        origin=read.origin.model_copy(update=spoil.get("origin")),
    )
    with monkeypatch.context() as forger:
        forger.setattr("bakeoff.records.checkpoints._header_in", lambda *_: None)
        kept(tmp_path).write(forged)
    newest = sorted(tmp_path.iterdir())[-1]
    said: list[str] = []
    heard: list[tuple[int, int]] = []
    store = Checkpoints(Place(tmp_path), said.append)
    resumed = run_trial(spec(few), lambda _: None, store, lambda *stands: heard.append(stands))
    assert said == [f"{newest}: {complaint}; going back to the checkpoint before it"]
    assert heard == [(1, 0)]
    assert identical(resumed, whole)


def test_a_history_that_goes_on_where_training_ends_is_not_gone_on_from(
    few: Dataset, tmp_path: Path
) -> None:
    interrupted(spec(few), tmp_path, 3)
    shorter = study(entrant("drop", "cnn-2conv-dropout", epochs=2), validation=60)
    (newest, read) = kept(tmp_path).newest() or pytest.fail("nothing kept")
    origin = read.origin.model_copy(update={"study_hash": shorter.hash})
    newest.unlink()
    kept(tmp_path).write(dataclasses.replace(read, origin=origin))
    said: list[str] = []
    store = Checkpoints(Place(tmp_path), said.append)
    with pytest.raises(StoreError, match=r"belongs to another study"):
        run_trial(spec(few, of=shorter), lambda _: None, store)
    assert len(said) == 1
    assert "its history goes on where training ends" in said[0]


def test_seconds_before_the_interruption_count(few: Dataset, tmp_path: Path) -> None:
    interrupted(spec(few), tmp_path, 2)
    found = kept(tmp_path).newest()
    assert found is not None
    seconds = [epoch.seconds for epoch in found[1].history]
    record = run_trial(spec(few), lambda _: None, kept(tmp_path)).record
    assert [epoch.seconds for epoch in record.epochs[:2]] == seconds
    assert record.training_seconds == sum(epoch.seconds for epoch in record.epochs)
    assert record.provenance.started == found[1].origin.started


def elsewhere(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> None:

    def other(**asked: Any) -> Provenance:
        return made_here(**asked).model_copy(update=changed)

    monkeypatch.setattr(running, "provenance", other)


def test_a_resume_under_other_conditions_is_in_the_record(
    few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as other:
        elsewhere(other, threads=64, cpu="a faster one")
        interrupted(spec(few), tmp_path, 1)
    interrupted(spec(few), tmp_path, 2)
    record = run_trial(spec(few), lambda _: None, kept(tmp_path)).record
    here = record.provenance
    told = (f"cpu: a faster one then, {here.cpu} now", f"threads: 64 then, {here.threads} now")
    assert here.resumed == (Resumed(epoch=1, differs=told),)
    assert '"bit_identical":false' in record.model_dump_json()
    assert type(record).model_validate_json(record.model_dump_json()) == record


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"study_hash": "a" * 64}, "belongs to another study (aaaaaaaaaaaa); move it away"),
        (
            {"data_hash": "a" * 64},
            "trained on other data; bring those back, or train in another folder",
        ),
        (
            {"precision": "bfloat16"},
            "trained in bfloat16, not float32; give --precision bfloat16 or another --out",
        ),
    ],
)
def test_a_checkpoint_of_another_training_is_refused_and_kept(
    changed: dict[str, str],
    complaint: str,
    few: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as other:
        elsewhere(other, **changed)
        interrupted(spec(few), tmp_path, 1)
    (file,) = tmp_path.iterdir()
    with pytest.raises(StoreError) as caught:
        run_trial(spec(few), lambda _: None, kept(tmp_path))
    assert str(caught.value) == f"{file}: {complaint}"
    assert list(tmp_path.iterdir()) == [file]


def test_what_others_took_is_remembered_through_an_interruption(
    few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_: Epoch) -> None:
        raise KilledError

    def taken(others: float) -> None:
        monkeypatch.setattr(Clocks, "taken", lambda _: Taken(3.0, 2.0, others))

    taken(0.5)
    with pytest.raises(KilledError):
        run_trial(spec(few), die, kept(tmp_path))
    taken(0.0)
    found = run_trial(spec(few), lambda _: None, kept(tmp_path)).record.epochs
    assert [(each.others, each.lost) for each in found] == [(0.5, 1.0), (0.0, 0.0), (0.0, 0.0)]
    assert [each.processor_seconds for each in found] == [2.0, 2.0, 2.0]


# Trouble inside a trial: two steps an epoch, three epochs

STEPS = 6
WITH_TROUBLE = study(entrant("plain", epochs=3, batch_size=100), validation=60)


Trouble = Callable[[torch.Tensor, nn.Module], Any]
"""(loss of a step, network whose weights it has moved) -> the loss that the training sees."""


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, do: Trouble) -> None:
    """Let the given training step, counted from 1, end in `do`."""
    steps = itertools.count(1)

    def troubled(twin: nn.Module, *rest: Any) -> Update:
        update = make_update(twin, *rest)

        def one(images: torch.Tensor, labels: torch.Tensor) -> Any:
            loss = update(images, labels)
            return do(loss, twin) if next(steps) == step else loss

        return one

    monkeypatch.setattr("bakeoff.training.fit.make_update", troubled)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_a_loss_that_is_not_finite_is_named_by_epoch_and_step(
    step: int, value: float, few: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_step(monkeypatch, step, lambda loss, _: loss * value)
    record = run_trial(spec(few, of=WITH_TROUBLE), lambda _: None).record
    epoch, within = (step + 1) // 2, (step + 1) % 2 + 1
    assert record.status == "diverged"
    assert record.trouble == f"the loss was not finite in epoch {epoch}, step {within}"
    assert (record.stopped.epoch, record.stopped.step) == (epoch, within)
    assert len(record.epochs) == epoch - 1


def test_weights_spoilt_by_the_last_step_are_found_by_validation(
    few: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(loss: torch.Tensor, twin: nn.Module) -> torch.Tensor:
        with torch.no_grad():
            next(twin.parameters()).fill_(float("nan"))
        return loss

    at_step(monkeypatch, 2, spoil)
    record = run_trial(spec(few, of=WITH_TROUBLE), lambda _: None).record
    assert record.trouble == "the validation loss was not finite in epoch 1"
    assert record.stopped.step is None


def no_memory(kind: str) -> Callable[..., Any]:
    error = {
        "gpu": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        "python": MemoryError(),
        "cpu": RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"),
    }[kind]

    def fail(*_: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("kind", ["gpu", "python", "cpu"])
@pytest.mark.parametrize("step", [1, 2, 3, STEPS])
def test_memory_that_runs_out_ends_the_trial_with_its_history(
    step: int, kind: str, few: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_step(monkeypatch, step, no_memory(kind))
    found = run_trial(spec(few, of=WITH_TROUBLE), lambda _: None)
    epoch = (step + 1) // 2
    assert found.record.status == "out_of_memory"
    assert found.record.trouble == f"the memory was used up in epoch {epoch}"
    assert found.record.stopped.reason == "out of memory"
    assert len(found.record.epochs) == epoch - 1
    assert found.record.parameters == 650
    assert (found.weights, found.predictions) == ({}, {})


def test_memory_that_runs_out_before_or_after_training_is_told(
    few: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(start, "build_entrant", no_memory("cpu"))
        early = run_trial(spec(few), lambda _: None).record
    assert early.trouble == "the memory was used up in epoch 1"
    assert early.parameters == spec(few).size.parameters > 0
    monkeypatch.setattr(finish, "score", no_memory("python"))
    late = run_trial(spec(few), lambda _: None).record
    assert late.trouble == "the memory was used up in evaluation after epoch 3"
    assert late.parameters > 0
    assert len(late.epochs) == 3


def test_the_allocator_of_torch_says_what_is_looked_for() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 50)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(RuntimeError("std::bad_alloc"))
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_any_other_error_is_not_hidden(few: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("shapes do not fit")

    at_step(monkeypatch, 1, fail)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        run_trial(spec(few), lambda _: None)
