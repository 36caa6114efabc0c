"""Who is beaten by whom, as far as verdicts and intervals show it."""

from __future__ import annotations

from dataclasses import replace

from bakeoff.findings.findings import Findings
from bakeoff.report.sections.offers import Beaten, Offer, beaten, beaten_text, offers


def at(cost: float, score: float, reach: float = 0.0) -> Offer:
    return Offer(cost, cost - reach, cost + reach, score, score, score)


def test_offers_are_the_means_with_their_intervals(five_seeds: Findings) -> None:
    found = offers(five_seeds, "parameters")
    seen = {each.name: each for each in five_seeds.comparison.entrants}
    assert [*found] == [each.name for each in five_seeds.study.entrants]
    for name, offer in found.items():
        score = seen[name].balanced_accuracy
        assert score is not None
        ends = score.mean, score.low, score.high
        assert (offer.score, offer.score_low, offer.score_high) == ends
        assert offer.cost == offer.cost_low == offer.cost_high
    for name, offer in offers(five_seeds, "training_seconds").items():
        seconds = seen[name].seconds_interval
        assert seconds is not None
        assert (offer.cost_low, offer.cost_high) == tuple(seconds)
        assert seconds.low <= offer.cost <= seconds.high


def test_only_what_is_shown_beats(five_seeds: Findings) -> None:
    comparison = five_seeds.comparison
    better = next(pair for pair in comparison.pairs if pair.verdict.kind == "better")
    open_pair = next(pair for pair in comparison.pairs if pair.verdict.kind == "undecided")
    winner = better.verdict.better
    assert winner is not None
    loser = better.b if winner == better.a else better.a
    for found, expected in (
        ({winner: at(1, 0.9), loser: at(2, 0.8)}, [Beaten(loser, winner, "better and cheaper")]),
        (
            {winner: at(2, 0.9), loser: at(2, 0.8)},
            [Beaten(loser, winner, "better at the same cost")],
        ),
        ({winner: at(2, 0.9), loser: at(1, 0.8)}, []),
        # Seconds whose intervals overlap, or that nothing tells how sure they are.
        ({winner: at(1, 0.9, reach=0.6), loser: at(2, 0.8, reach=0.6)}, []),
        ({winner: replace(at(1, 0.9), cost_high=None), loser: at(2, 0.8)}, []),
        ({open_pair.a: at(1, 0.9), open_pair.b: at(2, 0.8)}, []),
    ):
        assert beaten(found, comparison) == expected
    assert beaten_text({open_pair.a: at(1, 0.9), open_pair.b: at(2, 0.8)}, comparison) == ("nobody")
    assert beaten_text({winner: at(1, 0.9), loser: at(2, 0.8)}, comparison) == (
        f"{loser} by {winner} (better and cheaper)"
    )


def test_of_two_that_are_equivalent_the_dearer_is_beaten(five_seeds: Findings) -> None:
    first, *rest = five_seeds.comparison.pairs
    verdict = replace(first.verdict, kind="equivalent", better=first.b)
    comparison = replace(five_seeds.comparison, pairs=(replace(first, verdict=verdict), *rest))
    found = {first.a: at(1, 0.9), first.b: at(2, 0.91)}
    assert beaten(found, comparison) == [Beaten(first.b, first.a, "equivalent and cheaper")]


def test_one_seed_beats_nobody(one_seed: Findings) -> None:
    assert beaten(offers(one_seed, "parameters"), one_seed.comparison) == []
