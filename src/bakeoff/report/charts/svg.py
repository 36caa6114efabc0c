"""From matplotlib's SVG to one that can stand in a page beside others, or alone in a file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.etree import ElementTree as ET

from bakeoff.report.palette import TONES
from bakeoff.text import visible

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_HREF = f"{{{_XLINK}}}href"
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_FONT_FAMILY = re.compile(r" font-family: [^;]*;")
_NO_TURN = re.compile(r"rotate\(-?0 [^)]*\)")
_REFERENCE = re.compile(r"(?<=url\(#)[^)]+")


class Numbers(NamedTuple):
    """What a chart shows, for those who would rather read it, or hear it read."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    """The first cell of each is its heading."""


@dataclass(frozen=True)
class Chart:
    """A chart as matplotlib drew it, with what it shows in words."""

    name: str
    """Also its file name, without .svg."""
    description: str
    drawn: str
    numbers: Numbers
    """What it shows, as a table."""
    said: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What marks say, by their id in the drawing: a text, or one for each point."""

    def inline(self) -> str:
        """Return the SVG for a page: colours are CSS variables, the size follows its column."""
        root = self._tidy(self.name)
        for size in ("width", "height"):
            root.attrib.pop(size, None)
        root.set("class", "chart")
        text = ET.tostring(root, encoding="unicode")
        for tone in TONES.values():
            text = text.replace(tone.stand_in, tone.variable)
        return text

    def standalone(self) -> str:
        """Return the SVG as a file of its own: plain colours on its own light paper."""
        root = self._tidy("c")
        _, _, width, height = root.get("viewBox", "0 0 0 0").split()
        paper = {"width": width, "height": height, "fill": TONES["paper"].light}
        root.insert(0, ET.Element(f"{{{_SVG}}}rect", paper))
        text = ET.tostring(root, encoding="unicode")
        # Not every reader of SVG files knows CSS variables.
        for tone in TONES.values():
            text = text.replace(tone.stand_in, tone.light)
        return text.replace(f"var(--sans, {_FONTS})", _FONTS) + "\n"

    def _tidy(self, prefix: str) -> ET.Element:
        """Return the tree with ids that carry `prefix`, without metadata or a style sheet."""
        ET.register_namespace("", _SVG)
        ET.register_namespace("xlink", _XLINK)
        root = ET.fromstring(self.drawn)  # noqa: S314  # drawn here, not read from anywhere
        used = set()
        for parent in list(root.iter()):
            for child in list(parent):
                # matplotlib's style element would apply to the whole page around the chart.
                if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                    parent.remove(child)
            for value in parent.attrib.values():
                used.update(_REFERENCE.findall(value))
            used.add(parent.get(_HREF, "").removeprefix("#"))
        for element in root.iter():
            self._let_say(element)
            _rename(element, prefix, used)
            if _NO_TURN.fullmatch(element.get("transform", "")):
                del element.attrib["transform"]
            # One family on the root serves the whole drawing; figures of one width align better.
            if "font-family" in element.get("style", ""):
                element.set("style", _FONT_FAMILY.sub("", element.attrib["style"]))
        root.set(
            "style",
            "stroke-linejoin: round; stroke-linecap: butt; font-variant-numeric: tabular-nums; "
            f"font-family: var(--sans, {_FONTS})",
        )
        # Not an image, or no screen reader would hear what its marks say.
        root.set("role", "group")
        root.set("aria-label", self.description)
        return root

    def _let_say(self, element: ET.Element) -> None:
        """Give a mark, or each of its points, what it says; hide the numbers of axes behind it."""
        mark = element.get("id", "")
        said = self.said.get(mark, ())
        each_point = list(element.iter(f"{{{_SVG}}}use"))
        for part, text in zip(each_point if len(said) > 1 else [element], said, strict=False):
            title = ET.Element(f"{{{_SVG}}}title")
            title.text = visible(text)
            part.insert(0, title)
            part.set("role", "img")
        if mark.startswith("matplotlib.axis"):
            element.set("aria-hidden", "true")


def _rename(element: ET.Element, prefix: str, used: set[str]) -> None:
    """Give ids that something points to the prefix, and drop the others."""
    for key, value in list(element.attrib.items()):
        if key == _HREF:
            element.set(key, f"#{prefix}-{value[1:]}")
        elif key != "id":
            element.set(key, _REFERENCE.sub(rf"{prefix}-\g<0>", value))
        elif value in used:
            element.set(key, f"{prefix}-{value}")
        else:
            del element.attrib[key]
