"""What is true of the items: labels that all files agree on, their classes, their groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bakeoff.data.parts import natural_order
from bakeoff.errors import DataError
from bakeoff.records.predictions.block import Block
from bakeoff.records.predictions.names import Names
from bakeoff.records.predictions.runs import Items, Run, shown
from bakeoff.text import counted


def judgement(runs: Sequence[Run]) -> tuple[bool, str]:
    """Return whether answers were judged already, and what the judgement is called."""
    stored = [run for run in runs if run.block.scores is not None]
    if not stored:
        return False, "correct"
    for run in runs:
        if run.block.scores is None:
            raise DataError(
                f"{run.block.file}: no judgement as {stored[0].block.score!r} of "
                f"{stored[0].block.file}; give one in all files, or in none"
            )
        names = (stored[0].block.score, run.block.score)
        graded = run.block.scores.dtype != np.bool_
        if names[0] != names[1] and graded:
            raise DataError(
                f"{run.block.file}: scored by {names[1]}, {stored[0].block.file} by {names[0]}; "
                "choose one by --score"
            )
    return True, stored[0].block.score


def labels_of(
    runs: Sequence[Run], labels: Block | None, found: Items, *, scored: bool
) -> tuple[Names | None, dict[Path, dict[str, str]]]:
    """Return the true label of each item; refuse where two files say two.

    Labels of two files that are the same by other names, one for one, are the same: these names, by
    file, are returned beside.
    """
    truth: Names | None = None
    source = Path()
    renamed: dict[Path, dict[str, str]] = {}
    if labels is not None and labels.label is not None:
        truth, source = _in_order(labels, labels.label, found), labels.file
    compared: set[int] = set()
    for run, rows in zip(runs, found.rows, strict=True):
        block = run.block
        if block.label is None or (id(block) in compared and block.seed is None):
            continue
        compared.add(id(block))
        mine = Names(block.label.codes[rows], block.label.values)
        if truth is None:
            truth, source = mine.some(np.arange(len(mine))), block.file
            continue
        same = mine.numbers_in(truth.values) == truth.codes
        if same.all():
            continue
        names = None if scored else _other_names(mine, truth)
        if names:
            renamed[block.file] = names
            continue
        at = int(np.flatnonzero(~same)[0])
        number = int((~same).sum())
        raise DataError(
            f"{found.names[at]} is {shown(truth[at])} in {source} and {shown(mine[at])} in "
            f"{block.file} ({counted(number, 'item')} differ{'s' if number == 1 else ''}); "
            "mend the labels of one"
        )
    return truth, renamed


def renamed(run: Run, other_names: dict[Path, dict[str, str]]) -> Run:
    """Return the run with its classes called as in the other files."""
    names, block = other_names.get(run.block.file), run.block
    if names is None:
        return run
    return replace(
        run,
        block=replace(
            block,
            predicted=block.predicted
            and block.predicted.mapped(lambda name: names.get(name, name)),
            classes=tuple(names.get(each, each) for each in block.classes),
        ),
    )


def _in_order(labels: Block, column: Names, found: Items) -> Names:
    """Return what a column of the file of labels says of each item."""
    if found.by != "by name":
        return column
    item = labels.item or Names.of(str(at) for at in range(labels.rows))
    place = {text: at for at, text in enumerate(item.values)}
    first = np.zeros(len(item.values), np.int64)
    first[item.codes] = np.arange(labels.rows)
    lacking = [name for name in found.names if name not in place]
    if lacking:
        raise DataError(f"{shown(lacking[0])} is not in {labels.file}; add its label")
    rows = first[[place[name] for name in found.names]]
    return Names(column.codes[rows], column.values)


def _other_names(mine: Names, truth: Names) -> dict[str, str] | None:
    """Return what the labels of `mine` are called in `truth`, if they are the same one for one."""
    if set(mine.values) & set(truth.values):
        return None
    pairs = sorted(set(zip(mine.codes.tolist(), truth.codes.tolist(), strict=True)))
    if not len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}):
        return None
    return {mine.values[a]: truth.values[b] for a, b in pairs}


def classes_of(
    runs: Sequence[Run], found: Items, truth: Names | None, *, scored: bool
) -> tuple[str, ...]:
    """Return all classes in natural order; () where answers are no classes."""
    if truth is None:
        if not scored:
            raise DataError(
                f"{runs[0].block.file}: no true labels, and no judgement; give --labels FILE"
            )
        return ()
    known = set(truth.values)
    for run in runs:
        block = run.block
        if scored and not block.classes and (block.predicted is None or _open_ended(block, known)):
            return ()
        if block.predicted is not None:
            if not scored:
                _refuse_texts(block, block.predicted, set(truth.values))
            known |= set(block.predicted.values)
        elif block.classes:
            foreign = [each for each in truth.values if each not in block.classes]
            if foreign:
                raise DataError(
                    f"{block.file}: its scores are of classes {', '.join(block.classes[:5])}"
                    f"{', …' if len(block.classes) > 5 else ''}, and there is a label "
                    f"{shown(foreign[0])}; name the columns after the classes"
                )
            known |= set(block.classes)
    return tuple(natural_order(known))


def _open_ended(block: Block, labels: set[str]) -> bool:
    """Return whether answers are texts of their own, which a judgement was made of."""
    return block.predicted is not None and not set(block.predicted.values) <= labels


def _refuse_texts(block: Block, predicted: Names, labels: set[str]) -> None:
    """Refuse answers that are no classes: sentences, or a class in another spelling."""
    spelt = {_bare(label): label for label in labels}
    numbers = all(label.isdecimal() for label in labels)
    foreign = [value for value in predicted.values if value not in labels]
    for value in foreign:
        row = int(np.flatnonzero(predicted.codes == predicted.values.index(value))[0])
        where = f"{block.file}: {block.line} {block.lines[row]}"
        if _bare(value) in spelt and _bare(value):
            raise DataError(
                f"{where}: {shown(value)} is not {shown(spelt[_bare(value)])}, but nearly; spell "
                "classes in one way"
            )
        if numbers and not value.removeprefix("-").isdecimal():
            item = f" of {shown(block.item[row])}" if block.item else ""
            raise DataError(
                f"{where}: the prediction {shown(value)}{item} is no class number, and labels are; "
                "mend it"
            )
        if " " in value and not any(" " in label for label in labels):
            raise DataError(
                f"{where}: the prediction {shown(value)} is a text, and labels are as "
                f"{shown(min(labels))}; give a judgement of each answer in a column correct"
            )
    if len(foreign) == len(predicted.values):
        raise DataError(
            f"{block.file}: no prediction ({shown(foreign[0])}, …) is any of the labels "
            f"({shown(min(labels))}, …); say which column is which by --columns"
        )


def _bare(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum())


def refuse_other_content(runs: Sequence[Run], found: Items) -> None:
    """Raise DataError where one name stands for two different items, as their digests say."""
    first: tuple[Path, Names] | None = None
    for run, rows in zip(runs, found.rows, strict=True):
        content = run.block.content
        if content is None:
            continue
        mine = Names(content.codes[rows], content.values)
        if first is None:
            first = run.block.file, mine
            continue
        file, known = first
        other = mine.numbers_in(known.values) != known.codes
        if other.any():
            at, number = int(np.flatnonzero(other)[0]), int(other.sum())
            raise DataError(
                f"{shown(found.names[at])} of {run.block.file} is another question than in {file} "
                f"({counted(number, 'item')} {'are' if number > 1 else 'is'}); give answers to the "
                "same questions"
            )


def groups_of(runs: Sequence[Run], labels: Block | None, found: Items) -> Names | None:
    """Return the group of each item; refuse where two files say two."""
    groups: Names | None = None
    blocks = [(run.block, rows) for run, rows in zip(runs, found.rows, strict=True)]
    if labels is not None and labels.group is not None:
        return _in_order(labels, labels.group, found)
    for block, rows in blocks:
        if block.group is None:
            continue
        mine = Names(block.group.codes[rows], block.group.values)
        if groups is None:
            groups = mine.some(np.arange(len(mine)))
            continue
        same = mine.numbers_in(groups.values) == groups.codes
        if not same.all():
            at = int(np.flatnonzero(~same)[0])
            raise DataError(
                f"{found.names[at]} is in group {shown(groups[at])}, and in {shown(mine[at])} in "
                f"{block.file}; each item belongs to one"
            )
    return groups
