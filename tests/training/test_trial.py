from __future__ import annotations

import dataclasses
import itertools
import platform
import threading
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bakeoff.data.dataset import Dataset
from bakeoff.networks.catalogue import ARCHITECTURES
from bakeoff.records.record import Epoch, Record
from bakeoff.study.protocol import Protocol
from bakeoff.study.study import Entrant, Study
from bakeoff.training.fit import Streams
from bakeoff.training.run_trial import run_trial
from bakeoff.training.scores import score
from bakeoff.training.timing_pass import measure_timing, milliseconds_per_image
from bakeoff.training.trial import Trial, build_entrant, examples_of, pixels_of

from ..factories import entrant, first_of, study, trial_spec

CPU = torch.device("cpu")
DROPOUT = entrant("drop", "cnn-2conv-dropout", epochs=2)
BIG = entrant("big", "mlp-2x200", epochs=2)
LINEAR = entrant("linear", epochs=2)
CONVOLUTION = entrant("convolution", "cnn-1conv", epochs=1)
DIVERGING = entrant("wild", "mlp-2x200", epochs=3, learning_rate=1e30)
STUDY = study(DROPOUT, BIG, LINEAR, DIVERGING, validation=60)


@pytest.fixture(scope="module")
def few(digits: Dataset) -> Dataset:
    return first_of(digits, train=260, test=90)


def run(
    few: Dataset, of: Entrant, seed: int = 0, precision: str = "float32", asked: Study = STUDY
) -> Trial:
    return run_trial(trial_spec(asked, of, seed, few, CPU, precision), lambda _: None)


TIMES = {"seconds", "processor_seconds", "others", "training_seconds", "started"}


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: without_times(part)
            for key, part in value.items()
            if key not in TIMES and not key.startswith("milliseconds")
        }
    if isinstance(value, list | tuple):
        return [without_times(part) for part in value]
    return value


def same_but_for_times(left: Record, right: Record) -> bool:
    return bool(without_times(left.model_dump()) == without_times(right.model_dump()))


def test_two_runs_of_a_trial_leave_the_same_weights_logits_and_record(few: Dataset) -> None:
    one = run(few, DROPOUT)
    torch.rand(5)
    np.random.default_rng().random()
    two = run(few, DROPOUT)
    assert same_but_for_times(one.record, two.record)
    assert one.weights.keys() == two.weights.keys()
    assert all(torch.equal(one.weights[name], two.weights[name]) for name in one.weights)
    for name, array in one.predictions.items():
        np.testing.assert_array_equal(array, two.predictions[name])


def test_another_seed_or_entrant_name_is_another_trial(few: Dataset) -> None:
    weights = [
        run(few, LINEAR, seed=0).weights["1.weight"],
        run(few, LINEAR, seed=1).weights["1.weight"],
        run(few, LINEAR.model_copy(update={"name": "other"})).weights["1.weight"],
    ]
    assert not torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_trial_leaves_the_global_random_states_alone(few: Dataset) -> None:
    before, legacy = torch.random.get_rng_state(), str(np.random.get_state())  # noqa: NPY002
    run(few, DROPOUT)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert str(np.random.get_state()) == legacy  # noqa: NPY002


class Strange(nn.Module):
    """Draws in every way that the engine has no layer of its own for."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.noise = nn.Parameter(torch.randn(64))
        self.output = nn.Linear(64, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        rows = images.flatten(1)
        if self.training:
            rows = F.dropout(rows + 0.1 * torch.rand_like(rows) * self.noise, 0.3)
        outputs: torch.Tensor = self.output(rows)
        return outputs


def test_another_thread_may_draw_and_seed_all_the_time(
    few: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ARCHITECTURES, "strange", lambda _, classes: Strange(classes))
    networks = [entrant(name, name, epochs=3) for name in ("strange", "cnn-2conv-dropout")]
    asked = study(*networks, validation=60)
    alone = [run(few, each, asked=asked) for each in networks]
    over, moved, rounds = threading.Event(), [], itertools.count()

    def stream(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return torch.cat([torch.rand(3) for _ in range(50)])

    expected = [stream(seed) for seed in range(5)]

    def draw() -> None:
        while not over.is_set():
            seed = next(rounds) % 5
            if not stream(seed).equal(expected[seed]):
                moved.append(seed)

    thread = threading.Thread(target=draw)
    thread.start()
    beside = [run(few, each, asked=asked) for each in networks]
    over.set()
    thread.join()
    assert next(rounds) > 5
    assert moved == []
    for one, other in zip(alone, beside, strict=True):
        assert all(other.weights[name].equal(value) for name, value in one.weights.items())


def test_the_record_says_what_was_trained(few: Dataset) -> None:
    heard: list[Epoch] = []
    trial = run_trial(trial_spec(STUDY, DROPOUT, 3, few, CPU, "float32"), heard.append)
    record = trial.record
    assert (record.study, record.entrant, record.seed) == ("tiny", "drop", 3)
    assert (record.architecture, record.recipe) == ("cnn-2conv-dropout", DROPOUT.recipe)
    assert (record.status, record.trouble) == ("complete", None)
    assert record.epochs == tuple(heard)
    assert record.training_seconds == sum(epoch.seconds for epoch in heard)
    assert record.parameters == sum(value.numel() for value in trial.weights.values())
    assert record.provenance.study_hash == STUDY.hash
    assert record.provenance.data_hash == few.sha256
    assert (record.provenance.device, record.provenance.precision) == ("cpu", "float32")
    assert record.provenance.threads == torch.get_num_threads()
    assert record.provenance.versions.keys() == {
        "python", "bakeoff", "torch", "numpy", "scipy", "scikit-learn",
    }  # fmt: skip


def test_the_scores_are_those_of_the_saved_weights(few: Dataset) -> None:
    trial = run(few, DROPOUT)
    model = build_entrant(STUDY, DROPOUT, 0, few, CPU)
    model.load_state_dict(trial.weights)
    model.eval()
    with torch.inference_mode():
        logits = model(torch.from_numpy(few.test_images) / 255).numpy()
    np.testing.assert_allclose(trial.predictions["test_logits"], logits, rtol=1e-4, atol=1e-5)
    test_logits = trial.predictions["test_logits"].astype(np.float32)
    assert trial.record.test == score(test_logits, few.test_labels)
    validation_logits = trial.predictions["validation_logits"].astype(np.float32)
    index = trial.predictions["validation_index"].astype(np.int64)
    assert trial.record.validation == score(validation_logits, few.train_labels[index])
    np.testing.assert_array_equal(trial.predictions["validation_labels"], few.train_labels[index])
    np.testing.assert_array_equal(trial.predictions["test_labels"], few.test_labels)
    last = trial.record.epochs[-1]
    assert trial.record.validation.accuracy == pytest.approx(last.validation_accuracy)
    assert trial.record.validation.loss == pytest.approx(last.validation_loss, rel=1e-5)


def test_test_data_change_nothing_but_the_test_scores(few: Dataset) -> None:
    other = dataclasses.replace(few, test_images=255 - few.test_images)
    one, two = run(few, LINEAR), run(other, LINEAR)
    assert torch.equal(one.weights["1.weight"], two.weights["1.weight"])
    assert one.record.validation == two.record.validation
    assert one.record.test != two.record.test


def test_entrants_of_a_seed_share_split_and_order(few: Dataset) -> None:
    one, two = run(few, LINEAR), run(few, BIG)
    np.testing.assert_array_equal(
        one.predictions["validation_index"], two.predictions["validation_index"]
    )
    orders = [Streams(0, 0, name).order(200, epoch=1) for name in ("linear", "big")]
    assert torch.equal(*orders)
    other = run(few, LINEAR, seed=1).predictions["validation_index"]
    assert not np.array_equal(one.predictions["validation_index"], other)


def test_a_diverged_trial_leaves_a_finite_history_and_says_why(few: Dataset) -> None:
    trial = run(few, DIVERGING)
    record = trial.record
    assert record.status == "diverged"
    assert record.trouble == "the loss was not finite in epoch 1, step 2"
    assert (record.stopped.epoch, record.stopped.step) == (1, 2)
    assert record.stopped.reason == "loss not finite"
    assert len(record.epochs) == record.stopped.epoch - 1
    assert (record.validation, record.test, record.cost) == (None, None, None)
    assert trial.predictions == {}
    assert Record.model_validate_json(record.model_dump_json()) == record


def test_scores_are_float32_whatever_precision_trained(few: Dataset) -> None:
    half, full = run(few, CONVOLUTION, precision="bfloat16"), run(few, CONVOLUTION)
    assert half.record.provenance.precision == "bfloat16"
    assert half.predictions["test_logits"].dtype == np.float32
    assert {value.dtype for value in half.weights.values()} == {torch.float32}
    assert not np.array_equal(half.predictions["test_logits"], full.predictions["test_logits"])
    # Logits of bfloat16 have 8 bits: all of them would survive being rounded to it.
    logits = torch.from_numpy(half.predictions["test_logits"])
    assert not torch.equal(logits.bfloat16().float(), logits)


def test_weights_are_contiguous_and_on_the_cpu(few: Dataset) -> None:
    for value in run(few, DROPOUT).weights.values():
        assert value.is_contiguous()
        assert value.device == CPU


def test_pixels_are_scaled_once_or_twice(few: Dataset) -> None:
    once, twice = (pixels_of(Protocol(pixels=p), few, CPU) for p in ("scaled-once", "scaled-twice"))
    assert (once.scale, once.shift) == (1 / 255, None)
    assert twice.scale == pytest.approx(1 / 65025)


def test_standardised_pixels_have_mean_0_and_deviation_1_over_the_training_images() -> None:
    images = np.random.default_rng(0).integers(0, 200, (50, 3, 4, 5), dtype=np.uint8)
    images[:, 2] = 7
    labels = np.zeros(50, dtype=np.int64)
    dataset = Dataset("d", ("a",), images, labels, images[:1] // 2, labels[:1])
    seen = pixels_of(Protocol(pixels="standardised"), dataset, CPU)(torch.from_numpy(images))
    assert seen.dtype == torch.float32
    torch.testing.assert_close(seen.mean((0, 2, 3)), torch.zeros(3), atol=1e-6, rtol=0)
    deviations = seen.std((0, 2, 3), correction=0)
    # A channel that is the same everywhere cannot be spread.
    torch.testing.assert_close(deviations, torch.tensor([1.0, 1.0, 0.0]))


def test_bursts_are_measured_for_every_entrant_and_round(few: Dataset) -> None:
    asked = study(DROPOUT, LINEAR, validation=60)
    before = run(few, LINEAR, asked=asked)
    timing = measure_timing(asked, few, device=CPU, precision="float32", rounds=3, seconds=0.001)
    assert timing is not None
    measured = asdict(timing)
    assert measured.pop("machine") == platform.node()
    for rounds in measured.values():
        assert list(rounds) == ["drop", "linear"]
        assert {len(of_one) for of_one in rounds.values()} == {3}
        assert min(min(of_one) for of_one in rounds.values()) > 0
    after = run(few, LINEAR, asked=asked)
    assert torch.equal(before.weights["1.weight"], after.weights["1.weight"])
    assert same_but_for_times(before.record, after.record)


def test_milliseconds_are_the_median_per_image_without_the_warm_up() -> None:
    # Passes take 9 s (the warm-up), 1 s, 2 s and 6 s.
    ticks = iter([0.0, 9.0, 10.0, 11.0, 20.0, 22.0, 30.0, 36.0])
    model, images = torch.nn.Flatten(), torch.zeros(4, 1, 2, 2)
    assert milliseconds_per_image(model, images, 3, lambda: next(ticks)) == 2000 / 4


def test_images_in_a_file_are_not_copied_and_train_the_same(few: Dataset) -> None:
    mapped = replace(few, mapped=True, train_images=few.train_images.copy())
    mapped.train_images.flags.writeable = False  # As those that lie in a file.
    chosen = np.array([3, 1, 7])
    found = examples_of(mapped, "train", chosen, CPU)
    assert found.images.data_ptr() == mapped.train_images.ctypes.data
    assert found.labels.tolist() == few.train_labels[chosen].tolist()
    ours, theirs = run(mapped, DROPOUT), run(few, DROPOUT)
    for name, value in theirs.weights.items():
        assert torch.equal(ours.weights[name], value)
    for name, array in theirs.predictions.items():
        assert np.array_equal(ours.predictions[name], array)
