"""From a table, whatever it was written as, to its rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.readers.text_table import class_of
from bakeoff.errors import DataError
from bakeoff.records.predictions.answers import (
    form_of,
    judgement_of,
    probabilities_of,
    ties_in,
)
from bakeoff.records.predictions.block import Block
from bakeoff.records.predictions.names import Names
from bakeoff.records.predictions.roles import ITEM, KNOWN, LABEL, Asked, Roles, roles_of
from bakeoff.records.predictions.table import Sheet, Table, plain, sheet_of
from bakeoff.text import counted

NOTHING = ("", "nan", "none", "null", "na", "n/a")
"""What stands where nothing was answered."""


def read_text(file: Path, asked: Asked) -> Block:
    """Return the rows of a CSV or TSV."""
    sheet = sheet_of(file, _known(asked))
    if not sheet.has_header and not asked.columns:
        return _headerless(sheet, asked)
    roles = roles_of(file, sheet.header, asked, sheet.first)
    kind = "TSV" if sheet.separator == "\t" else "CSV"
    return block_of(
        sheet.read(texts_of(roles), [name for name, _ in roles.classes], roles.item), roles, kind
    )


def _known(asked: Asked) -> frozenset[str]:
    wanted = [*asked.columns.values(), asked.score or "", asked.group or ""]
    return KNOWN | {plain(each) for each in wanted if plain(each) and not each.isdigit()}


def texts_of(roles: Roles) -> list[str]:
    """Return the columns that are read as texts."""
    wanted = (
        roles.entrant, roles.seed, roles.item, roles.label, roles.predicted, roles.score,
        roles.group,
    )  # fmt: skip
    return list(dict.fromkeys(each for each in wanted if each))


def block_of(table: Table, roles: Roles, kind: str) -> Block:
    """Return the rows of a table; DataError, naming the row, for what says nothing."""

    def column(name: str | None, missing: str) -> Names | None:
        if name is None:
            return None
        names = table.texts[name]
        for value in names.values:
            if value.casefold() in NOTHING:
                row = int(np.flatnonzero(names.codes == names.values.index(value))[0])
                raise DataError(f"{table.at(row)}: no {missing} in column {name!r}; add it")
        return names

    def classes(name: str | None, missing: str) -> Names | None:
        found = column(name, missing)
        return found and found.mapped(class_of)

    scores: NDArray[np.bool_] | NDArray[np.float64] | None = None
    if roles.score:
        judged = table.texts[roles.score]
        scores = judgement_of(judged.values, judged.codes, table.at, roles.score)
    said = [f"{kind}: {roles.said}"]
    probabilities, first = None, None
    if roles.classes:
        raw = np.column_stack([table.numbers[name] for name, _ in roles.classes])
        probabilities, first, how = classes_from(raw, table)
        said.append(how)
    stored = roles.score is not None
    return Block(
        file=table.file,
        line=table.line,
        lines=table.lines,
        format="; ".join(said),
        item=column(roles.item, "item"),
        entrant=column(roles.entrant, "entrant"),
        seed=column(roles.seed, "seed"),
        label=table.texts[roles.label] if stored and roles.label else classes(roles.label, "label"),
        predicted=(
            table.texts[roles.predicted]
            if stored and roles.predicted
            else classes(roles.predicted, "prediction")
        ),
        group=column(roles.group, "group"),
        scores=scores,
        score=roles.score or "",
        probabilities=probabilities,
        classes=tuple(class_of(name) for _, name in roles.classes),
        first_class=first,
    )


def classes_from(
    raw: NDArray[np.float64], table: Table
) -> tuple[NDArray[np.float32], NDArray[np.int64], str]:
    """Return probabilities, the class of each row, and what the scores were taken for."""
    form = form_of(raw, table.at)
    ties = ties_in(raw)
    how = f"scores are {form}"
    if form == "logits":
        how += f", {raw.min():.3g} to {raw.max():.3g}"
    if ties:
        how += f"; {counted(ties, 'row')} with a tie, where the first class counts"
    return probabilities_of(raw, form), raw.argmax(axis=1), how


def _headerless(sheet: Sheet, asked: Asked) -> Block:
    """Return rows without a header, where only one reading is possible."""
    file, width = sheet.file, len(sheet.header)
    if width == 1:
        table = sheet.read(sheet.header, ())
        names = table.texts[sheet.header[0]].mapped(class_of)
        if not asked.labelled:
            raise DataError(
                f"{file}: one column, so no true labels stand beside; give them as --labels FILE"
            )
        how = "one column, a class on each line"
        return Block(file, "line", table.lines, how, predicted=names)
    if width > 2 and _counts(sheet.first):
        table = sheet.read(sheet.header[:1], sheet.header[1:])
        raw = np.column_stack([table.numbers[name] for name in sheet.header[1:]])
        probabilities, first, how = classes_from(raw, table)
        return Block(
            file, "line", table.lines, f"items that count up, then a score of each class; {how}",
            item=table.texts[sheet.header[0]],
            probabilities=probabilities,
            classes=tuple(str(each) for each in range(raw.shape[1])),
            first_class=first,
        )  # fmt: skip
    shown = ", ".join(repr(each) for each in sheet.first[0][:4])
    guess = ",".join(
        f"{role}={at + 1}" for at, role in enumerate(("item", "label", "predicted")[-width:])
    )
    raise DataError(
        f"{file}: line 1: no header ({shown}), and nothing says which column is which; add one, or "
        f"say --columns {guess}"
    )


def _counts(first: Sequence[Sequence[str]]) -> bool:
    """Return whether the first column counts from 0 and all else are numbers with a point."""
    return len(first) > 1 and all(
        row[0] == str(at) and all("." in each or "e" in each.lower() for each in row[1:])
        for at, row in enumerate(first)
    )


def read_labels_table(file: Path, column: str | None, group: str | None) -> Block:
    """Return items and true labels of a table; `column` names that of the labels."""
    sheet = sheet_of(file, KNOWN | ({plain(group)} if group else set()))
    names = [name for name in sheet.header if plain(name) in LABEL]
    asked = Asked({"label": column} if column else {}, group=group, labelled=False)
    width = len(sheet.header)
    if width == 1:
        item, label = None, sheet.header[0]
    else:
        if column is None and len(names) != 1:
            others = [name for name in sheet.header if not sheet.has_header or name not in names]
            if width != 2 or (sheet.has_header and names):
                raise DataError(
                    f"{file}: which of {', '.join(others or names)} is the true label? say "
                    "--columns label=NAME"
                )
            names = [sheet.header[1]]
        label = column or names[0]
        rest = [name for name in sheet.header if name != label]
        item = _item_in(rest, sheet)
    wanted = [each for each in (item, label, asked.group) if each]
    table = sheet.read(list(dict.fromkeys(wanted)), ())
    return Block(
        file,
        "line",
        table.lines,
        f"labels from {label}" + (f", items from {item}" if item else ", by position"),
        item=table.texts[item] if item else None,
        label=table.texts[label].mapped(class_of),
        group=table.texts[group] if group and group in table.texts else None,
    )


def _item_in(names: Sequence[str], sheet: Sheet) -> str | None:
    """Return the column of items in a table of labels."""
    known = sorted(
        (each for each in names if plain(each) in ITEM), key=lambda n: ITEM.index(plain(n))
    )
    if known:
        return known[0]
    return names[0] if len(sheet.header) == 2 else None
