"""Ten words that the page uses in a sense of its own: what each means, and the links to that."""

from __future__ import annotations

import re
from collections.abc import Iterable

from markupsafe import Markup

GLOSSARY = {
    "entrant": "A network with its recipe. Two batch sizes of one network are two entrants.",
    "seed": "What a training's luck starts from: split, first weights, order of batches. "
    "Trainings with one seed are paired across entrants.",
    "validation data": "Training images set aside: entrants are stopped and chosen by them, so "
    "that test data stay unseen until the end.",
    "balanced accuracy": "The share of each class that is found, averaged over classes: rare "
    "classes count as much as frequent ones.",
    "interval": "What the data leave open for the value that new bake-offs would find on average.",
    "p-value": "How often a difference at least as large would be seen if there were none.",
    "Holm's correction": "Of many pairs some differ by luck alone. It raises p-values so that a "
    "wrong claim about any pair stays as rare as one pair alone would allow.",
    "verdict": "What the data support about two entrants: one is better, they are equivalent, or "
    "neither is shown.",
    "equivalent": "Shown to differ by less than the margin. Not the same as no difference shown.",
    "margin": "The difference that the study calls too small to matter, set before training.",
}
"""What each word means."""

_OTHER_FORMS = {
    "p-value": r"p(?= (?:=|&lt;))",
    "Holm's correction": r"Holm(?:&\#39;s correction)?",
    "equivalent": "equivalence",
}
"""Patterns of what else stands for a word in a page, besides the word itself and its plural."""

_LEFT_ALONE = {"a", "button", "code", "dt", "h1", "h2", "h3", "h4", "summary", "svg", "table"}
"""Elements in which no link is made."""


def anchor_of(term: str) -> str:
    """Return the id of a word's entry."""
    return "word-" + re.sub(r"\W+", "-", term.lower())


def linked(html: str, terms: Iterable[str]) -> Markup:
    """Return a part of the page in which the first use of each word is a link to its entry.

    The part is whole: each of its elements ends in it.
    """
    forms = {term: rf"{re.escape(term)}s?|{_OTHER_FORMS.get(term, r'(?!)')}" for term in terms}
    groups = {f"word{place}": term for place, term in enumerate(forms)}
    # Not a part of a name with hyphens.
    pattern = "|".join(f"(?P<{group}>{forms[term]})" for group, term in groups.items())
    uses = re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE)
    seen: set[str | None] = set()

    def link(use: re.Match[str]) -> str:
        if use.lastgroup is None or use.lastgroup in seen:
            return use[0]
        seen.add(use.lastgroup)
        return f'<a class="term" href="#{anchor_of(groups[use.lastgroup])}">{use[0]}</a>'

    written, inside = [], 0
    for piece in re.split(r"(<[^>]*>)", html):
        tag = re.match(r"<(/?)(\w+)", piece)
        if tag is None:
            written.append(piece if inside else uses.sub(link, piece))
            continue
        if tag[2] in _LEFT_ALONE:
            inside += -1 if tag[1] else 1
        written.append(piece)
    # The templates have escaped it.
    return Markup("".join(written))  # noqa: S704
