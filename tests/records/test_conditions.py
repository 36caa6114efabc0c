"""Whether a trial is of this study, of these data, in this precision: each answer word for word."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.data.split import split_of
from bakeoff.records.conditions import (
    changed_conditions,
    foreign_machine,
    foreign_origin,
    foreign_predictions,
    foreign_record,
)

from ..factories import entrant, provenance, record, study

ASKED = study(entrant("a"), entrant("b"), seeds=2)


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({}, None),
        ({"study_hash": "5" * 64, "data_hash": "0" * 64, "precision": "float32"}, None),
        ({"study_hash": "6" * 64}, "belongs to another study (555555555555); move it away"),
        (
            {"data_hash": "1" * 64},
            "trained on other data; bring those back, or train in another folder",
        ),
        (
            {"precision": "bfloat16"},
            "trained in float32, not bfloat16; give --precision float32 or another --out",
        ),
    ],
)
def test_an_origin_is_asked_for_what_is_given(asked: dict[str, str], complaint: str | None) -> None:
    assert foreign_origin(provenance("5" * 64), **asked) == complaint


def test_a_record_is_that_of_its_place_and_study() -> None:
    made = record(ASKED, "a", 1)
    assert foreign_record(made, "a", 1, ASKED) is None
    assert foreign_record(made, "b", 0, ASKED) == (
        "speaks of a seed 1, not of b seed 0; move it away"
    )
    assert foreign_record(made, "a", 1, study(entrant("a"))) == (
        f"belongs to another study ({ASKED.hash[:12]}); move it away"
    )


def predictions(digits: Dataset) -> dict[str, NDArray[Any]]:
    index = split_of(ASKED, 1, digits).validation
    return {
        "validation_index": index,
        "validation_logits": np.zeros((len(index), 10), np.float32),
        "validation_labels": digits.train_labels[index],
        "test_logits": np.zeros((500, 10), np.float32),
        "test_labels": digits.test_labels,
    }


SPLIT = "trained on another split than seed 1 has here"
VALIDATION = "predictions are of another validation part than digits's"
TEST = "predictions are of another test set than digits's"


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        ("validation_index", lambda array: array[::-1], SPLIT),
        ("validation_index", lambda array: array[:-1], SPLIT),
        ("validation_labels", lambda array: (array + 1) % 10, VALIDATION),
        ("validation_logits", lambda array: array[:, :9], VALIDATION),
        ("test_labels", lambda array: array[::-1], TEST),
        ("test_labels", lambda array: array[:-1], TEST),
        ("test_logits", lambda array: array[:, :9], TEST),
    ],
)
def test_predictions_are_of_the_images_of_their_seed(
    name: str, change: Any, complaint: str, digits: Dataset
) -> None:
    sound = predictions(digits)
    assert foreign_predictions(sound, ASKED, 1, digits) is None
    assert foreign_predictions(sound | {name: change(sound[name])}, ASKED, 1, digits) == complaint


def test_another_seed_has_another_split(digits: Dataset) -> None:
    assert foreign_predictions(predictions(digits), ASKED, 0, digits) == (
        "trained on another split than seed 0 has here"
    )


def test_conditions_that_matter_are_compared() -> None:
    here = provenance("0" * 64)
    assert changed_conditions(here, here) == ()
    later = here.model_copy(
        update={
            "versions": {"bakeoff": "1", "torch": "2"},
            "device": "gpu",
            "started": "later",
            "kernels": "native, gcc 12.2.0",
            "numerics": ("MKL_CBWR=AVX2", "ONEDNN_MAX_CPU_ISA=AVX2"),
        }
    )
    assert changed_conditions(here, later) == (
        "device: cpu then, gpu now",
        "kernels: PyTorch then, native, gcc 12.2.0 now",
        "numerics: the usual then, MKL_CBWR=AVX2, ONEDNN_MAX_CPU_ISA=AVX2 now",
        "bakeoff: 0 then, 1 now",
        "torch: None then, 2 now",
    )


def test_the_reason_for_kernels_of_pytorch_is_no_condition() -> None:
    here = provenance("0" * 64)
    without = here.model_copy(update={"kernels": "PyTorch: gcc failed: a.c:1:1: error: x"})
    asked = here.model_copy(update={"kernels": "PyTorch: BAKEOFF_KERNELS=pytorch"})
    assert changed_conditions(without, asked) == changed_conditions(here, asked) == ()
    native = here.model_copy(update={"kernels": "native, gcc 12.2.0"})
    newer = here.model_copy(update={"kernels": "native, gcc 13.1.0"})
    told = "kernels: native, gcc 12.2.0 then, native, gcc 13.1.0 now"
    assert changed_conditions(native, newer) == (told,)


@pytest.mark.parametrize(
    ("here", "complaint"),
    [
        ({}, None),
        # A build for other hardware, and what may differ between machines.
        ({"versions": {"bakeoff": "1.2", "torch": "2.13.0+cu130", "numpy": "3"}}, None),
        ({"machine": "node7", "device": "NVIDIA H100", "cpu": "another", "threads": 4}, None),
        ({"data_hash": "1" * 64}, "other data than the run was begun with; bring those here"),
        (
            {"versions": {"bakeoff": "1.3", "torch": "2.13.0"}},
            "bakeoff 1.3, and the run was begun with 1.2; install that",
        ),
        (
            {"versions": {"bakeoff": "1.2", "torch": "2.12.1+cpu"}},
            "torch 2.12.1, and the run was begun with 2.13.0; install that",
        ),
    ],
)
def test_a_machine_that_would_train_otherwise_is_foreign(
    here: dict[str, Any], complaint: str | None
) -> None:
    begun = provenance("5" * 64).model_copy(
        update={"versions": {"bakeoff": "1.2", "torch": "2.13.0+cpu", "numpy": "2"}}
    )
    assert foreign_machine(begun, begun.model_copy(update=here)) == complaint
