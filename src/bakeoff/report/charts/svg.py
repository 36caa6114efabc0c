"""From matplotlib's SVG to one that can stand in a page beside others, or alone in a file."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from bakeoff.report.palette import TONES

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_HREF = f"{{{_XLINK}}}href"
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_FONT_FAMILY = re.compile(r" font-family: [^;]*;")
_NO_TURN = re.compile(r"rotate\(-?0 [^)]*\)")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


def _tidy(drawn: str, prefix: str) -> ET.Element:
    """Return the tree with ids that carry `prefix`, without metadata or a style sheet."""
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)
    root = ET.fromstring(drawn)  # noqa: S314  # drawn here, not read from anywhere
    for parent in list(root.iter()):
        for child in list(parent):
            # matplotlib's style element would apply to the whole page around the chart.
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)
    used = set()
    for element in root.iter():
        for key, value in element.attrib.items():
            used.update(_REFERENCE.findall(value))
            if key == _HREF and value.startswith("#"):
                used.add(value[1:])
    for element in root.iter():
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
    return root


def _rename(element: ET.Element, prefix: str, used: set[str]) -> None:
    """Give ids that something points to the prefix, and drop the others."""
    for key, value in list(element.attrib.items()):
        if key == "id":
            if value in used:
                element.set(key, f"{prefix}-{value}")
            else:
                del element.attrib[key]
        elif key == _HREF and value.startswith("#"):
            element.set(key, f"#{prefix}-{value[1:]}")
        elif "url(#" in value:
            element.set(key, _REFERENCE.sub(rf"url(#{prefix}-\1)", value))


def _describe(root: ET.Element, description: str) -> None:
    root.set("role", "img")
    root.set("aria-label", description)


def inline(drawn: str, name: str, description: str) -> str:
    """Return the SVG for a page: colours are CSS variables, the size follows its column."""
    root = _tidy(drawn, name)
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.set("class", "chart")
    _describe(root, description)
    text = ET.tostring(root, encoding="unicode")
    for tone in TONES.values():
        text = text.replace(tone.stand_in, tone.variable)
    return text


def standalone(drawn: str, description: str) -> str:
    """Return the SVG as a file of its own: plain colours on its own light paper."""
    root = _tidy(drawn, "c")
    _describe(root, description)
    view = root.get("viewBox", "0 0 0 0").split()
    paper = ET.Element(
        f"{{{_SVG}}}rect", {"width": view[2], "height": view[3], "fill": TONES["paper"].light}
    )
    root.insert(0, paper)
    text = ET.tostring(root, encoding="unicode")
    # Not every reader of SVG files knows CSS variables.
    for tone in TONES.values():
        text = text.replace(tone.stand_in, tone.light)
    return text.replace(f"var(--sans, {_FONTS})", _FONTS) + "\n"
