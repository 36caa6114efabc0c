"""The page: what each section shows, gathered for the templates, which only arrange it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from bakeoff.findings.findings import Findings
from bakeoff.report.charts.charts import charts
from bakeoff.report.concluded import Concluded, Pair, concluded
from bakeoff.report.palette import style_sheet, styles
from bakeoff.report.pictures.looks import colour_bar, look_pictures
from bakeoff.report.sections import published, samples
from bakeoff.report.sections.batches import batch_groups
from bakeoff.report.sections.matrix import in_order, matrix, told
from bakeoff.report.sections.origins import facts, recipes
from bakeoff.report.sections.table import table
from bakeoff.report.templating import environment, own_text


def policy(script: str) -> str:
    """Return a content security policy that lets the page load nothing but what stands in it.

    Styles are allowed inline, for charts carry them on their elements; of scripts only this one.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _sections(context: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (anchor, title) of the sections that have something to show."""
    charted = context["charts"]
    everything = [
        ("entrants", "All entrants", True),
        ("pairs", "Pair by pair", context["matrix"] is not None or "seeds" in charted),
        ("curves", "How they learned", "train-loss" in charted),
        ("cost", "What accuracy costs", "accuracy-against-parameters" in charted),
        ("classes", "Class by class", "classes-f1" in charted),
        ("images", "Where they err", bool(context["mistakes"] or context["hardest"])),
        ("target", "Time to the target", bool(context["waits"])),
        ("batches", "Large or small batches", bool(context["batch_groups"])),
        ("inside", "Inside the winner", context["look"] is not None),
        ("published", "Against the published figures", bool(context["published_rows"])),
        ("origins", "Where this comes from", True),
    ]
    return [(anchor, title) for anchor, title, shown in everything if shown]


def _sentences(
    findings: Findings, found: Concluded, pairs: tuple[Pair, ...]
) -> dict[str, list[dict[str, str]]]:
    """Return the verdicts in words: the winner's first, then the others'.

    With one seed every sentence says the same caution; the page says it once instead.
    """
    told_of: dict[str, list[dict[str, str]]] = {"winner": [], "others": []}
    for pair in pairs if findings.several_seeds else ():
        original = found.pair(pair.a, pair.b) or pair
        whose = "winner" if findings.winner in (pair.a, pair.b) else "others"
        told_of[whose].append(
            {"kind": pair.verdict, "name": told(original), "text": original.sentence}
        )
    return told_of


def build_report(findings: Findings) -> str:
    """Return the report as one HTML page that needs nothing outside itself."""
    found = concluded(findings.comparison.to_dict())
    script = own_text("page.js")
    names = tuple(entrant.name for entrant in findings.study.entrants)
    pairs = in_order(findings, found)
    looked = [look for look in (findings.look, *findings.looks_others) if look is not None]
    pictures = [look_pictures(look) for look in looked]
    context: dict[str, Any] = {
        "findings": findings,
        "study": findings.study,
        "policy": policy(script),
        "script": script,
        "style": style_sheet() + own_text("page.css"),
        "colours": {name: style.css for name, style in styles(names).items()},
        "charts": {name: chart.inline() for name, chart in charts(findings).items()},
        "table": table(findings),
        "concluded": found,
        "pairs": pairs,
        "sentences": _sentences(findings, found, pairs),
        "matrix": matrix(findings, found),
        "waits": [each for each in found.entrants.values() if each.epochs_to_target],
        "mistakes": samples.mistakes(findings),
        "hardest": samples.hardest(findings),
        "flips": samples.flips(findings),
        "batch_groups": batch_groups(findings),
        "look": pictures[0] if findings.look is not None else None,
        "other_looks": pictures[1:] if findings.look is not None else pictures,
        "colour_bar": colour_bar(),
        "published_titles": published.TITLES,
        "published_rows": published.published_rows(findings),
        "facts": facts(findings),
        "recipes": recipes(findings),
    }
    context["sections"] = _sections(context)
    return environment().get_template("page.html").render(context)
