"""How images are spread over classes and parts, and what of it makes a comparison weak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from bakeoff.data.finding import LISTED, Finding, listed, shown_name
from bakeoff.data.held_back import Digests, drawn_test_part
from bakeoff.data.parts import Arranged
from bakeoff.data.readers.stock import Stock
from bakeoff.data.split import split_examples, split_stratified
from bakeoff.study.protocol import Protocol

FEW = 10
"""Images of a class in training below which a network hardly learns it."""
UNEVEN = 3.0
"""How many times as many images the largest class has before it is said."""

Counts = Mapping[str, Mapping[str, int]]
"""Class -> part -> images."""


def count_classes(stock: Stock, order: tuple[str, ...]) -> Counts:
    """Return how many images of each class each part has, none left out; classes in `order`."""
    found = Counter(zip(stock.labels, stock.parts, strict=True))
    parts = dict.fromkeys(stock.parts)
    return {name: {part: found[name, part] for part in parts} for name in order}


def share_out(plan: Arranged, digests: Digests, protocol: Protocol) -> Counts:
    """Return how many images of each class train, validate and test with the first seed.

    Raises StudyError where there are not enough images.
    """
    tests = plan.tests
    if tests is None:
        share = protocol.test or 0.0  # The protocol of files has one.
        tests = drawn_test_part(plan.labels, plan.groups, digests, share)
    labels, seeds = plan.labels[~tests], {"study_seed": 0, "trial_seed": 0}
    if protocol.validation_examples is not None:
        split = split_examples(len(labels), protocol.validation_examples, **seeds)
    else:
        groups = None if plan.groups is None else plan.groups[~tests]
        split = split_stratified(labels, groups, protocol.validation or 0.0, **seeds)
    used = {"train": labels[split.train], "validation": labels[split.validation]}
    used["test"] = plan.labels[tests]
    counts = {use: np.bincount(of, minlength=len(plan.classes)) for use, of in used.items()}
    return {
        name: {use: int(of[number]) for use, of in counts.items()}
        for number, name in enumerate(plan.classes)
    }


def balance_findings(shares: Counts) -> list[Finding]:
    """Return what is found of classes that are small, or much smaller than others."""
    found = []
    unvalidated = [name for name, of in shares.items() if of["train"] and not of["validation"]]
    if unvalidated:
        found.append(_about(unvalidated, "validation", "of which no image is left to validate on"))
    train = {name: of["train"] for name, of in shares.items() if of["train"]}
    few = [name for name, number in train.items() if number < FEW]
    if few:
        images = sum(train[name] for name in few)
        found.append(_about(few, "few", f"with fewer than {FEW} images to train on", images))
    found += _imbalance(train)
    return found


def _about(names: list[str], kind: str, said: str, images: int = 0) -> Finding:
    classes = "1 class" if len(names) == 1 else f"{len(names):,} classes"
    return Finding(kind, f"{classes} {said}: {_first(names)}", images)


def _first(names: list[str]) -> str:
    return listed([shown_name(name) for name in names[:LISTED]], len(names))


def _imbalance(train: Mapping[str, int]) -> list[Finding]:
    if not train:
        return []
    largest, smallest = max(train, key=train.__getitem__), min(train, key=train.__getitem__)
    times = train[largest] / train[smallest]
    if times < UNEVEN:
        return []
    line = (
        f"class {shown_name(largest)} has {times:.1f} times as many images to train on as "
        f"{shown_name(smallest)}: {train[largest]:,} and {train[smallest]:,}"
    )
    return [Finding("imbalance", line, train[largest])]
