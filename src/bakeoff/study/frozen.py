"""What the values of a study have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, LiteralString, NoReturn

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from bakeoff.errors import StudyError
from bakeoff.study.mistakes import in_words, written_place


class Frozen(BaseModel):
    """A value: cannot be changed, and takes no key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Asked(Frozen):
    """A part of a study: made in Python it takes lists for tuples, and raises StudyError."""

    def __init__(self, **asked: Any) -> None:
        try:
            super().__init__(**asked)
        except ValidationError as error:
            mistake, name = error.errors()[0], type(self).__name__
            place = written_place((name, *mistake["loc"]))
            raise StudyError(in_words(mistake, place, type(self).model_fields)) from error

    # So pydantic still makes what is read from a file itself, and names where in it a mistake is.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @model_validator(mode="before")
    @classmethod
    def _takes_lists(cls, asked: Any) -> Any:
        if not isinstance(asked, dict):
            return asked
        return {key: tuple(each) if isinstance(each, list) else each for key, each in asked.items()}

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse to change anything."""
        raise StudyError(f"{type(self).__name__}.{name}: cannot be changed; make another one")

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Return what was set, and is not a default: a notebook shows it in a line."""
        return (
            (key, value)
            for key, value in super().__repr_args__()
            if key in self.model_fields_set and value is not None
        )


def demand(kind: str, text: LiteralString) -> PydanticCustomError:
    """Return the one mistake of a value that may be of several types, as pydantic words them."""
    return PydanticCustomError(kind, f"Input should be {text}")
