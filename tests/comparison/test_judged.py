"""Comparisons of predictions that were made elsewhere: models, scores, groups, gates."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bakeoff.comparison.compare import Comparison, compare
from bakeoff.comparison.outcome import EntrantOutcome
from bakeoff.comparison.requirement import Requirement
from bakeoff.comparison.statistics.power import MoreItems
from bakeoff.errors import DataError, UsageError

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
        "(5.32 to 10.62), p < 0.001; alone right on 30 and 0, exact McNemar p < 0.001"
    )
    assert pair.paired is None
    assert pair.mcnemar is not None
    assert (pair.mcnemar.only_a, pair.mcnemar.only_b) == (30, 0)
    assert pair.of_one_seed is None
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
        "not tested, since only pairs with base are; on these items b is 2.50 points ahead of a"
    )


def test_a_baseline_and_requirements_must_name_entrants() -> None:
    outcomes = right("new", 10), right("old", 40)
    with pytest.raises(UsageError) as caught:
        judged(*outcomes, baseline="odl")
    assert str(caught.value) == "no entrant 'odl' as baseline; did you mean 'old'?"
    with pytest.raises(UsageError) as caught:
        judged(*outcomes, requirements=[Requirement.parse("mew > old")])
    assert str(caught.value) == "'mew > old' names no entrant 'mew'; did you mean 'new'?"
    with pytest.raises(UsageError) as caught:
        judged(*outcomes, requirements=[Requirement.parse("new == old")])
    assert str(caught.value) == "'new == old' needs a margin of equivalence: give one"


def test_several_runs_of_a_model_need_no_partners() -> None:
    found = judged(right("new", 10, (1, 2, 3)), right("old", 40, ("x", "y")))
    (pair,) = found.pairs
    assert (found.about, pair.seeds, pair.notes) == ("models", (), ())
    assert pair.over_items is not None
    assert pair.over_items.runs == (3, 2)
    assert pair.difference == 0.075
    assert pair.flips is not None
    assert pair.flips.only_a.tolist() == list(range(10, 40))


def test_two_common_seeds_make_it_about_architectures_unless_asked_otherwise() -> None:
    outcomes = right("new", 10, (1, 2)), right("old", 40, (2, 1))
    assert judged(*outcomes).about == "architectures"
    assert judged(*outcomes, about="models").about == "models"
    with_third = judged(*outcomes, right("third", 20), baseline="new")
    assert with_third.about == "models"
    # Between the two that are tested there are enough.
    assert judged(right("third", 20), *outcomes, baseline=None).about == "models"


def graded(name: str, shift: float, seeds: tuple[int, ...] = (1, 2, 3)) -> EntrantOutcome:
    rng = np.random.default_rng([len(name), *seeds])
    easy = np.random.default_rng(0).gamma(2, 0.1, ITEMS)
    scores = easy + 0.1 * rng.random((len(seeds), ITEMS)) + shift
    return EntrantOutcome(name, None, seeds, scores=scores)


def test_of_losses_less_is_better_and_the_sentence_says_so() -> None:
    outcomes = graded("new", 0.0), graded("newer", 0.05)
    (of_losses,) = judged(*outcomes, metric="log_loss").pairs
    assert of_losses.verdict.better == "new"
    assert of_losses.verdict.sentence == (
        "new is better than newer by 0.0512 nats (0.0433 to 0.0590) less log loss, p = 0.001"
    )
    (of_scores,) = judged(*outcomes).pairs
    assert of_scores.verdict.sentence == (
        "newer is better than new by 0.0512 (0.0433 to 0.0590), p = 0.001"
    )
    assert of_losses.difference == of_scores.difference
    assert of_scores.flips is None
    (required,) = judged(
        *outcomes, metric="brier", requirements=[Requirement.parse("newer >= new - 0.1")]
    ).required
    assert required.sentence == (
        "met: newer >= new - 0.1: newer has 0.0512 more Brier score than new (0.0433 to 0.0590), "
        "p = 0.001"
    )


def test_one_common_seed_of_scores_says_what_is_at_hand() -> None:
    (pair,) = judged(graded("a", 0.0, (1,)), graded("bb", 0.05, (1,)), about="architectures").pairs
    assert pair.difference is not None
    assert pair.verdict.sentence == (
        f"of these two trained models, on these items, bb is {-pair.difference:.6g} ahead of a"
    )
    assert pair.mcnemar is None


def test_the_line_says_how_many_groups_there_are_and_what_few_cost() -> None:
    outcomes = right("new", 10), right("old", 40)
    many = judged(*outcomes, groups=np.arange(ITEMS) // 10)
    assert many.group_note == "40 groups of items were drawn, not single items"
    assert many.pairs[0].verdict.sentence.startswith(
        "cannot be told apart: of these trained models, on new groups of items: "
    )
    assert many.pairs[0].verdict.sentence.endswith("; 40 groups")
    assert judged(*outcomes, groups=np.arange(ITEMS) // 80).group_note == (
        "5 groups of items were drawn, not single items; so few cost: with 4.0 degrees of freedom "
        "the part of an interval that they bring is 1.4 times as wide as with many"
    )


def test_what_the_metric_is_about_has_to_be_there() -> None:
    labels = np.zeros(ITEMS, dtype=np.int64)
    with pytest.raises(DataError) as caught:
        compare([graded("a", 0.0)], labels, 2, metric="accuracy")
    assert str(caught.value) == (
        "entrant 'a': accuracy needs predicted classes and labels, or for each answer whether it "
        "is right"
    )
    bare = EntrantOutcome("a", np.zeros((1, ITEMS), dtype=np.int64), (1,))
    with pytest.raises(DataError) as caught:
        compare([bare], labels, 2, metric="log_loss")
    assert str(caught.value) == "entrant 'a': log_loss needs scores"
    with pytest.raises(DataError) as caught:
        judged(right("a", 1), metric="balanced_accuracy")
    assert str(caught.value) == "balanced_accuracy needs labels"
    with pytest.raises(DataError) as caught:
        judged(EntrantOutcome("a", None, (1,), scores=np.full((1, 3), np.nan)))
    assert str(caught.value) == (
        "entrant 'a': scores holds nan at seeds 0, images 0: give finite numbers"
    )


def test_requirements_given_together_are_corrected_together() -> None:
    outcomes = right("new", 10), right("old", 22)
    one = Requirement.parse("new > old")
    (alone,) = judged(*outcomes, requirements=[one]).required
    assert alone.p_value == alone.p_value_holm
    both = judged(*outcomes, requirements=[one, Requirement.parse("old > new")]).required
    assert both[0].p_value_holm == pytest.approx(2 * (alone.p_value or 0))
    assert both[0].sentence.endswith(" after Holm's correction for 2 requirements")
    assert [each.outcome for each in both] == ["met", "refuted"]


def test_an_undecided_requirement_says_how_much_data_would_decide() -> None:
    (required,) = judged(
        right("new", 10), right("old", 12), requirements=[Requirement.parse("new > old")]
    ).required
    assert required.outcome == "undecided"
    assert isinstance(required.plan, MoreItems)
    assert required.sentence == (
        "undecided: new > old: of these trained models, on new items: new is 0.50 points ahead of "
        "old (0.46 behind to 1.83 ahead), p = 0.16; about 2,000 items (600 to 5,000) would "
        "probably decide it"
    )
    # 1.96 + 0.84 standard errors: (2.8 / 1.41)^2 times as many items as there are.
    assert required.plan.items == pytest.approx(4 * ITEMS, rel=0.05)


def test_json_of_what_could_be_asked_before_has_no_new_keys() -> None:
    labels = np.arange(ITEMS) % 2
    outcomes = [
        EntrantOutcome(name, np.stack([labels, labels]), (1, 2), np.ones(2), np.ones(2))
        for name in "ab"
    ]
    found = compare(outcomes, labels, 2).to_dict()
    new = {"about", "baseline", "group_note", "required", "over_items", "score", "extent", "groups"}
    assert not new & {*found, *found["pairs"][0], *found["entrants"][0]}
