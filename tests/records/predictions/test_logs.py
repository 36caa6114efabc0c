"""Logs of other programs, drawn anew in the form that they have."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bakeoff.errors import BakeoffError
from bakeoff.records.predictions.read import read_predictions
from tests.records.predictions.drawn import TRUTH, A, B, logits, save, table

RIGHT = {"a": (np.array(A) == TRUTH).tolist(), "b": (np.array(B) == TRUTH).tolist()}


def refusal(*paths: Path, **how: Any) -> str:
    with pytest.raises(BakeoffError) as caught:
        read_predictions(paths, **how)
    return str(caught.value)


def right(*paths: Path, **how: Any) -> dict[str, float]:
    found = read_predictions(paths, **how)
    return {
        each.name: round(float(each.correct.mean()), 4)
        for each in found.answers
        if each.correct is not None
    }


def samples(
    file: Path, name: str, filters: Sequence[str] = ("none",), more: dict[str, Any] | None = None
) -> Path:
    """Write samples as lm-evaluation-harness does, one line for each document and filter."""
    lines = []
    for which in filters:
        for at, good in enumerate(RIGHT[name]):
            sample = {
                "doc_id": at,
                "doc": {"question": f"How much is {at} and {at}?", "answer": str(2 * at)},
                "target": str(2 * at),
                "arguments": {"gen_args_0": {"arg_0": "Q:", "arg_1": {"until": ["\n"]}}},
                "resps": [["the answer"]],
                "filtered_resps": ["the answer"],
                "filter": which,
                "metrics": ["exact_match", *(more or {})],
                "doc_hash": f"{at:064x}",
                "exact_match": float(good and which != "strict-match"),
                **(more or {}),
            }
            lines.append(json.dumps(sample))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n")
    return file


STAMP = "2026-01-02T03-04-05.678901"


def test_samples_of_a_harness(tmp_path: Path) -> None:
    files = [
        samples(tmp_path / f"org__{name}" / f"samples_sums_{STAMP}.jsonl", name) for name in "ab"
    ]
    found = read_predictions(files)
    assert [each.name for each in found.answers] == ["org__a", "org__b"]
    assert found.score == "exact_match"
    assert found.understood[0] == (
        "samples of lm-evaluation-harness, task sums: items by doc_id, score from exact_match"
    )
    assert right(*files) == {"org__a": 0.9333, "org__b": 0.8167}
    # The same in a folder of folders.
    assert right(tmp_path) == {"org__a": 0.9333, "org__b": 0.8167}


def test_two_filters_or_two_metrics_are_two_readings(tmp_path: Path) -> None:
    file = samples(tmp_path / f"samples_sums_{STAMP}.jsonl", "a", ("strict-match", "flexible"))
    assert refusal(file) == (
        f"{file}: exact_match,strict-match, exact_match,flexible may each be the score; choose one "
        "by --score exact_match,strict-match"
    )
    assert list(right(file, score="exact_match,flexible").values()) == [0.9333]
    assert list(right(file, score="exact_match,strict-match").values()) == [0.0]
    both = samples(tmp_path / "both.jsonl", "a", more={"f1": 0.5})
    assert "exact_match, f1 may each be the score; choose one by --score exact_match" in refusal(
        both
    )


def test_samples_of_two_tasks(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    samples(folder / f"samples_sums_{STAMP}.jsonl", "a")
    samples(folder / f"samples_terms_{STAMP}.jsonl", "b")
    assert refusal(tmp_path) == (
        f"{folder}: samples of 2 tasks (sums, terms); choose one by --task sums"
    )
    assert right(tmp_path, task="terms") == {"model": 0.8167}


def test_one_number_for_two_questions(tmp_path: Path) -> None:
    one = samples(tmp_path / "a.jsonl", "a")
    other = samples(tmp_path / "b.jsonl", "b")
    text = other.read_text().replace(f"{7:064x}", f"{99:064x}")
    other.write_text(text)
    assert refusal(one, other) == (
        f"7 of {other} is another question than in {one} (1 item is); give answers to the same "
        "questions"
    )


def inspected(name: str, epochs: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a log as Inspect writes it."""
    return {
        "version": 2,
        "status": "success",
        "eval": {"task": "sums", "model": f"org/{name}", "config": {"epochs": epochs}},
        "results": {"scores": []},
        "samples": [
            {
                "id": at + 1,
                "epoch": epoch,
                "input": f"How much is {at} and {at}?",
                "target": str(2 * at),
                "output": {"choices": [{"message": {"content": "the answer"}}]},
                "scores": {"match": {"value": "C" if good else "I", "answer": "the answer"}},
            }
            for epoch in range(1, epochs + 1)
            for at, good in enumerate(RIGHT[name])
        ],
        **changes,
    }


def test_logs_of_inspect(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(inspected("a")))
    with zipfile.ZipFile(tmp_path / "other.eval", "w", zipfile.ZIP_DEFLATED) as archive:
        log = inspected("b")
        for sample in log.pop("samples"):
            archive.writestr(f"samples/{sample['id']}_epoch_1.json", json.dumps(sample))
        archive.writestr("header.json", json.dumps(log))
    assert right(tmp_path / "one.json", tmp_path / "other.eval") == {
        "org/a": 0.9333,
        "org/b": 0.8167,
    }
    found = read_predictions([tmp_path / "one.json"])
    assert found.understood[0] == (
        "log of Inspect, task sums: items by id, epochs as runs, score from match"
    )


def test_epochs_of_inspect_are_runs(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(inspected("a", epochs=3)))
    assert read_predictions([tmp_path / "a.json"]).answers[0].seeds == (1, 2, 3)


def test_a_log_of_an_evaluation_that_failed(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps(inspected("a", status="error")))
    assert refusal(file) == (
        f"{file}: the log of an evaluation that did not end (error); give a finished one"
    )


def test_a_log_without_samples(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps(inspected("a", samples=[])))
    assert refusal(file) == f"{file}: a log without samples; give one that was written with them"


def instances(name: str, perturbed: bool = False) -> list[dict[str, Any]]:
    """Return statistics per instance as HELM writes them."""
    plain = [
        {
            "instance_id": f"id{at}",
            "train_trial_index": 0,
            "stats": [
                {"name": {"name": "num_prompt_tokens", "split": "test"}, "count": 1, "mean": 31.0},
                {"name": {"name": "exact_match", "split": "test"}, "count": 1, "mean": float(good)},
            ],
        }
        for at, good in enumerate(RIGHT[name])
    ]
    others = [{**each, "perturbation": {"name": "robustness"}} for each in plain]
    return plain + (others if perturbed else [])


def test_statistics_per_instance_of_helm(tmp_path: Path) -> None:
    for name in "ab":
        folder = tmp_path / f"mmlu:subject=sums,model=org_{name}"
        folder.mkdir()
        (folder / "per_instance_stats.json").write_text(json.dumps(instances(name, name == "b")))
    files = sorted(tmp_path.glob("*/per_instance_stats.json"))
    assert right(*files) == {"org_a": 0.9333, "org_b": 0.8167}
    found = read_predictions(files)
    assert found.understood[0] == (
        "statistics per instance of HELM: items by instance_id, score from exact_match"
    )
    assert found.understood[1].endswith("; 60 perturbed left out")


def test_an_inference_table_of_timm(tmp_path: Path) -> None:
    """Its `label` is what the network says, and `index` the number of that class."""
    names = ("cat", "cow", "dog")
    lines = [(f"{at:02d}.png", str(x), names[x], "0.9") for at, x in enumerate(A)]
    file = table(tmp_path / "resnet.csv", lines, "filename,index,label,prob")
    truth = table(
        tmp_path / "labels.csv",
        [(f"{at:02d}.png", names[x]) for at, x in enumerate(TRUTH.tolist())],
        "filename,label",
    )
    assert refusal(file).endswith("no true labels, and no judgement; give --labels FILE")
    assert "no prediction (1, …) is any of the labels (cat, …)" in refusal(file, labels=truth)
    assert right(file, labels=truth, columns={"predicted": "label"}) == {"resnet": 0.9333}


def test_prediction_files_of_wilds(tmp_path: Path) -> None:
    """One column without a header, by position; the seed stands in the name."""
    for name, answers in (("erm", A), ("groupdro", B)):
        for seed in (0, 1):
            table(
                tmp_path / name / f"iwildcam_split:test_seed:{seed}_epoch:best_pred.csv",
                [(str(each),) for each in answers],
                "",
            )
    labels = save(tmp_path / "labels.npy", TRUTH)
    found = read_predictions([tmp_path / "erm", tmp_path / "groupdro"], labels=labels)
    assert [(each.name, each.seeds) for each in found.answers] == [
        ("erm", (0, 1)), ("groupdro", (0, 1))
    ]  # fmt: skip
    file = tmp_path / "erm" / "iwildcam_split:test_seed:0_epoch:best_pred.csv"
    assert refusal(file) == (
        f"{file}: one column, so no true labels stand beside; give them as --labels FILE"
    )


def test_prediction_files_of_medmnist(tmp_path: Path) -> None:
    """Items that count up and a score of each class, without a header."""
    scores = np.exp(logits(A))
    scores /= scores.sum(axis=1, keepdims=True)
    lines = [(str(at), *(f"{each:.7f}" for each in row)) for at, row in enumerate(scores)]
    file = table(tmp_path / "pathmnist_test_[AUC]0.990_[ACC]0.933@run1.csv", lines, "")
    labels = table(
        tmp_path / "labels.csv", [(str(at), str(x)) for at, x in enumerate(TRUTH)], "id,label"
    )
    assert list(right(file, labels=labels).values()) == [0.9333]
    assert read_predictions([file], labels=labels).answers[0].seeds == (1,)
