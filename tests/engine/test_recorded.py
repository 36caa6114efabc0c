from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from bakeoff.data.order import batches
from bakeoff.engine import fast, reseed
from bakeoff.engine.pixels import Pixels
from bakeoff.engine.recorded import WARM_UPS, CudaGraphs, RecordedUpdate, Work, make_step
from bakeoff.engine.step import PlainUpdate, Step, Update
from bakeoff.networks.build import build
from bakeoff.study.recipe import Recipe
from bakeoff.training.optimizers import make_optimizer, make_schedule
from bakeoff.training.stacking.stack import Stack

CPU = torch.device("cpu")
FLOAT32 = torch.autocast("cpu", dtype=torch.bfloat16, enabled=False)


class Tape(CudaGraphs):
    """What a CUDA graph is, on the CPU: records without doing, repeats on the same memory."""

    def __init__(self) -> None:
        self.warm_ups = self.records = self.repeats = 0
        self.loss = torch.empty(0)

    def warm_up(self, work: Work) -> torch.Tensor:
        self.warm_ups += 1
        return work()

    def record(self, work: Work) -> Work:
        self.records += 1

        def repeat() -> torch.Tensor:
            self.repeats += 1
            loss = work()
            if self.loss.shape != loss.shape:
                self.loss = torch.empty_like(loss)
            return self.loss.copy_(loss)

        return repeat


def data(count: int, seeds: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    size = (count,) if seeds is None else (seeds, count)
    images = torch.randint(0, 256, (*size, 1, 8, 8), generator=generator, dtype=torch.uint8)
    return images, torch.randint(0, 10, size, generator=generator)


def network(name: str = "cnn-2conv-dropout", seed: int = 0) -> nn.Module:
    return build(name, (1, 8, 8), 10, initialisation="framework-default", seed=seed)


def train(step: Step, epochs: int = 2) -> list[float]:
    """Take steps on batches of 10 examples and a last one of 5; return their losses."""
    images, labels = data(65)
    order = torch.arange(65)
    taken = [
        step(*batch)
        for _ in range(epochs)
        for batch in batches(images, labels, order, batch_size=10)
    ]
    return [loss.item() for loss in taken]


RECIPES = [
    Recipe(schedule="one-cycle", learning_rate=0.01),
    Recipe(optimizer="adamw", schedule="one-cycle", weight_decay=0.1),
    Recipe(optimizer="sgd", schedule="one-cycle", learning_rate=0.05, weight_decay=0.1),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.optimizer)
def test_a_recorded_step_moves_the_weights_as_an_eager_one(recipe: Recipe) -> None:
    def trained(recorded: Callable[[Update], Update]) -> tuple[list[float], nn.Module]:
        model = network()
        twin = fast(model)
        optimizer = make_optimizer(model, recipe)
        schedule = make_schedule(optimizer, recipe, 7)
        reseed(twin, 4)
        losses = train(
            Step(recorded(PlainUpdate(twin, optimizer, Pixels(1 / 255), FLOAT32)), schedule)
        )
        return losses, model

    tape = Tape()
    eager, one = trained(lambda update: update)
    recorded, other = trained(lambda update: RecordedUpdate(update, 10, tape))
    # The losses that were returned are not overwritten by later steps.
    assert recorded == eager
    assert len(set(recorded)) == 14
    for ours, theirs in zip(other.parameters(), one.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    # Twelve full batches; the two smaller ones ran unrecorded.
    assert (tape.warm_ups, tape.records, tape.repeats) == (WARM_UPS, 1, 12 - WARM_UPS)


def test_the_recording_reads_its_batches_from_the_same_memory() -> None:
    places: list[tuple[int, int]] = []
    sums: list[int] = []

    def update(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        places.append((images.data_ptr(), labels.data_ptr()))
        sums.append(int(images.long().sum() + labels.sum()))
        return torch.zeros(())

    optimizer = make_optimizer(nn.Linear(1, 1), Recipe())
    schedule = make_schedule(optimizer, Recipe(), 10)
    optimizer.step()
    step = Step(RecordedUpdate(update, 10, Tape()), schedule)
    images, labels = data(100)
    expected = []
    for batch in batches(images, labels, torch.arange(100), 10):
        step(*batch)
        expected.append(int(batch[0].long().sum() + batch[1].sum()))
    assert sums == expected
    assert len(set(places[WARM_UPS:])) == 1
    assert places[-1][0] != images.data_ptr()


def test_the_batches_of_a_stack_are_recorded_too() -> None:
    def trained(recorded: Callable[[Update], Update]) -> list[nn.Module]:
        models = [network(seed=seed) for seed in range(2)]
        stack = Stack(models, Recipe(), 7, pixels=Pixels(1 / 255), autocast=FLOAT32)
        step = Step(recorded(stack.update), stack.schedule)
        images, labels = data(65, seeds=2)
        with stack.seeded([5, 6]):
            for chosen in torch.arange(65).split(10):
                step(images[:, chosen], labels[:, chosen])
        for position in range(2):
            stack.write_back(position)
        return models

    tape = Tape()
    eager = trained(lambda update: update)
    recorded = trained(lambda update: RecordedUpdate(update, 10, tape))
    assert (tape.warm_ups, tape.records, tape.repeats) == (WARM_UPS, 1, 6 - WARM_UPS)
    for one, other in zip(eager, recorded, strict=True):
        for theirs, ours in zip(one.parameters(), other.parameters(), strict=True):
            assert torch.equal(ours, theirs)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.optimizer)
def test_a_schedule_writes_into_a_rate_that_is_a_tensor(recipe: Recipe) -> None:
    def trained(model: nn.Module, as_tensor: bool) -> list[float]:
        optimizer = make_optimizer(model, recipe)
        rate = torch.tensor(recipe.learning_rate)
        if as_tensor:
            optimizer.param_groups[0]["lr"] = rate
        schedule = make_schedule(optimizer, recipe, 7)
        losses = train(Step(PlainUpdate(model, optimizer, Pixels(1 / 255), FLOAT32), schedule))
        assert (optimizer.param_groups[0]["lr"] is rate) == as_tensor
        # Else the schedule would compute on the device and wait for the result.
        assert type(schedule.base_lrs[0]) is float
        return losses

    model = network("mlp-2x200")
    assert trained(model, as_tensor=True) == pytest.approx(
        trained(network("mlp-2x200"), as_tensor=False), rel=1e-5
    )


def test_a_cpu_steps_eagerly() -> None:
    optimizer = make_optimizer(nn.Linear(1, 1), Recipe())
    schedule = make_schedule(optimizer, Recipe(), 1)

    def update(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return torch.empty(0)

    assert make_step(update, schedule, 1, CPU).update is update
