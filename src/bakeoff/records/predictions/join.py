"""From the rows of many files to one array for each entrant: items by name, labels that agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bakeoff.errors import DataError
from bakeoff.records.predictions.block import Block
from bakeoff.records.predictions.names import Names
from bakeoff.records.predictions.predictions import Answers, Predictions
from bakeoff.records.predictions.runs import Items, Run, shown
from bakeoff.records.predictions.truth import (
    classes_of,
    groups_of,
    judgement,
    labels_of,
    refuse_other_content,
    renamed,
)
from bakeoff.text import counted


def join(
    blocks: Sequence[tuple[Block, str, str]], labels: Block | None, *, intersect: bool = False
) -> Predictions:
    """Return the answers of all entrants to the same items.

    blocks: with the entrant and the run that their file's name tells. Raises DataError, naming file
    and row, where runs do not speak of the same items or contradict each other.
    """
    runs = [run for block, entrant, seed in blocks for run in _runs(block, entrant, seed)]
    _refuse_double_runs(runs)
    found = _items_of(runs, labels, intersect=intersect)
    refuse_other_content(runs, found)
    scored, score = judgement(runs)
    truth, other_names = labels_of(runs, labels, found, scored=scored)
    runs = [renamed(run, other_names) for run in runs]
    classes = classes_of(runs, found, truth, scored=scored)
    groups = groups_of(runs, labels, found)
    place = None if truth is None or not classes else truth.numbers_in(classes)
    by_entrant: dict[str, list[int]] = {}
    for at, run in enumerate(runs):
        by_entrant.setdefault(run.entrant, []).append(at)
    answers = tuple(
        _answers(name, [(runs[at], found.rows[at]) for at in of_it], classes, place, scored=scored)
        for name, of_it in by_entrant.items()
    )
    formats = dict.fromkeys(block.format for block, _, _ in blocks)
    understood = [*formats, *([labels.format] if labels else [])]
    understood += [
        f"classes of {file} by other names: " + ", ".join(f"{a} = {b}" for a, b in same.items())
        for file, same in other_names.items()
    ]
    understood.append(
        f"{counted(len(answers), 'entrant')}: {_runs_said(answers)}; "
        f"{counted(len(found.names), 'item')} {found.by}"
        + (f"; {len(classes):,} class{'es' if len(classes) > 1 else ''}" if classes else "")
        + (f"; {counted(len(groups.values), 'group')}" if groups else "")
    )
    return Predictions(
        items=found.names,
        classes=classes,
        labels=place,
        groups=None if groups is None else groups.codes.astype(np.int64),
        group_names=() if groups is None else groups.values,
        answers=answers,
        score=score,
        understood=tuple(understood),
        left_out=found.left_out,
    )


def _runs(block: Block, entrant: str, seed: str) -> list[Run]:
    """Return the runs in a block; rows of one keep their order."""
    who = block.entrant or Names.constant(entrant, block.rows)
    which = block.seed or Names.constant(seed, block.rows)
    key = who.codes.astype(np.int64) * len(which.values) + which.codes
    few = len(who.values) * len(which.values) <= 1 << 16
    # Numbers of 16 bits are sorted in one pass.
    order = np.argsort(key.astype(np.uint16) if few else key, kind="stable")
    sizes = np.bincount(key)
    keys = np.flatnonzero(sizes)
    starts = np.cumsum(sizes[keys]) - sizes[keys]
    found = [
        Run(
            who.values[one // len(which.values)],
            _seed(which.values[one % len(which.values)]),
            block,
            rows,
        )
        for one, rows in zip(keys.tolist(), np.split(order, starts[1:]), strict=True)
    ]
    return sorted(found, key=lambda run: int(run.rows[0]))


def _seed(text: str) -> int | str:
    plain = text.removesuffix(".0")
    return int(plain) if plain.lstrip("-").isdecimal() and len(plain) < 19 else text


def _refuse_double_runs(runs: Sequence[Run]) -> None:
    known: dict[tuple[str, int | str], Run] = {}
    for run in runs:
        other = known.setdefault((run.entrant, run.seed), run)
        if other is not run:
            seed = f" seed {run.seed}" if run.seed != "" else ""
            raise DataError(
                f"{run.block.file}: {run.entrant}{seed} is also in {other.block.file}; name the "
                "entrant or the seed in the file or its name, or leave one out"
            )


def _items_of(runs: Sequence[Run], labels: Block | None, *, intersect: bool) -> Items:
    named = [(run, run.block.item) for run in runs if run.block.item is not None]
    if not named:
        return _by_position(runs, labels)
    unnamed = [run for run in runs if run.block.item is None]
    if unnamed:
        raise DataError(
            f"{unnamed[0].block.file}: its items have no names, those of {named[0][0].block.file} "
            "have; add a column of items"
        )
    if labels is not None and labels.item is None:
        labels = _numbered(labels, named[0])
    if labels is not None and labels.item is not None:
        first, reference = labels.file, labels.item
        _refuse_double_items(Run("", "", labels, np.arange(labels.rows)), reference)
    else:
        run, item = named[0]
        first, reference = run.block.file, item.some(run.rows)
        _refuse_double_items(run, item)
    known = reference.values
    place = {text: at for at, text in enumerate(known)}
    rows, extra, missing = [], 0, np.zeros(len(known), np.bool_)
    maps: dict[int, NDArray[np.int64]] = {}
    for run, item in named:
        if id(item) not in maps:
            maps[id(item)] = np.array([place.get(each, -1) for each in item.values], np.int64)
        at = maps[id(item)][item.codes[run.rows]]
        _refuse_double_items(run, item)
        answered = np.full(len(known), -1, np.int64)
        answered[at[at >= 0]] = run.rows[at >= 0]
        if not intersect:
            _refuse_other_items(run, item, at, answered, known, first)
        extra += int((at < 0).sum())
        missing |= answered < 0
        rows.append(answered)
    kept = np.flatnonzero(~missing)
    if not len(kept):
        raise DataError(
            f"{named[-1][0].block.file}: no item of it is in {first} (there {shown(known[0])}); "
            "items are paired by name"
        )
    names = known if len(kept) == len(known) else tuple(known[at] for at in kept.tolist())
    left = []
    if intersect and (missing.any() or extra):
        dropped = int(missing.sum())
        left.append(
            f"{counted(dropped, 'item')} that not every run answers, and "
            f"{counted(extra, 'answer')} to items that are not in {first.name}, are left out; "
            f"{len(kept):,} of {len(known):,} remain"
        )
    return Items(names, "by name", tuple(each[kept] for each in rows), tuple(left))


def _numbered(labels: Block, first: tuple[Run, Names]) -> Block:
    """Return labels without names by their places, if these are what items are called."""
    run, item = first
    numbers = [str(at) for at in range(labels.rows)]
    if not set(item.values) <= set(numbers):
        raise DataError(
            f"{labels.file}: {counted(labels.rows, 'label')} without names of items, those of "
            f"{run.block.file} have names ({shown(item.values[0])}, …); add a column of items"
        )
    return replace(labels, item=Names.of(numbers))


def _by_position(runs: Sequence[Run], labels: Block | None) -> Items:
    first = labels or runs[0].block
    number = labels.rows if labels else len(runs[0].rows)
    for run in runs:
        if len(run.rows) != number:
            raise DataError(
                f"{run.block.file}: {len(run.rows):,} answers for the {number:,} items of "
                f"{first.file}; without names they are paired by position, and each needs all"
            )
    if labels is not None and labels.item is not None:
        return Items(
            tuple(labels.item[row] for row in range(number)),
            f"by position in {labels.file.name}",
            tuple(run.rows for run in runs),
            (),
        )
    names = tuple(str(at) for at in range(number))
    return Items(names, "by position", tuple(run.rows for run in runs), ())


def _refuse_double_items(run: Run, item: Names) -> None:
    codes = item.codes[run.rows]
    times = np.bincount(codes, minlength=len(item.values))
    twice = np.flatnonzero(times > 1)
    if not len(twice):
        return
    rows = run.rows[np.isin(codes, twice)]
    which = item.codes[rows[0]]
    both = run.rows[codes == which][:2]
    one, other = (int(run.block.lines[row]) for row in both)
    of_run = f" of {run.entrant} seed {run.seed}" if run.block.seed is not None else ""
    more = f" ({len(twice):,} items do)" if len(twice) > 1 else ""
    raise DataError(
        f"{shown(item.values[which])}{of_run} stands on {run.block.line}s {one} and {other} of "
        f"{run.block.file}{more}; keep one answer, or name the runs in a column seed"
    )


def _refuse_other_items(
    run: Run,
    item: Names,
    at: NDArray[np.int64],
    answered: NDArray[np.int64],
    known: Sequence[str],
    first: Path,
) -> None:
    file, hint = run.block.file, "--intersect leaves out what not all have"
    if (at < 0).any():
        row = int(run.rows[np.flatnonzero(at < 0)[0]])
        number = int((at < 0).sum())
        more = f" ({number:,} are not)" if number > 1 else ""
        raise DataError(
            f"{shown(item[row])} of {file}, {run.block.line} {run.block.lines[row]}, is not in "
            f"{first}{more}; {hint}"
        )
    lacking = np.flatnonzero(answered < 0)
    if len(lacking):
        of_run = f" seed {run.seed}" if run.block.seed is not None else ""
        raise DataError(
            f"{counted(len(lacking), 'item')} of {first} {'is' if len(lacking) == 1 else 'are'} "
            f"missing in {file}{of_run} (first {shown(known[lacking[0]])}); {hint}"
        )


def _answers(
    name: str,
    runs: Sequence[tuple[Run, NDArray[np.int64]]],
    classes: tuple[str, ...],
    labels: NDArray[np.int64] | None,
    *,
    scored: bool,
) -> Answers:
    """Return what one entrant says, its runs in order."""
    ordered = sorted(runs, key=lambda each: (isinstance(each[0].seed, str), each[0].seed))
    items = len(ordered[0][1])
    predicted = _predicted(ordered, classes, items) if classes else None
    probabilities = None
    if classes and all(run.block.probabilities is not None for run, _ in ordered):
        probabilities = np.zeros((len(ordered), items, len(classes)), np.float32)
        for at, (run, rows) in enumerate(ordered):
            columns = [classes.index(each) for each in run.block.classes]
            probabilities[at][:, columns] = run.block.probabilities[rows]  # type: ignore[index]
    scores, correct = None, None
    if scored:
        stored = np.stack([run.block.scores[rows] for run, rows in ordered])  # type: ignore[index]
        if stored.dtype == np.bool_:
            correct = stored
        else:
            scores = stored
    elif predicted is not None and labels is not None:
        correct = predicted == labels
    return Answers(
        name,
        tuple(run.seed if run.seed != "" else 0 for run, _ in ordered),
        predicted,
        probabilities,
        scores,
        correct,
    )


def _predicted(
    runs: Sequence[tuple[Run, NDArray[np.int64]]], classes: tuple[str, ...], items: int
) -> NDArray[np.int64] | None:
    found = np.empty((len(runs), items), np.int64)
    for at, (run, rows) in enumerate(runs):
        block = run.block
        if block.predicted is not None:
            answers = Names(block.predicted.codes[rows], block.predicted.values)
            found[at] = answers.numbers_in(classes)
        elif block.first_class is not None:
            columns = np.array([classes.index(each) for each in block.classes])
            found[at] = columns[block.first_class[rows]]
        else:
            return None
    return found


def _runs_said(answers: Sequence[Answers]) -> str:
    """Return "a and b, 3 runs each", or the runs of each where they differ."""
    numbers = [len(each.seeds) for each in answers]
    names = [each.name for each in answers]
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    if len(set(numbers)) == 1:
        return f"{shown}, {counted(numbers[0], 'run')} each"
    return "; ".join(f"{each.name} {counted(len(each.seeds), 'run')}" for each in answers[:12])
