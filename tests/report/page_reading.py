"""Reads a page the way a browser does, as far as the tests need it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Element:
    """One element: its tag, attributes, children, the text directly inside, and all in order."""

    tag: str
    attributes: dict[str, str | None]
    children: list[Element] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    content: list[Element | str] = field(default_factory=list, repr=False, compare=False)

    def all(self, tag: str, kind: str | None = None) -> list[Element]:
        """Return the descendants of this tag, and of this class where one is given."""
        found = []
        for child in self.children:
            classes = (child.attributes.get("class") or "").split()
            if child.tag == tag and (kind is None or kind in classes):
                found.append(child)
            found += child.all(tag, kind)
        return found

    @property
    def text(self) -> str:
        """All text inside, single-spaced."""
        return " ".join("".join(_written(self)).split())


def _written(element: Element) -> Iterator[str]:
    for part in element.content:
        if isinstance(part, str):
            yield part
        else:
            # What is a link is part of its sentence; all else stands for itself.
            around = "" if part.tag == "a" else " "
            yield from (around, *_written(part), around)


_VOID = {"meta", "img", "br", "link", "input", "hr"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("root", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self._add(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._add(Element(tag, dict(attrs)))

    def _add(self, element: Element) -> None:
        self.open[-1].children.append(element)
        self.open[-1].content.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].content.append(data)
        if data.strip():
            self.open[-1].words.append(data)


def read_page(html: str) -> Element:
    """Return the page's tree; fails where tags are not closed in order."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def everything(element: Element) -> list[Element]:
    """Return the element's descendants."""
    return [each for child in element.children for each in (child, *everything(child))]
