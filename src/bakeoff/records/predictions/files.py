"""Which files hold whose answers, told from folders and names alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bakeoff.errors import DataError, UsageError

TABLES = (".csv", ".tsv", ".txt")
LINES = (".jsonl", ".ndjson")
DOCUMENTS = (".json", ".eval")
ARRAYS = (".npy", ".npz")
PARQUET = (".parquet", ".pq")
READ = (*TABLES, *LINES, *DOCUMENTS, *ARRAYS, *PARQUET)
_SEED = re.compile(r"(?P<before>.*?)[-_. ]?(?:seed|run)[-_:=. ]?(?P<seed>\d+)(?P<after>.*)", re.I)
_BARE_SEED = re.compile(r"(?:(?:seed|run|rep|repeat)[-_:=. ]?)?(?P<seed>\d+)", re.I)
_LABELS = ("labels", "label", "y_true", "truth", "targets", "ground_truth", "y_test")


@dataclass(frozen=True)
class Source:
    """A file, whose answers it holds unless it says so itself, and of which run."""

    file: Path
    entrant: str
    seed: str
    """Empty where its name does not say."""


def sources_of(paths: Sequence[Path]) -> tuple[list[Source], Path | None]:
    """Return the files, and the one of labels if a folder has one beside them.

    Raises UsageError where a path is not there, DataError where a folder holds nothing to read.
    """
    found: list[Source] = []
    labels: Path | None = None
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder; give files of predictions")
        if is_run_folder(path) or path.is_file():
            found.append(_alone(path))
            continue
        inside, beside = _in_folder(path)
        found += inside
        labels = labels or beside
    return _named_apart(found), labels


def is_run_folder(path: Path) -> bool:
    """Return whether `bakeoff run` made this folder."""
    if not (path / "trials").is_dir():
        return False
    from bakeoff.records.own_study import STUDY

    return (path / STUDY).is_file()


def _alone(path: Path) -> Source:
    if path.is_file() and path.suffix.lower() not in READ:
        raise DataError(f"{path}: not a kind of file that is read; give one of {', '.join(READ)}")
    entrant, seed = _entrant_and_seed(path.stem if path.is_file() else path.name)
    return Source(path, entrant, seed)


def _entrant_and_seed(stem: str) -> tuple[str, str]:
    found = _SEED.fullmatch(stem)
    if found and found["before"]:
        rest = (found["before"] + found["after"]).strip("-_. ")
        return rest or stem, found["seed"]
    return stem, ""


def _in_folder(path: Path) -> tuple[list[Source], Path | None]:
    entries = sorted((each for each in path.iterdir() if _shown(each)), key=_natural)
    files = [each for each in entries if each.is_file() and each.suffix.lower() in READ]
    labels = [each for each in files if each.stem.casefold() in _LABELS]
    files = [each for each in files if each not in labels]
    folders = [each for each in entries if each.is_dir()]
    if files and all(_BARE_SEED.fullmatch(each.stem) for each in files):
        found = [_of_run(each, path.resolve().name) for each in files]
    else:
        found = [_alone(each) for each in files]
    for folder in folders:
        if is_run_folder(folder):
            found.append(_alone(folder))
            continue
        inside = sorted(filter(_shown, folder.rglob("*")), key=_natural)
        runs = [each for each in inside if each.is_file() and each.suffix.lower() in READ]
        found += [_of_run(each, folder.name) for each in runs]
    if not found:
        raise DataError(f"{path}: no file of predictions in it; give {', '.join(READ)}")
    return found, labels[0] if labels else None


def _of_run(file: Path, entrant: str) -> Source:
    found = _BARE_SEED.fullmatch(file.stem) or _SEED.fullmatch(file.stem)
    return Source(file, entrant, found["seed"] if found else "")


def _shown(path: Path) -> bool:
    return not path.name.startswith((".", "__"))


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Return a key by which `seed10` comes after `seed9`."""
    parts = re.split(r"(\d+)", str(path))
    return [(1, int(each), "") if each.isdigit() else (0, 0, each) for each in parts]


def _named_apart(sources: Iterable[Source]) -> list[Source]:
    """Return sources with names that differ: `a/preds.csv` and `b/preds.csv` are `a` and `b`."""
    found = list(sources)
    keys = [(each.entrant, each.seed) for each in found]
    named = []
    for each, key in zip(found, keys, strict=True):
        parent = each.file.resolve().parent.name
        named.append(replace(each, entrant=parent) if keys.count(key) > 1 and parent else each)
    still = [(each.entrant, each.seed) for each in named]
    return [
        replace(each, entrant=f"{each.entrant}/{each.file.stem}") if still.count(key) > 1 else each
        for each, key in zip(named, still, strict=True)
    ]
