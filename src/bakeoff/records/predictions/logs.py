"""Logs that evaluation harnesses of language models leave, known by what they hold."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bakeoff.errors import DataError, did_you_mean
from bakeoff.files.reading import open_file, parse_json
from bakeoff.files.unzipping import DAMAGE, refuse_endless_zip, unzip
from bakeoff.records.predictions.block import Block
from bakeoff.records.predictions.json_table import MOST_VALUES, Entries, is_number
from bakeoff.records.predictions.names import Names
from bakeoff.records.predictions.roles import Asked

_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
"""What Inspect writes for correct, partly correct, incorrect, no answer."""
_TASK = re.compile(r"samples_(?P<task>.+?)(?:_\d{4}-\d{2}-\d{2}T.*)?")


def is_harness_lines(entry: Mapping[str, Any]) -> bool:
    """Return whether an object is a sample of lm-evaluation-harness."""
    return "doc_id" in entry and ("filtered_resps" in entry or "resps" in entry)


def is_inspect(document: object) -> bool:
    """Return whether a document is a log of Inspect."""
    return isinstance(document, dict) and "eval" in document and "samples" in document


def is_helm(document: object) -> bool:
    """Return whether a document has the statistics per instance of HELM."""
    return (
        isinstance(document, list)
        and bool(document)
        and all(
            isinstance(each, dict) and {"instance_id", "stats"} <= each.keys() for each in document
        )
    )


def read_harness(file: Path, entries: Entries, asked: Asked, task: str | None) -> Block:
    """Return samples of lm-evaluation-harness: items by `doc_id`, one of its metrics as score."""
    objects, lines = list(entries[0]), list(entries[1])
    objects, lines = _of_task(file, objects, lines, task)
    filters = list(dict.fromkeys(str(each.get("filter", "none")) for each in objects))
    metrics = _metrics_of(objects)
    names = {
        (metric if len(filters) == 1 else f"{metric},{which}"): (metric, which)
        for which in filters
        for metric in metrics
    }
    chosen = _chosen(file, list(names), asked)
    metric, which = names[chosen]
    kept = [
        at
        for at, each in enumerate(objects)
        if str(each.get("filter", "none")) == which or len(filters) == 1
    ]
    rows = [objects[at] for at in kept]
    numbers = np.array([lines[at] for at in kept], np.int64)
    contents = [str(each.get("doc_hash", "")) for each in rows]
    of = task_of(file)
    return Block(
        file, "line", numbers,
        f"samples of lm-evaluation-harness{f', task {of}' if of else ''}: items by doc_id, score "
        f"from {chosen}",
        item=Names.of(str(each["doc_id"]) for each in rows),
        content=Names.of(contents) if all(contents) else None,
        score=metric,
        scores=_scores([each.get(metric) for each in rows], numbers, f"{file}: line", metric),
    )  # fmt: skip


def _of_task(
    file: Path, objects: list[Mapping[str, Any]], lines: list[int], task: str | None
) -> tuple[list[Mapping[str, Any]], list[int]]:
    """Return the samples of one task, where a file says that it holds several."""
    named = [str(each.get("task") or each.get("task_name") or "") for each in objects]
    tasks = [each for each in dict.fromkeys(named) if each]
    if len(tasks) < 2:
        return objects, lines
    if task is None:
        raise DataError(
            f"{file}: {len(tasks)} tasks share it ({', '.join(tasks[:6])}); choose one by "
            f"--task {tasks[0]}"
        )
    if task not in tasks:
        raise DataError(f"{file}: no task {task!r}; {did_you_mean(task, tasks)}")
    kept = [at for at, each in enumerate(named) if each == task]
    return [objects[at] for at in kept], [lines[at] for at in kept]


def task_of(file: Path) -> str | None:
    """Return the task that the name of a file of samples says."""
    found = _TASK.fullmatch(file.stem)
    return found["task"] if found else None


def _metrics_of(objects: Sequence[Mapping[str, Any]]) -> list[str]:
    told = objects[0].get("metrics")
    if isinstance(told, list) and told:
        known = [str(each) for each in told]
    else:
        keys = list(objects[0])
        # What the harness adds to a sample stands behind the answers.
        start = max(keys.index(each) for each in ("filtered_resps", "resps") if each in keys)
        known = keys[start + 1 :]
    return [each for each in known if is_number(objects[0].get(each))]


def _chosen(file: Path, names: Sequence[str], asked: Asked) -> str:
    """Return the score to take: the only one, or the one that was asked for."""
    if not names:
        raise DataError(f"{file}: no sample has a score that is a number; give a judgement of each")
    if asked.score is not None:
        if asked.score not in names:
            raise DataError(f"{file}: no score {asked.score!r}; {did_you_mean(asked.score, names)}")
        return asked.score
    if len(names) > 1:
        raise DataError(
            f"{file}: {', '.join(names[:8])} may each be the score; choose one by "
            f"--score {names[0]}"
        )
    return names[0]


def _scores(values: Sequence[Any], numbers: Any, where: str, name: str) -> Any:
    """Return scores as right and wrong where all are, else as float64."""
    for value, number in zip(values, numbers, strict=True):
        if not is_number(value):
            shown = json.dumps(value) if value is not None else "nothing"
            raise DataError(f"{where} {number}: {shown} as {name!r} is no finite number; mend it")
    found = np.array(values, np.float64)
    return found.astype(np.bool_) if set(np.unique(found)) <= {0.0, 1.0} else found


def inspect_document(file: Path) -> dict[str, Any]:
    """Return an `.eval` archive of Inspect as the document that its JSON log would be."""
    try:
        with open_file(file) as stream:
            refuse_endless_zip(stream, str(file))
            with zipfile.ZipFile(stream) as archive:
                members = {each.filename: each for each in archive.infolist()}
                header = bytes(unzip(archive, members["header.json"]))
                samples = [
                    bytes(unzip(archive, members[name]))
                    for name in sorted(members)
                    if name.startswith("samples/") and name.endswith(".json")
                ]
    except (OSError, *DAMAGE) as error:
        raise DataError(f"{file}: not a log of Inspect, or damaged; get the file again") from error
    document = parse_json(header, str(file), MOST_VALUES)
    read = [parse_json(each, str(file), MOST_VALUES) for each in samples]
    return {**document, "samples": read}


def read_inspect(file: Path, document: Mapping[str, Any], asked: Asked) -> Block:
    """Return the samples of a log of Inspect: items by id, epochs as runs, one scorer's value."""
    status = document.get("status", "success")
    samples = document["samples"]
    if not samples:
        raise DataError(f"{file}: a log without samples; give one that was written with them")
    if status != "success":
        raise DataError(
            f"{file}: the log of an evaluation that did not end ({status}); give a finished one"
        )
    told = [_told(each) for each in samples]
    names = list(dict.fromkeys(name for each in told for name in each))
    chosen = _chosen(file, names, asked)
    numbers = np.arange(1, len(samples) + 1)
    values = []
    for each, number in zip(told, numbers, strict=True):
        value = each.get(chosen)
        worth = _LETTERS.get(value) if isinstance(value, str) else value
        if worth is None or not is_number(worth):
            shown = json.dumps(value) if value is not None else "nothing"
            raise DataError(
                f"{file}: sample {number}: {shown} as {chosen!r} is no score; mend it, or choose "
                "another by --score"
            )
        values.append(float(worth))
    about = document["eval"]
    task = str(about.get("task", ""))
    return Block(
        file, "sample", numbers,
        f"log of Inspect, task {task}: items by id, epochs as runs, score from {chosen}",
        item=Names.of(str(each.get("id")) for each in samples),
        entrant=Names.constant(str(about.get("model", file.stem)), len(samples)),
        seed=Names.of(str(each.get("epoch", 1)) for each in samples),
        score=chosen,
        scores=_scores(values, numbers, f"{file}: sample", chosen),
    )  # fmt: skip


def _told(sample: Mapping[str, Any]) -> dict[str, Any]:
    """Return scorer -> value of a sample; values of several names by scorer/name."""
    scores = sample.get("scores") or {}
    if not scores and isinstance(sample.get("score"), dict):
        scores = {"score": sample["score"]}
    found: dict[str, Any] = {}
    for name, score in scores.items():
        value = score.get("value") if isinstance(score, dict) else score
        if isinstance(value, dict):
            found |= {f"{name}/{part}": each for part, each in value.items()}
        else:
            found[name] = value
    return found


def read_helm(file: Path, document: Sequence[Mapping[str, Any]], asked: Asked) -> Block:
    """Return HELM's statistics per instance: one of them as score, trials of a run as runs.

    Instances that were perturbed are another question, and left out.
    """
    plain = [(at + 1, each) for at, each in enumerate(document) if not each.get("perturbation")]
    told = []
    for number, each in plain:
        try:
            told.append(
                {
                    str(stat["name"]["name"]): stat.get("mean", stat.get("sum"))
                    for stat in each["stats"]
                    if not stat["name"].get("perturbation")
                }
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"{file}: entry {number}: statistics without a name; get the file again"
            ) from error
    names = list(dict.fromkeys(name for each in told for name in each))
    graded = [name for name in names if name in _MEASURES] or names
    chosen = _chosen(file, graded if asked.score is None else names, asked)
    numbers = np.array([number for number, _ in plain], np.int64)
    left = len(document) - len(plain)
    return Block(
        file, "entry", numbers,
        f"statistics per instance of HELM: items by instance_id, score from {chosen}"
        + (f"; {left:,} perturbed left out" if left else ""),
        item=Names.of(str(each["instance_id"]) for _, each in plain),
        entrant=_helm_model(file, len(plain)),
        seed=Names.of(str(each.get("train_trial_index", 0)) for _, each in plain),
        score=chosen,
        scores=_scores([each.get(chosen) for each in told], numbers, f"{file}: entry", chosen),
    )  # fmt: skip


_MEASURES = (
    "exact_match", "quasi_exact_match", "prefix_exact_match", "quasi_prefix_exact_match",
    "f1_score", "rouge_1", "rouge_2", "rouge_l", "bleu_1", "bleu_4", "exact_set_match",
    "math_equiv", "math_equiv_chain_of_thought", "final_number_exact_match",
    "ifeval_strict_accuracy",
)  # fmt: skip
"""What says how good an answer is; others tell of tokens and seconds."""


def _helm_model(file: Path, rows: int) -> Names | None:
    found = re.search(r"model=([^,/]+)", file.resolve().parent.name)
    return Names.constant(found[1], rows) if found else None
