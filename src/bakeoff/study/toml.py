"""Studies as TOML files: read with one line for each mistake, written with every default."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bakeoff.errors import StudyError, UnreadableError, UsageError, did_you_mean, look_up
from bakeoff.files.reading import parse_toml, read_file
from bakeoff.study.augmentation import Augmentation
from bakeoff.study.frozen import Asked
from bakeoff.study.mistakes import in_words, quoted, written_place
from bakeoff.study.protocol import Protocol
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Decision, Entrant, Inside, Published, Study
from bakeoff.text import visible

SHIPPED = Path(__file__).with_name("shipped")
LARGEST_FILE = 250_000
"""Bytes; a study is a page of text, so more is a mistake."""

_SECTIONS: dict[str, type[Asked]] = {"protocol": Protocol, "decision": Decision, "inside": Inside}
_AUGMENTATION = "augmentation"
"""The table in that of the protocol."""
_TABLES: dict[str, type[Asked]] = {
    "recipe": Recipe, "published": Published, "entrants": Entrant,
    _AUGMENTATION: Augmentation, **_SECTIONS,
}  # fmt: skip
_EVERY_RECIPE = "recipe"
_INSTEAD = {"validation": "validation_examples", "validation_examples": "validation"}
"""Keys of the protocol of which one stands, and the other."""
_WITH = {"image_size": "fit"}
"""Keys of the protocol without which another means nothing, and that one."""


def shipped_studies() -> dict[str, Path]:
    """Return the studies that ship, by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}


def find_study(name: str) -> Path:
    """Return the file of a shipped study's name, or the TOML path that `name` is.

    Raises UsageError, with the nearest name, where there is neither.
    """
    if name.endswith(".toml"):
        return Path(name)
    if name.endswith(".py"):
        raise UsageError(
            f"{name}: code; a study is a TOML file that says which networks are trained on which "
            f'images, and how. Name it in one, as architecture = "{name}:NAME"; bakeoff new IMAGES '
            "writes one to begin with"
        )
    if name not in shipped_studies() and Path(name).exists():
        raise UsageError(f"{name}: no study; bakeoff new {name} writes one for images")
    return look_up(name, shipped_studies(), "unknown study", UsageError)


def read_study(source: Path | str) -> Study:
    """Return the study of a TOML file, or of a shipped name where `source` is a text.

    A `[recipe]` table holds for every entrant. Raises StudyError with the file, the key and what to
    do, and UsageError where nothing is called so.
    """
    path = find_study(source) if isinstance(source, str) else source
    try:
        content = read_file(path, LARGEST_FILE)
    except UnreadableError as error:
        raise StudyError(f"{error}; give a shipped name or a TOML file") from error
    try:
        study = parse_study(parse_toml(content, str(path)), str(path))
        if not study.names_files:
            return study
        folder = path.absolute().parent / Path(study.base or "").expanduser()
        return study.model_copy(update={"base": str(folder)})
    except UnreadableError as error:
        raise StudyError(str(error)) from error


def parse_study(content: Mapping[str, Any], where: str) -> Study:
    """Return the study that parsed TOML describes; `where` names it in errors (StudyError)."""
    asked = dict(content)
    common = asked.pop("recipe", {})
    if not isinstance(common, dict):
        raise StudyError(f"{where}: recipe: must be a table, not {quoted(common)}")
    entrants = asked.get("entrants")
    if isinstance(entrants, list):
        asked["entrants"] = [_with_common(entrant, common) for entrant in entrants]
    try:
        # TOML has arrays, the model has tuples; JSON mode takes one for the other.
        return Study.model_validate_json(json.dumps(asked, default=str))
    except ValidationError as error:
        raise StudyError(f"{where}: {_first_mistake(error, content)}") from error
    except RecursionError as error:
        raise StudyError(f"{where}: not valid TOML: nested too deeply") from error
    except ValueError as error:
        # An integer of thousands of digits is valid TOML, and no text that Python writes.
        raise StudyError(f"{where}: not valid TOML: a value is too large") from error


def _with_common(entrant: Any, common: Mapping[str, Any]) -> Any:
    if not isinstance(entrant, dict) or not isinstance(entrant.get("recipe", {}), dict):
        return entrant
    return entrant | {"recipe": {**common, **entrant.get("recipe", {})}}


def _first_mistake(error: ValidationError, content: Mapping[str, Any]) -> str:
    """Return one line for the first mistake: the key, what is wrong, what to do."""
    mistake = error.errors()[0]
    place = written_place(_where_written(mistake["loc"], content))
    return in_words(mistake, place, _keys_beside(mistake["loc"]))


def _where_written(
    location: Sequence[int | str], content: Mapping[str, Any]
) -> Sequence[int | str]:
    """Return where in the file the key at `location` stands: a recipe's may be all entrants'."""
    match location:
        case ["entrants", int(place), "recipe", key, *_]:
            own = content["entrants"][place].get("recipe", {})
            if key not in own and key in content.get("recipe", {}):
                return location[2:]
    return location


def _keys_beside(location: Sequence[int | str]) -> list[str]:
    """Return the keys that the table of the key at `location` may have."""
    parents = [step for step in location[:-1] if isinstance(step, str)]
    model: type[Asked] = _TABLES.get(parents[-1], Study) if parents else Study
    return [*model.model_fields, *(["recipe"] if model is Study else [])]


def with_overrides(study: Study, overrides: Sequence[str]) -> Study:
    """Return the study with each `entrant.key=value` of `overrides` applied.

    `key` is one of the recipe's, or `architecture`, `weights`, `trainable` or `title`. `recipe.key`
    means the recipe of every entrant; `protocol.key` and `decision.key` work too. A value is read
    as TOML, or else as text; without a value the key goes back to its default. Raises UsageError.
    """
    for override in overrides:
        content = study.model_dump(mode="json", exclude_none=True)
        for written, entrant in zip(content["entrants"], study.entrants, strict=True):
            # A detail of one optimizer must not stand in the way of another.
            written["recipe"] = entrant.recipe.asked()
        _override(content, override)
        try:
            study = parse_study(content, f"--set {override}")
        except StudyError as error:
            raise UsageError(str(error)) from error
    if study.names_files and study.base is None:
        # What the command line names lies where it is typed.
        return study.model_copy(update={"base": str(Path.cwd())})
    return study


def _override(content: dict[str, Any], override: str) -> None:
    target, equals, text = override.partition("=")
    owner, dot, key = target.rpartition(".")
    if not (equals and dot and owner):
        raise UsageError(f"--set {override}: write entrant.key=value")
    tables, keys = _owned(content, owner, key, override)
    if key not in keys:
        raise UsageError(f"--set {override}: unknown key; {did_you_mean(key, keys)}")
    for table in tables:
        if text:
            table[key] = _value(text)
            table.pop(_INSTEAD.get(key, ""), None)
        else:
            table.pop(key, None)
            table.pop(_WITH.get(key, ""), None)


def _owned(
    content: dict[str, Any], owner: str, key: str, override: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the tables that an override means by `owner`, and the keys that they may have."""
    entrants = {entrant["name"]: entrant for entrant in content["entrants"]}
    recipe_keys = list(Recipe.model_fields)
    if owner in _SECTIONS:
        return [content[owner]], list(_SECTIONS[owner].model_fields)
    if owner == f"protocol.{_AUGMENTATION}":
        table = content["protocol"].setdefault(_AUGMENTATION, {})
        return [table], list(Augmentation.model_fields)
    if owner == _EVERY_RECIPE:
        return [entrant["recipe"] for entrant in entrants.values()], recipe_keys
    if owner not in entrants:
        names = [*entrants, _EVERY_RECIPE, *_SECTIONS]
        raise UsageError(f"--set {override}: unknown entrant; {did_you_mean(owner, names)}")
    if key in ("architecture", "weights", "trainable", "title"):
        return [entrants[owner]], [key]
    return [entrants[owner]["recipe"]], recipe_keys


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def to_toml(study: Study, *, unset: bool = False) -> str:
    """Return the study as TOML, every default written out; `read_study` gives it back.

    With `unset` the keys that have no value stand there, too, as comments.
    """
    lines: list[str] = []
    _write_table(study.model_dump(mode="json", exclude_none=not unset), (), lines)
    return "\n".join(lines).lstrip("\n") + "\n"


def _write_table(table: Mapping[str, Any], path: tuple[str, ...], lines: list[str]) -> None:
    """Append plain values first, then the tables below them, as TOML demands."""
    for key, value in table.items():
        if value is None:
            lines.append(f"# {key} ={_keys_of(key)}")
        elif not _is_table(value):
            lines.append(f"{key} = {value_to_toml(value)}")
    for key, value in table.items():
        if isinstance(value, dict):
            lines += ["", f"[{'.'.join((*path, key))}]"]
            _write_table(value, (*path, key), lines)
        elif _is_table(value):
            for item in value:
                lines += ["", f"[[{'.'.join((*path, key))}]]"]
                _write_table(item, (*path, key), lines)


def _keys_of(table: str) -> str:
    """Return the keys that an unset table may have, as one would begin to write them."""
    keys = _TABLES[table].model_fields if table in _TABLES else ()
    return f" {{ {', '.join(f'{key} =' for key in keys)} }}" if keys else ""


def value_to_toml(value: Any) -> str:
    """Return a text, a number, a truth value or an array of these as TOML writes it.

    What steers a terminal, and so what TOML forbids in a text, is escaped.
    """
    # JSON writes all of them as TOML does.
    text = json.dumps(value, ensure_ascii=False)
    return "".join(
        each if visible(each) == each else rf"\U{ord(each):08x}" if ord(each) > 0xFFFF
        else rf"\u{ord(each):04x}"
        for each in text
    )  # fmt: skip


def _is_table(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    )
