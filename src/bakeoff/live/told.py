"""What the page is told: answers and what stands beside them, as JSON documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bakeoff.data.dataset import Dataset
from bakeoff.findings.own import OwnCases
from bakeoff.live.asked import Asked
from bakeoff.live.drawing import NOTHING, Drawn
from bakeoff.live.likeness import Near
from bakeoff.live.picks import Pick
from bakeoff.live.trained import Answer
from bakeoff.report.pictures.raster import thumbnail

_STEP_SIDE = 128
"""Picture elements of the longer side of a step, which is shown a thumb wide."""
NO_CASES: dict[str, Any] = {"images": 0, "entrants": [], "findings": [], "pictures": []}


def answered(
    asked: Asked, found: Drawn | None, answers: Sequence[Answer], dataset: Dataset
) -> dict[str, Any]:
    """Return what all say of an image; found: how it came to be one, where it was a picture."""
    test = None
    if asked.test is not None:
        label = dataset.classes[dataset.test_labels[asked.test]]
        test = {"index": asked.test, "class": label}
    return {
        "image": asked.name,
        "picture": thumbnail(asked.image),
        "steps": [] if found is None else _steps(found),
        "empty": None,
        "test": test,
        "answers": [_said(answer, dataset.classes) for answer in answers],
    }


def nothing(found: Drawn) -> dict[str, Any]:
    """Return what is told of a picture on which nothing is drawn: no class."""
    return {
        "image": None,
        "picture": None,
        "steps": _steps(found),
        "empty": NOTHING,
        "test": None,
        "answers": [],
    }


def near(found: Near, dataset: Dataset) -> dict[str, Any]:
    """Return which training images lie nearest, and how far for an image that is."""
    return {
        "sentence": found.sentence,
        "share": found.share,
        "unusual": found.unusual,
        "nearest": [
            {
                "index": index,
                "class": dataset.classes[dataset.train_labels[index]],
                "distance": distance,
                "picture": thumbnail(dataset.train_images[index]),
            }
            for index, distance in zip(
                found.indices.tolist(), found.distances.tolist(), strict=True
            )
        ],
    }


def picks(found: Sequence[Pick], dataset: Dataset) -> dict[str, Any]:
    """Return test images worth asking about."""
    return {
        "images": [
            {
                "index": each.image,
                "class": dataset.classes[dataset.test_labels[each.image]],
                "picture": thumbnail(dataset.test_images[each.image]),
                "entrants": each.entrants,
            }
            for each in found
        ]
    }


def cases(found: OwnCases | None, classes: Sequence[str]) -> dict[str, Any]:
    """Return how all do on the test cases of the user's own."""
    if found is None:
        return NO_CASES
    return {
        "images": len(found.images),
        "entrants": [
            {"name": name, "right": right, "of": of, "seeds": len(found.seeds[name])}
            for name in found.said
            for right, of in [found.right(name)]
        ],
        "findings": list(found.findings),
        "pictures": [
            {
                "class": classes[each.label],
                "name": each.name,
                "picture": thumbnail(each.image),
                "answers": [
                    {"entrant": name, "classes": [classes[number] for number in said[:, place]]}
                    for name, said in found.said.items()
                ],
            }
            for place, each in enumerate(found.images)
        ],
    }


def _said(answer: Answer, classes: Sequence[str]) -> dict[str, Any]:
    mean = answer.mean
    return {
        "entrant": answer.entrant,
        "class": classes[int(mean.argmax())],
        "sure": float(mean.max()),
        "probabilities": mean.tolist(),
        "seeds": [
            {
                "seed": seed,
                "class": classes[int(said.argmax())],
                "probabilities": said.tolist(),
            }
            for seed, said in zip(answer.seeds, answer.probabilities, strict=True)
        ],
    }


def _steps(found: Drawn) -> list[dict[str, str]]:
    return [
        {"name": step.name, "picture": thumbnail(step.picture, _STEP_SIDE)} for step in found.steps
    ]
