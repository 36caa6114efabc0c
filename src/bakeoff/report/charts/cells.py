"""A sheet of shaded cells and texts, written as SVG without a library: a hundred cells in no time.

One unit is one CSS pixel at full size, as on the sheets of `canvas`; the origin is the top left.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from xml.sax.saxutils import escape

from bakeoff.report.charts.canvas import LABEL, TEXT, WIDTH
from bakeoff.report.charts.labels import extent
from bakeoff.report.palette import INK
from bakeoff.text import visible

_HALF_OF_A_LETTER = 0.36
"""From the middle of a line of text down to its baseline, as a share of its size."""

Box = tuple[float, float, float, float]
"""Left, top, width, height."""


@dataclass
class CellSheet:
    """What is drawn so far, below a title at the top left."""

    height: float
    title: str
    _parts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.write(0, 14, self.title, INK, align="start", size=TEXT, bold=True)

    def write(
        self,
        x: float,
        baseline: float,
        text: str,
        colour: str,
        *,
        align: Literal["start", "middle", "end"] = "middle",
        size: float = LABEL,
        bold: bool = False,
        turned: bool = False,
    ) -> None:
        """Write a text on its baseline, or, turned, upwards from it."""
        if not text:
            return
        style = f"font-size: {_short(size)}px; text-anchor: {align}; fill: {colour}"
        if bold:
            style += "; font-weight: bold"
        place = f'x="{_short(x)}" y="{_short(baseline)}"'
        turn = f' transform="rotate(-90 {_short(x)} {_short(baseline)})"' if turned else ""
        written = escape(visible(text))
        self._parts.append(f'<text {place} style="{style}"{turn}>{written}</text>')

    def cell(self, box: Box, colour: str, depth: float, text: str, said: str) -> None:
        """Shade a box so deep, in [0, 1], and write a text that fits; `said` is for the pointer."""
        left, top, width, height = box
        place = f'x="{_short(left + 0.75)}" y="{_short(top + 0.75)}"'
        extents = f'width="{_short(width - 1.5)}" height="{_short(height - 1.5)}"'
        self._parts.append(
            f'<rect {place} {extents} role="img" style="fill: {colour}; opacity: {_short(depth)}">'
            f"<title>{escape(visible(said))}</title></rect>"
        )
        size = min(LABEL, LABEL * width / max(extent(text, LABEL)[0], 1))
        baseline = top + height / 2 + _HALF_OF_A_LETTER * size
        self.write(left + width / 2, baseline, text, INK, size=size)

    def svg(self) -> str:
        """Return the drawing."""
        size = f'width="{_short(WIDTH)}pt" height="{_short(self.height)}pt"'
        box = f'viewBox="0 0 {_short(WIDTH)} {_short(self.height)}"'
        body = "\n".join(self._parts)
        return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box}>\n{body}\n</svg>\n'


def _short(value: float) -> str:
    return f"{value:.6g}"
