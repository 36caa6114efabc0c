from __future__ import annotations

import pytest

from bakeoff.comparison.requirement import Requirement
from bakeoff.errors import UsageError


@pytest.mark.parametrize(
    ("text", "a", "sign", "b", "offset"),
    [
        ("new > old", "new", ">", "old", 0.0),
        ("new>=old - 0.25", "new", ">=", "old", -0.25),
        ("my model >= gpt-4 + 1", "my model", ">=", "gpt-4", 1.0),
        (" a == b ", "a", "==", "b", 0.0),
        ("a-1 > b-0.25", "a-1", ">", "b-0.25", 0.0),
    ],
)
def test_forms(text: str, a: str, sign: str, b: str, offset: float) -> None:
    found = Requirement.parse(text)
    assert (found.a, found.sign, found.b, found.offset) == (a, sign, b, offset)


@pytest.mark.parametrize("text", ["new", "new < old", "> old", "new >", "a == b + 1", ""])
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Requirement.parse(text)
    assert str(caught.value) == (
        f"cannot read the requirement {text!r}: give one like 'new > old', "
        "'new >= old - 0.25' or 'new == old'"
    )
