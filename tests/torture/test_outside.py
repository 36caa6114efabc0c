"""What surrounds a run: a share of `make torture`."""

from __future__ import annotations

from benchmarks.torture import outside
from benchmarks.torture.proofs import Bench


def test_no_link_leads_out_of_the_folder(bench: Bench) -> None:
    row = outside.links(bench, ("unfinished", "set-aside", "figures", "trials/plain", "study.toml"))
    assert (row.tried, row.faults) == (20, [])


def test_a_folder_may_be_begun_by_several_at_once(bench: Bench) -> None:
    row = outside.births(bench, 1, 4)
    assert (row.tried, row.faults) == (1, [])


def test_a_recipe_that_explodes_leaves_the_other_entrant_alone(bench: Bench) -> None:
    row = outside.explosions(bench, (("sgd", 100.0), ("adam", 300.0)))
    assert (row.tried, row.faults) == (4, [])
