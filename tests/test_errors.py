from __future__ import annotations

import pytest

from bakeoff.errors import BakeoffError, DataError, StoreError, StudyError, UsageError, did_you_mean


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
