from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bakeoff.comparison.compare import compare
from bakeoff.comparison.outcome import EntrantOutcome, LeftOut, TargetTimes
from bakeoff.comparison.statistics.spending import price
from bakeoff.comparison.words import p_number
from bakeoff.errors import DataError

LABELS = np.random.default_rng(99).integers(0, 3, 400)


def outcome(name: str, seeds: tuple[int, ...], errors: float = 0.1, **more: Any) -> EntrantOutcome:
    """An entrant that errs on this share, more on some images; the same seed errs the same way."""
    hard = np.random.default_rng(0).random(len(LABELS)) ** 2 * 3
    rows = []
    for seed in seeds:
        rng = np.random.default_rng([seed, *name.encode()])
        wrong = rng.random(len(LABELS)) < errors * hard
        rows.append(np.where(wrong, (LABELS + 1) % 3, LABELS))
    predicted: NDArray[np.int64] = np.array(rows, dtype=np.int64).reshape(-1, len(LABELS))
    seconds = np.arange(1.0, len(seeds) + 1)
    return EntrantOutcome(name, predicted, seeds, seconds, seconds + 2, **more)


def test_everything_is_there_and_is_json() -> None:
    target = TargetTimes(
        np.array([3.0, 4, 5]), np.array([3.0, 3, 4]), np.array([True, True, False]), 0.9
    )
    rounds = np.linspace(1, 2, 8)
    found = compare(
        [
            outcome("A", (1, 2, 3), 0.02, target=target, seconds_per_example=2 * rounds),
            outcome("B", (1, 2, 3), 0.3, target=target, seconds_per_example=rounds),
            outcome("C", (1, 2, 3), 0.02),
        ],
        LABELS,
        3,
        known_wrong=[5, 7],
    ).to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert [entrant["name"] for entrant in found["entrants"]] == ["A", "B", "C"]
    assert [(pair["a"], pair["b"]) for pair in found["pairs"]] == [
        ("A", "B"),
        ("A", "C"),
        ("B", "C"),
    ]
    first = found["pairs"][0]
    assert first["verdict"] == "better"
    assert first["better"] == "A"
    assert first["sentence"].startswith("A is better than B by ")
    assert first["p_value"] <= first["p_value_holm"] <= 3 * first["p_value"] + 1e-12
    assert first["time_ratio"]["ratio"] == pytest.approx(2)
    assert first["seconds_to_target"]["p_value"] == pytest.approx(1)
    assert first["accuracy_without_known_wrong"]["images"] == 398
    assert first["seeds"] == [1, 2, 3]
    assert first["what_would_decide"] is None
    assert found["entrants"][0]["seconds_to_target"]["median"] == 4
    assert found["entrants"][0]["target"] == 0.9
    assert found["entrants"][2]["seconds_to_target"] is None
    assert found["entrants"][2]["target"] is None
    assert found["pairs"][1]["time_ratio"] is None
    assert len(found["hardest_images"]) <= 50
    assert found["hardest_images"][0]["wrong"] >= found["hardest_images"][1]["wrong"]


def test_the_metric_asked_for_is_the_metric_judged() -> None:
    entrants = [outcome("A", (1, 2, 3)), outcome("B", (1, 2, 3))]
    correct = [np.equal(np.array(each.predicted), LABELS) for each in entrants]
    for metric in ("accuracy", "balanced_accuracy"):
        pair = compare(entrants, LABELS, 3, metric=metric).pairs[0]
        if metric == "accuracy":
            expected = correct[0].mean() - correct[1].mean()
        else:
            expected = np.mean(
                [(correct[0] * 1.0 - correct[1])[:, c == LABELS].mean() for c in range(3)]
            )
        assert pair.difference == pytest.approx(expected)
        assert pair.metric == metric


def test_a_pair_uses_the_seeds_both_completed_and_names_the_others() -> None:
    found = compare(
        [
            outcome("A", (1, 2, 3)),
            outcome("B", (3, 1), left_out=(LeftOut(2, "diverged"),)),
            outcome("C", (1, 2)),
        ],
        LABELS,
        3,
    )
    with_diverged = found.pairs[0]
    assert with_diverged.seeds == (1, 3)
    assert with_diverged.notes == ("seed 2 is left out of this pair: B diverged",)
    assert with_diverged.verdict.sentence.endswith("; left out: seed 2 (B diverged)")
    assert found.pairs[1].notes == ("seed 3 is left out of this pair: C missing",)
    assert found.pairs[2].verdict.sentence.endswith(
        "; left out: seed 2 (B diverged), seed 3 (C missing)"
    )
    assert found.notes == ("B seed 2 is not part of the comparison: diverged",)
    # Rows are matched by seed, not by place: B's rows are those of seeds 3 and 1.
    same = compare([outcome("A", (1, 3)), outcome("B", (1, 3))], LABELS, 3).pairs[0]
    assert with_diverged.paired is not None
    assert same.paired is not None
    assert with_diverged.paired.p_value == pytest.approx(same.paired.p_value)
    assert same.difference == pytest.approx(with_diverged.difference)


def test_nobody_left_out_is_not_mentioned() -> None:
    pair = compare([outcome("A", (1, 2)), outcome("B", (1, 2))], LABELS, 3).pairs[0]
    assert "left out" not in pair.verdict.sentence
    assert pair.notes == ()


def test_times_to_different_targets_are_not_compared() -> None:
    times, reached = np.array([3.0, 4.0]), np.array([True, True])
    goals = [TargetTimes(times, times, reached, score) for score in (0.9, 0.9, 0.95)]
    found = compare(
        [
            outcome(name, (1, 2), target=goal)
            for name, goal in zip(("A", "B", "C"), goals, strict=True)
        ],
        LABELS,
        3,
    )
    tests = [(pair.epochs_to_target, pair.seconds_to_target) for pair in found.pairs]
    assert None not in tests[0]
    assert tests[1:] == [(None, None), (None, None)]


def test_one_common_seed_is_a_statement_about_two_models() -> None:
    found = compare([outcome("A", (1, 2), 0.02), outcome("B", (2, 3), 0.4)], LABELS, 3)
    pair = found.to_dict()["pairs"][0]
    assert pair["verdict"] == "undecided"
    assert pair["sentence"].startswith("these two trained models differ: A gets 40.00 points more")
    assert pair["ahead"] == "A"
    assert pair["mcnemar"]["p_value"] < 0.001
    assert pair["p_value"] is None
    assert pair["low"] is None
    assert pair["difference"] > 0
    assert pair["what_would_decide"] == "at least two seeds, better five, that both complete"


@pytest.mark.parametrize("errors", [(0.02, 0.03, 0.05), (0.02, 0.028, 0.033), (0.1, 0.13, 0.14)])
def test_the_corrected_interval_leaves_out_zero_where_a_difference_is_shown(
    errors: tuple[float, ...],
) -> None:
    seeds = (1, 2, 3, 4)
    found = compare(
        [outcome(name, seeds, error) for name, error in zip("ABC", errors, strict=True)],
        LABELS,
        3,
        equivalence_margin=None,
    )
    for pair in found.pairs:
        assert pair.paired is not None
        ends = pair.corrected or pair.paired
        assert 0.95 <= ends.confidence <= 1 - 0.05 / 3 + 1e-12
        assert (not ends.low <= 0 <= ends.high) == (pair.verdict.kind == "better")
        assert ends.low <= pair.paired.low <= pair.paired.high <= ends.high


def test_an_entrant_without_any_trial() -> None:
    missing = (LeftOut(1, "missing"), LeftOut(2, "diverged"))
    found = compare([outcome("A", (1, 2)), outcome("B", (), left_out=missing)], LABELS, 3).to_dict()
    pair, entrant = found["pairs"][0], found["entrants"][1]
    assert pair["sentence"] == (
        "undecided: A and B have no completed seed in common, so nothing can be said; "
        "left out: seed 1 (B missing), seed 2 (B diverged)"
    )
    assert pair["difference"] is None
    assert entrant["accuracy"] is None
    assert len(found["notes"]) == 2
    json.dumps(found, allow_nan=False)


def test_nobody_has_any_trial() -> None:
    found = compare([outcome("A", ()), outcome("B", ())], LABELS, 3).to_dict()
    assert found["hardest_images"] == []
    assert found["trials"] == 0


def test_identical_entrants() -> None:
    a = outcome("A", (1, 2, 3))
    twin = EntrantOutcome("B", a.predicted, a.seeds, a.seconds, a.epochs)
    pair = compare([a, twin], LABELS, 3).to_dict()["pairs"][0]
    assert (pair["difference"], pair["p_value"]) == (0, 1)
    # 400 images cannot show equivalence within a quarter of a point, however alike the answers.
    assert pair["verdict"] == "undecided"
    assert "A is level with B (1.11 behind to 1.11 ahead), p = 1.00; more seeds" in pair["sentence"]
    generous = compare([a, twin], LABELS, 3, equivalence_margin=0.03).pairs[0]
    assert generous.verdict.kind == "equivalent"


def test_without_a_margin_nothing_is_equivalent() -> None:
    a = outcome("A", (1, 2, 3))
    twin = EntrantOutcome("B", a.predicted, a.seeds, a.seconds, a.epochs)
    pair = compare([a, twin], LABELS, 3, equivalence_margin=None).to_dict()["pairs"][0]
    assert pair["verdict"] == "undecided"
    assert pair["equivalence_p"] is None


def answering(name: str, right: list[list[int]]) -> EntrantOutcome:
    """An entrant that is right, [seeds, images], where it says 1; every label is 1."""
    costs = np.ones(len(right))
    return EntrantOutcome(name, np.array(right), tuple(range(len(right))), costs, costs)


def test_hardest_are_the_most_often_wrong_and_ties_keep_their_order() -> None:
    a, b = answering("A", [[1, 0, 1, 0, 1], [1, 0, 0, 0, 1]]), answering("B", [[0, 1, 1, 0, 1]])
    found = compare([a, b], np.ones(5, int), 2).hardest_images
    assert [(each.index, each.wrong) for each in found] == [(3, 3), (1, 2), (0, 1), (2, 1)]


def test_flips_need_most_seeds() -> None:
    a = answering("A", [[1, 1, 0, 1], [1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 0, 1]])
    b = answering("B", [[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], [1, 0, 0, 1]])
    found = compare([a, b], np.ones(4, int), 2).pairs[0].flips
    assert found is not None
    # Image 1 parts them in two of four seeds only.
    assert (found.only_a.tolist(), found.only_b.tolist()) == ([0], [2])


def test_known_wrong_labels_are_marked_and_left_out() -> None:
    a = outcome("A", (1, 2))
    predicted = np.array(a.predicted)
    predicted[:, 17] = (LABELS[17] + 1) % 3
    found = compare(
        [EntrantOutcome("A", predicted, a.seeds, a.seconds, a.epochs)], LABELS, 3, known_wrong=[17]
    )
    marked = {image.index: image.known_wrong_label for image in found.hardest_images}
    assert marked[17]
    assert sum(marked.values()) == 1
    kept = np.arange(400) != 17
    estimate = found.entrants[0].accuracy_without_known_wrong
    assert estimate is not None
    assert estimate.mean == pytest.approx((predicted == LABELS)[:, kept].mean())


@pytest.mark.parametrize(
    ("entrants", "message"),
    [
        ([outcome("A", (1,)), outcome("A", (1,))], "two entrants are named 'A'"),
        ([outcome("A", (1, 1))], r"entrant 'A': a seed occurs twice among \[1, 1\]"),
        (
            [outcome("A", (1,), left_out=(LeftOut(1, "diverged"),))],
            "entrant 'A': seed 1 has predictions and is also named as left out",
        ),
        (
            [EntrantOutcome("A", np.zeros((2, 9), int), (1, 2), np.ones(2), np.ones(2))],
            r"entrant 'A': predicted has shape \[2, 9\] for 2 seeds and 400 test images",
        ),
        (
            [EntrantOutcome("A", np.full((1, 400), 3), (1,), np.ones(1), np.ones(1))],
            "entrant 'A': predicted holds classes from 3 to 3: class numbers go from 0 to 2",
        ),
        (
            [EntrantOutcome("A", np.zeros((1, 400), int), (1,), np.ones(2), np.ones(1))],
            r"entrant 'A': seconds has shape \[2\]: give one per seed",
        ),
    ],
)
def test_what_does_not_fit_is_named(entrants: list[EntrantOutcome], message: str) -> None:
    with pytest.raises(DataError, match=message):
        compare(entrants, LABELS, 3)


def test_other_bad_input() -> None:
    with pytest.raises(DataError, match="labels holds class 2 at images"):
        compare([], LABELS, 2)
    with pytest.raises(DataError, match="known_wrong names test image 400"):
        compare([], LABELS, 3, known_wrong=[400])
    with pytest.raises(DataError, match="metric is 'f1'"):
        compare([], LABELS, 3, metric="f1")  # type: ignore[arg-type]


class TestSeveralLooks:
    SEEDS = (1, 2, 3, 4, 5, 6)

    def entrants(self, number: int = 6) -> list[EntrantOutcome]:
        return [outcome(name, self.SEEDS[:number], 0.1 + 0.03 * (name == "B")) for name in "AB"]

    def looks(self, *numbers: int) -> list[dict[str, frozenset[int]]]:
        return [dict.fromkeys("AB", frozenset(self.SEEDS[:number])) for number in numbers]

    def test_a_later_look_pays_for_the_ones_before(self) -> None:
        (alone,) = compare(self.entrants(), LABELS, 3).pairs
        (third,) = compare(self.entrants(), LABELS, 3, earlier=self.looks(3, 4)).pairs
        assert alone.evidence is not None
        assert third.evidence is not None
        assert (alone.evidence.looks, alone.evidence.price) == ((6,), 1)
        assert third.evidence.looks == (3, 4, 6)
        assert third.evidence.price == pytest.approx(price((3, 4, 6), 0.05))
        assert third.paired == alone.paired
        expected = min(alone.evidence.p_value * third.evidence.price, 1)
        assert third.evidence.p_value_holm == pytest.approx(expected)
        near, free = third.evidence.nearness, alone.evidence.nearness
        assert near is not None
        assert free is not None
        assert near.p_value_holm == min(free.p_value * third.evidence.price, 1)
        document = third.to_dict()
        assert (document["looks"], document["price_of_looks"]) == (3, third.evidence.price)

    def test_the_sentence_says_how_many_looks_there_were(self) -> None:
        (first,) = compare(self.entrants(), LABELS, 3).pairs
        (third,) = compare(self.entrants(), LABELS, 3, earlier=self.looks(3, 4)).pairs
        assert "look" not in first.verdict.sentence
        assert first.evidence is not None
        assert f" after 3 looks ({p_number(first.evidence.p_value)} alone)" in (
            third.verdict.sentence
        )

    def test_the_same_seeds_again_are_the_same_look(self) -> None:
        def found(number: int, *earlier: int) -> dict[str, Any]:
            looks = self.looks(*earlier)
            return compare(self.entrants(number), LABELS, 3, earlier=looks).to_dict()

        assert found(6, 6, 6) == found(6)
        assert found(4, 3, 4, 6) == found(4, 3) != found(4)

    def test_holm_corrects_what_has_paid(self) -> None:
        three = [*self.entrants(), outcome("C", self.SEEDS[:4], 0.2)]
        earlier = self.looks(4)
        found = compare(three, LABELS, 3, earlier=earlier)
        paid = {(pair.a, pair.b): pair.evidence.price for pair in found.pairs if pair.evidence}
        # C was not there at the earlier look.
        expected = price((4, 6), 0.05 / 3)
        assert paid == {("A", "B"): pytest.approx(expected), ("A", "C"): 1, ("B", "C"): 1}

    def test_another_rule_than_before_is_named_beside_every_verdict(self) -> None:
        words = "at 95 % confidence, not 60 %"
        found = compare(self.entrants(), LABELS, 3, confidence=0.6, reopened=words)
        assert found.to_dict()["reopened"] == words
        (pair,) = found.pairs
        assert pair.verdict.sentence.endswith(
            "; reopened, looked at before at 95 % confidence, not 60 %"
        )
