"""Comparisons of predictions that were made elsewhere: models, scores, groups, gates."""

from __future__ import annotations

import json

import numpy as np

from bakeoff.comparison.compare import Comparison, compare
from bakeoff.comparison.outcome import EntrantOutcome
from bakeoff.comparison.requirement import Requirement

ITEMS = 400


def right(name: str, wrong: int, runs: tuple[int | str, ...] = ("run",)) -> EntrantOutcome:
    """A model that is wrong on the first so many items, in all runs."""
    correct = np.ones((len(runs), ITEMS), dtype=bool)
    correct[:, :wrong] = False
    return EntrantOutcome(name, None, runs, scores=correct)


def judged(*outcomes: EntrantOutcome, **more: object) -> Comparison:
    options = {"metric": "score", "about": None, "items": "items", "equivalence_margin": None}
    return compare(outcomes, None, None, **options | more)  # type: ignore[arg-type]


def test_two_models_with_one_run_each_have_a_verdict_over_new_items() -> None:
    found = judged(right("new", 10), right("old", 40))
    pair = found.pairs[0]
    assert (found.about, pair.verdict.kind, pair.verdict.better) == ("models", "better", "new")
    assert pair.verdict.sentence == (
        "of these trained models, on new items: new is better than old by 7.50 points "
        "(5.32 to 10.62), p < 0.001"
    )
    assert pair.paired is None
    assert pair.over_items is not None
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["pairs"][0]["low"] > 0.05


def test_a_gate_is_met_refuted_or_undecided() -> None:
    outcomes = right("new", 10), right("old", 40)
    for text, outcome in (
        ("new > old", "met"),
        ("new >= old + 5", "met"),
        ("new >= old + 6", "undecided"),
        ("old >= new - 0.25", "refuted"),
    ):
        (required,) = judged(*outcomes, requirements=[Requirement.parse(text)]).required
        assert required.outcome == outcome, text
        assert required.sentence.startswith(f"{outcome}: {text}: of these trained models, ")


def test_only_pairs_with_the_baseline_are_tested_and_counted() -> None:
    outcomes = right("base", 40), right("a", 20), right("b", 10)
    with_a, with_b, rest = judged(*outcomes, baseline="base").pairs
    for pair in (with_a, with_b):
        assert pair.evidence is not None
        assert pair.evidence.pairs == 2
    assert rest.evidence is None
    assert rest.difference == -0.025
    assert rest.verdict.sentence == (
        "not tested, since only pairs with base are; on these items a minus b is -2.50 points"
    )
