"""Which study a run folder belongs to: its study.toml, and whether another may be run in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bakeoff.errors import StoreError, StudyError, UnreadableError
from bakeoff.files.locks import Say, held
from bakeoff.files.place import Place
from bakeoff.files.reading import sealed_toml, unsealed_toml
from bakeoff.records.looks import refuse_other_rule
from bakeoff.records.origin_file import ORIGIN
from bakeoff.study.study import Study
from bakeoff.study.toml import LARGEST_FILE, parse_study, to_toml

STUDY = "study.toml"
RUNS = Path("runs")
"""Where a run goes that is given no folder."""
LOCKS = "locks"
SOURCES = "sources"
"""What was given to a run: code of networks, weights they start from, and arrays."""

MOST_TRIALS = 100_000
"""Trials of one study. Each takes up to a kilobyte in the lists of what is missing: a tenth of a
gigabyte."""


def take_up(path: Path, study: Study, say: Say, *, reopen: bool) -> None:
    """Let the run folder be that of `study`, with its number of seeds; make it where it is not.

    Raises StoreError where the folder belongs to another study or cannot be written, and without
    `reopen` where verdicts were seen by another rule of decision.
    """
    file = Place(path) / STUDY
    _refuse_too_many(study, file)
    # In this order: whoever begins a run here at the same moment writes study.toml before all that
    # makes a folder somebody else's, so where that is seen first, study.toml is seen after it.
    if not _may_become_run_folder(path) and not file.is_there():
        raise StoreError(f"{path}: not a run folder and not empty; give another --out")
    content = sealed_toml(to_toml(study))
    if len(content) > LARGEST_FILE:
        raise StoreError(
            f"{file}: with every default written out the study has {len(content):,} bytes, at most "
            f"{LARGEST_FILE:,} are read; take fewer entrants or shorter texts"
        )
    with held(Place(path) / LOCKS / "study", say):
        found = _read(file) if file.is_there() else None
        if found is not None:
            _refuse_other_study(found, study, path)
        if not reopen:
            refuse_other_rule(Place(path), study)
        if found != study:
            file.remove_leftovers()
            file.write(content)


def study_of(path: Path) -> Study:
    """Return the study of a run folder; raise StoreError where there is none, or a damaged one."""
    file = Place(path) / STUDY
    if not file.is_there():
        near = RUNS / path
        mend = f"did you mean {near}?" if (near / STUDY).is_file() else "give the --out of one"
        raise StoreError(f"{path}: no run folder (it has no study.toml); {mend}")
    study = _read(file)
    _refuse_too_many(study, file)
    return study


def _refuse_too_many(study: Study, file: Place) -> None:
    """Raise StudyError, before any list of its trials is made, where the study has too many."""
    entrants, seeds = len(study.entrants), study.seeds
    if entrants * seeds > MOST_TRIALS:
        raise StudyError(
            f"{file}: {entrants * seeds:,} trials ({entrants:,} entrants x {seeds:,} seeds), and a "
            f"run has at most {MOST_TRIALS:,}; give fewer seeds or fewer entrants"
        )


def _read(file: Place) -> Study:
    """Return the study of a run folder, checked against the digest in its first line."""
    try:
        return parse_study(unsealed_toml(file.read(LARGEST_FILE), str(file)), str(file))
    except (UnreadableError, StudyError) as error:
        raise StoreError(f"{error}; delete it and run the study again: trials are kept") from error


def _may_become_run_folder(path: Path) -> bool:
    """Return whether a run may begin in `path`: it is new, empty, or has lost its study.toml."""
    if not Place(path).is_there():
        return True
    if not path.is_dir():
        return False
    # Each record names the study that it belongs to, so trials cannot be taken for another's. What
    # else may be there is what another process just begins.
    begun = {*Place(path).names()} - {LOCKS, SOURCES, ORIGIN.name}
    return "trials" in begun or all(name.startswith(f".{STUDY}.") for name in begun)


def _refuse_other_study(found: Study, asked: Study, path: Path) -> None:
    if found.hash == asked.hash:
        return
    for before, now in zip(found.entrants, asked.entrants, strict=False):
        if before.source != now.source and before.architecture == now.architecture:
            raise StoreError(
                f"{path}: {now.architecture} has changed since this run began, and {now.name} "
                "would be another network; give another --out, or bring the code back"
            )
        if before.weights_sha256 != now.weights_sha256 and before.weights == now.weights:
            raise StoreError(
                f"{path}: {now.weights} has changed since this run began, and {now.name} would "
                "start from other weights; give another --out, or bring the file back"
            )
    difference = _first_difference(found.asked(), asked.asked())
    raise StoreError(f"{path}: belongs to another study ({difference}); give another --out")


def _first_difference(found: Any, asked: Any, place: str = "") -> str:
    """Return the first key in which two values of JSON differ, with both values."""
    if isinstance(found, dict) and isinstance(asked, dict) and found.keys() == asked.keys():
        for key in found:
            if found[key] != asked[key]:
                return _first_difference(found[key], asked[key], f"{place}.{key}".lstrip("."))
    if isinstance(found, list) and isinstance(asked, list) and len(found) == len(asked):
        for number, (left, right) in enumerate(zip(found, asked, strict=True)):
            if left != right:
                return _first_difference(left, right, f"{place}[{number}]")
    if isinstance(found, dict | list):
        return f"other {place or 'keys'}"
    return f"{place} is {found!r} there and {asked!r} here"
