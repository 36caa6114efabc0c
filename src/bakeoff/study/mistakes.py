"""The mistakes in a study, in one line each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from bakeoff.errors import did_you_mean
from bakeoff.text import shortened

# What pydantic would say of JSON and patterns, in the words of a study file.
_DEMANDS = {
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "string_too_short": "must have at least one character",
    "string_pattern_mismatch": (
        "must be 1 to 64 of a-z, 0-9, '.', '_' and '-', first a-z or 0-9, last no '.'"
    ),
    "too_short": "must have at least one",
    "too_long": "must have no more than two",
}


def written_place(location: Sequence[int | str]) -> str:
    """Return where a key stands, as `entrants[1].recipe.epochs`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return shortened("".join(steps).lstrip("."))


def in_words(mistake: ErrorDetails, place: str, keys: Iterable[str]) -> str:
    """Return what is wrong at `place`, and what to do; `keys` are those that may stand there."""
    if mistake["type"] == "json_invalid":
        # We wrote that JSON ourselves; only its depth can be refused.
        return "not valid TOML: nested too deeply"
    if mistake["type"] == "extra_forbidden":
        return f"{place}: unknown key; {did_you_mean(str(mistake['loc'][-1]), keys)}"
    if mistake["type"] == "value_error":
        return f"{place}: {mistake['ctx']['error']}".removeprefix(": ")
    if mistake["type"] == "missing":
        return f"{place}: missing; add it"
    text = _DEMANDS.get(mistake["type"]) or mistake["msg"].replace("Input should", "must", 1)
    return f"{place}: {text}, not {quoted(mistake['input'])}"


def quoted(value: Any) -> str:
    """Return a value of a file as it stands there, or how it begins."""
    try:
        return shortened(json.dumps(value, default=str))
    except (ValueError, RecursionError):
        return "that"
