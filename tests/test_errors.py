from __future__ import annotations

import pytest

from bakeoff.errors import (
    BakeoffError,
    DataError,
    StoreError,
    StudyError,
    TrialsFailedError,
    UsageError,
    did_you_mean,
)


def test_the_nearest_name_is_offered() -> None:
    assert did_you_mean("cnn-2cov", ["mlp", "cnn-2conv"]) == "did you mean 'cnn-2conv'?"


def test_all_names_are_offered_in_order_where_none_is_near() -> None:
    assert did_you_mean("zzz", ["mlp", "cnn"]) == "known: cnn, mlp"


@pytest.mark.parametrize(
    ("error", "code"), [(UsageError, 2), (StudyError, 1), (DataError, 1), (StoreError, 1)]
)
def test_each_error_has_the_exit_code_of_the_design(error: type[BakeoffError], code: int) -> None:
    assert issubclass(error, BakeoffError)
    assert error.exit_code == code


@pytest.mark.parametrize(
    ("missing", "mend"),
    [
        (0, "--retry-failed trains them again"),
        (1, "the same command trains what is missing, with --retry-failed the others again"),
        (2, "the same command trains what is missing"),
    ],
)
def test_a_missing_trial_is_not_told_to_be_tried_again(missing: int, mend: str) -> None:
    error = TrialsFailedError(["a seed 0 diverged: nan", "b seed 1 is missing"], 4, missing)
    assert str(error) == (
        f"2 of 4 trials did not complete: a seed 0 diverged: nan; b seed 1 is missing; {mend}"
    )
