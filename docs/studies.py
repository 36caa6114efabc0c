"""Writes docs/studies.md, the keys of a study, from the types that read them.

    python docs/studies.py

A test compares the page with what this returns.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bakeoff.study.augmentation import Augmentation
from bakeoff.study.protocol import Protocol
from bakeoff.study.recipe import _DETAILS, Recipe
from bakeoff.study.study import Decision, Entrant, Inside, Published, Study

PAGE = Path(__file__).with_name("studies.md")

OPENING = """# The keys of a study

A study is a TOML file: what is asked, written down before anything is trained. `bakeoff show NAME`
prints one with every default, `bakeoff new IMAGES` writes one to begin with, `--set
TABLE.KEY=VALUE` changes a key on the command line, and `bakeoff check STUDY` tries it without
training. A key that is not known is refused, with the nearest that is.

```toml
name = "width"
question = "Does dropout help after three epochs?"
seeds = 5

[protocol]
dataset = "mnist"

[recipe]
learning_rate = 0.003
schedule = "one-cycle"
batch_size = 100
epochs = 3

[[entrants]]
name = "plain"
architecture = "cnn-2conv"

[[entrants]]
name = "dropout"
architecture = "cnn-2conv-dropout"
```

This page is written by `python docs/studies.py`, from the types that read the file.
"""

TABLES: tuple[tuple[str, type[BaseModel], str], ...] = (
    ("At the top", Study, "Texts and repeats. The number of seeds and texts change no trial."),
    ("[protocol]", Protocol, "What is the same for all entrants: [data.md](data.md)."),
    (
        "[protocol.augmentation]",
        Augmentation,
        "How training images are changed anew in each epoch: [data.md](data.md#augmentation).",
    ),
    (
        "[recipe]",
        Recipe,
        "How an architecture is trained: a table for all entrants, and `recipe` of one of them, "
        "which goes before it.",
    ),
    ("[[entrants]]", Entrant, "What competes, one table each: [networks.md](networks.md)."),
    ("[entrants.published]", Published, "Figures printed elsewhere, shown beside ours."),
    ("[decision]", Decision, "What a verdict must meet: [statistics.md](statistics.md)."),
    ("[inside]", Inside, "What is shown of the inside of networks: [inside.md](inside.md)."),
)

DEFAULTS = {
    (Recipe, "warmup"): "0.25 for `one-cycle`, else none",
    (Protocol, "fit"): "`crop`, where there is an `image_size`",
    (Protocol, "test"): "0.2 for files of your own that have no test part",
    (Protocol, "validation"): "0.1; for `mnist` 6,000 `validation_examples`",
}
"""Where a default depends on other keys."""

_ELSEWHERE = {
    (Study, "protocol"), (Study, "decision"), (Study, "entrants"), (Study, "inside"),
    (Protocol, "augmentation"), (Entrant, "recipe"), (Entrant, "published"),
    (Study, "base"), (Entrant, "source"), (Entrant, "weights_sha256"),
}  # fmt: skip
"""Tables of their own, and what is filled in and never written by hand."""

_WHOLE, _NUMBER = "whole number", "number"
_TYPES = {
    "integer": _WHOLE, "number": _NUMBER, "string": "text", "boolean": "true or false",
    "object": "table",
}  # fmt: skip
_BOUNDS = {
    "exclusiveMinimum": "above", "minimum": "from", "exclusiveMaximum": "below", "maximum": "to",
}  # fmt: skip


def page() -> str:
    """Return the page."""
    tables = [
        f"## {title}\n\n{text}\n\n| key | what | value | without it |\n|---|---|---|---|\n"
        + "\n".join(
            _row(model, key) for key in model.model_fields if (model, key) not in _ELSEWHERE
        )
        for title, model, text in TABLES
    ]
    return "\n".join([OPENING, *(f"{table}\n" for table in tables)])


def _keys(model: type[BaseModel]) -> list[str]:
    return [key for key in model.model_fields if (model, key) not in _ELSEWHERE]


def _row(model: type[BaseModel], key: str) -> str:
    schema = model.model_json_schema()["properties"][key]
    what = _docstrings(model)[key]
    cells = [f"`{key}`", what, _kind(schema), _default(model, key)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _kind(schema: dict[str, Any]) -> str:
    """Return in words what a value may be."""
    if "anyOf" in schema:
        kinds = [_kind(each) for each in schema["anyOf"] if each.get("type") != "null"]
        # A number may be whole.
        left = [each for each in kinds if each and not (each == _WHOLE and _NUMBER in kinds)]
        return " or ".join(left)
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return ", ".join(f"`{_toml(value)}`" for value in values)
    if schema.get("type") == "array":
        items = schema.get("items") or (schema.get("prefixItems") or [{}])[0]
        return f"list, each {_kind(items)}" if _kind(items) else "list"
    bounds = [f"{word} {schema[name]:,}" for name, word in _BOUNDS.items() if name in schema]
    return " ".join([_TYPES.get(schema.get("type", ""), ""), *bounds]).strip()


def _default(model: type[BaseModel], key: str) -> str:
    field = model.model_fields[key]
    if (model, key) in DEFAULTS:
        return DEFAULTS[model, key]
    if model is Recipe and key in _DETAILS:
        return f"`{_toml(_DETAILS[key].default)}`; only for {_DETAILS[key].whose}"
    if field.is_required():
        return "must be there"
    if field.default_factory is not None:
        raise KeyError(f"{model.__name__}.{key}: say in DEFAULTS what stands there without it")
    if field.default is None or field.default in ((), {}):
        return "none"
    return '`""`' if field.default == "" else f"`{_toml(field.default)}`"


def _toml(value: object) -> str:
    return json.dumps(value)


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Return the text below each key in the source of a model, in one line."""
    (written,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    found = {}
    for before, after in pairwise(written.body if isinstance(written, ast.ClassDef) else []):
        text = after.value if isinstance(after, ast.Expr) else None
        if (
            isinstance(before, ast.AnnAssign)
            and isinstance(before.target, ast.Name)
            and isinstance(text, ast.Constant)
        ):
            found[before.target.id] = " ".join(str(text.value).split())
    return found


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
