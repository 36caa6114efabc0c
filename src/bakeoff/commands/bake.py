"""From Python, with objects: networks as classes or functions, data as arrays."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from bakeoff.commands.compare import compare_run
from bakeoff.commands.run import Baked, run_study
from bakeoff.data.dataset import Dataset
from bakeoff.errors import UsageError
from bakeoff.files.reading import file_sha256
from bakeoff.findings.conclusion import Conclusion
from bakeoff.records.own_study import SOURCES
from bakeoff.runners.listener import Listener
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Decision, Entrant
from bakeoff.study.toml import parse_study
from bakeoff.training.code import UNKNOWN, load_object

__all__ = ["Conclusion", "Dataset", "bake", "load"]

DATA = f"{SOURCES}/data"
"""Where a run folder keeps the arrays that it was given."""


def bake(
    entrants: Mapping[str, Callable[..., Any] | str],
    data: Dataset | str,
    *,
    seeds: int,
    out: str | Path,
    recipe: Recipe | Mapping[str, Recipe] | None = None,
    protocol: Mapping[str, Any] | None = None,
    decision: Decision | None = None,
    listener: Listener | None = None,
    **how: Any,
) -> Baked:
    """Train networks against each other, compare, and write the report into the folder `out`.

    entrants: by name, what makes each network: a class or function that is called by keyword with
    what its signature asks for (`docs/networks.md`), or a text as `architecture` takes it. data: of
    `Dataset.from_arrays`, or a text as `protocol.dataset` takes it, from the current folder.
    recipe: of all, or by name. protocol: keys of `Protocol`, but for the data set. how: options of
    `run_study`, as `device`. The same call goes on where an earlier one was interrupted.

    Classes and functions train one after the other in this process; texts, in several. What changes
    in their file from one call to the next is seen and refused; where Python does not know the
    source, a line says so. Raises BakeoffError with one line.
    """
    listener, out = listener or Listener(), Path(out)
    for name in recipe if isinstance(recipe, Mapping) else ():
        if name not in entrants:
            raise UsageError(
                f"recipe: no entrant {name!r}; give one Recipe, or some by names of entrants"
            )
    dataset, base = _data(data, out)
    made = {name: _entrant(name, what, recipe, listener) for name, what in entrants.items()}
    objects = any(callable(what) for what in entrants.values())
    asked = {
        "name": _name(out.resolve().name),
        "seeds": seeds,
        "base": str(base),
        "protocol": {"dataset": dataset, **(protocol or {})},
        "decision": (decision or Decision()).model_dump(),
        "entrants": [each.model_dump(mode="json", exclude_none=True) for each in made.values()],
    }
    study = parse_study(asked, "bake")  # One line for what is wrong, as of a file.
    if objects:
        how = {"jobs": 1, **how}
    return run_study(study, out, listener=listener, **how)


def load(out: str | Path) -> Conclusion:
    """Return what the finished trials of a run folder support."""
    return compare_run(Path(out))


def _data(data: Dataset | str, out: Path) -> tuple[str, Path]:
    """Return what a study calls the data, and from which folder; arrays are kept with the run."""
    if isinstance(data, str):
        return data, Path.cwd()
    folder = out.absolute() / DATA
    folder.mkdir(parents=True, exist_ok=True)
    names = np.array(data.classes)
    arrays = {
        "x_train": data.train_images, "y_train": names[data.train_labels],
        "x_test": data.test_images, "y_test": names[data.test_labels],
        "classes": names,
    }  # fmt: skip
    for name, array in arrays.items():
        _keep(folder / f"{name}.npy", array)
    return f"./{DATA}", out.absolute()


def _keep(file: Path, array: NDArray[Any]) -> None:
    """Write an array, unless it lies there already; raise UsageError where another one does."""
    draft = file.with_suffix(f".{os.getpid()}")
    try:
        with draft.open("wb") as stream:
            np.lib.format.write_array(stream, array, allow_pickle=False)
        if not file.exists():
            draft.replace(file)
        elif file_sha256(file) != file_sha256(draft):
            raise UsageError(f"{file}: other data than this run was begun with; give another out")
    finally:
        draft.unlink(missing_ok=True)


def _entrant(
    name: str,
    what: Callable[..., Any] | str,
    recipe: Recipe | Mapping[str, Recipe] | None,
    listener: Listener,
) -> Entrant:
    """Return the entrant of this name; what is an object is ready to be made from now on."""
    asked = recipe.get(name) if isinstance(recipe, Mapping) else recipe
    common: dict[str, Any] = {"name": _name(name), "title": name, "recipe": asked or Recipe()}
    if isinstance(what, str):
        return Entrant(architecture=what, **common)
    if not callable(what) or isinstance(what, nn.Module):
        raise UsageError(
            f"{name}: give a class, or a function that makes a network anew for each seed, not "
            f"{'a network' if isinstance(what, nn.Module) else type(what).__name__}"
        )
    architecture, known_by = load_object(name, what)
    if known_by.startswith(UNKNOWN):
        listener.stage(
            f"{name}: Python does not know the source of {what!r}, so this run cannot tell when it "
            "changes; put it into a file"
        )
    return Entrant(architecture=architecture, source=known_by, **common)


def _name(text: str) -> str:
    """Return a text as the name of a study or an entrant."""
    name = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:60]
    if not name:
        raise UsageError(f"{text!r}: give a name with letters or digits")
    return name
