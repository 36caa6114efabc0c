"""The templates' surroundings: everything is escaped, and nothing may be undefined."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bakeoff.comparison.words import one_digit, p_text
from bakeoff.report import words
from bakeoff.report.glossary import anchor_of, linked
from bakeoff.text import visible

_FILTERS = (
    words.proportion,
    words.signed_points,
    words.whole,
    words.count,
    words.duration,
    words.percent,
    words.p_value,
    words.setting,
    p_text,
    one_digit,
    anchor_of,
    linked,
)


def _inert(value: object) -> object:
    """Return text as it may stand in a page: what would reorder or hide it is written out.

    Escaping, which comes after this, keeps text from being read as HTML.
    """
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value, keep="\n\t")
    return value


@cache
def environment() -> Environment:
    """Return the environment that HTML and SVG templates share."""
    found = Environment(
        loader=PackageLoader("bakeoff.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_inert,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update({write.__name__: write for write in _FILTERS})
    return found


def compile_templates() -> None:
    """Compile all templates now, a third of a second's work, and not when the page is drawn."""
    for name in environment().list_templates(["html", "svg"]):
        environment().get_template(name)


def own_text(name: str) -> str:
    """Return a file of the templates as it stands."""
    return files("bakeoff.report").joinpath("templates", name).read_text(encoding="utf-8")
