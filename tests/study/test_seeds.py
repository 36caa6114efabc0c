from __future__ import annotations

import hashlib
import random

from hypothesis import given
from hypothesis import strategies as st

from bakeoff.study.seeds import derive_seed

names = st.text("abcdefghij_", min_size=1, max_size=5)
factors = st.dictionaries(names, st.text(max_size=5) | st.integers(0, 2**40), max_size=4)


def test_a_seed_is_the_first_63_bits_of_the_sha256_of_its_factors_in_order() -> None:
    text = b'["order",[["epoch",3],["study_seed",0],["trial_seed",7]]]'
    digest = hashlib.sha256(text).hexdigest()
    assert derive_seed("order", trial_seed=7, epoch=3, study_seed=0) == int(digest[:16], 16) // 2


def test_seeds_never_change_between_versions() -> None:
    # Another value here means that every trial trained before is another trial now.
    assert derive_seed("split", study_seed=0, trial_seed=0) == 1_932_532_809_740_073_085
    assert (
        derive_seed("dropout", study_seed=1, trial_seed=2, entrant="é", epoch=3)
        == 1_887_313_786_879_773_519
    )


def test_a_left_out_factor_pairs_and_a_named_one_separates() -> None:
    shared = {derive_seed("split", study_seed=0, trial_seed=1) for _ in ("a", "b")}
    own = {derive_seed("initialisation", study_seed=0, trial_seed=1, entrant=e) for e in "ab"}
    assert len(shared) == 1
    assert len(own) == 2


def test_a_number_and_its_digits_are_different_factors() -> None:
    assert derive_seed("x", a=1) != derive_seed("x", a="1")


def test_where_one_factor_ends_and_the_next_begins_matters() -> None:
    assert derive_seed("x", a="1,b", b="") != derive_seed("x", a="1", b="b")
    assert derive_seed("xa", b=1) != derive_seed("x", ab=1)


@given(st.text(max_size=8), factors)
def test_every_seed_is_at_least_zero_and_below_two_to_the_63(
    purpose: str, factors: dict[str, str | int]
) -> None:
    assert 0 <= derive_seed(purpose, **factors) < 2**63


@given(factors, st.randoms(use_true_random=False))
def test_the_order_in_which_factors_are_written_does_not_matter(
    factors: dict[str, str | int], shuffler: random.Random
) -> None:
    shuffled = list(factors.items())
    shuffler.shuffle(shuffled)
    assert derive_seed("order", **factors) == derive_seed("order", **dict(shuffled))


@given(factors, st.integers(0, 2**40), st.integers(0, 2**40))
def test_changing_one_factor_changes_the_seed(
    factors: dict[str, str | int], left: int, right: int
) -> None:
    same = derive_seed("p", **(factors | {"z": left})) == derive_seed(
        "p", **(factors | {"z": right})
    )
    assert same == (left == right)
