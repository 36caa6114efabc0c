from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakeoff.errors import BakeoffError, UnreadableError
from bakeoff.text import broken, counted, lasting, shortened, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, £ 3 – 'ü' 数 😀", "plain, £ 3 – 'ü' 数 😀"),
        ("no\N{NO-BREAK SPACE}break", "no\N{NO-BREAK SPACE}break"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b31m", "\\x9b31m"),
        ("bell\a, back\b, return\r, line\n", "bell\\x07, back\\x08, return\\r, line\\n"),
        ("\0", "\\x00"),
        ("evil\u202egnp.exe", "evil\\u202egnp.exe"),
        ("\u2066isolated\u2069\u200f\ufeff", "\\u2066isolated\\u2069\\u200f\\ufeff"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_steers_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_what_is_kept_stays() -> None:
    assert visible("a\n\tb\x1b", keep="\n\t") == "a\n\tb\\x1b"


@given(st.text())
def test_nothing_that_steers_is_left_and_a_second_pass_changes_nothing(text: str) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown
    shown.encode("utf-8")


def test_one_is_one_and_the_others_are_several() -> None:
    told = [counted(number, "seed") for number in (0, 1, 2, 10_000)]
    assert told == ["0 seeds", "1 seed", "2 seeds", "10,000 seeds"]


@pytest.mark.parametrize(("text", "short"), [("", ""), ("abc", "abc"), ("abcd", "ab…")])
def test_long_text_is_cut(text: str, short: str) -> None:
    assert shortened(text, 3) == short


def test_every_error_is_one_line_that_steers_nothing() -> None:
    for error in (BakeoffError, UnreadableError):
        assert str(error("a\x1b[2J\nb\u202e")) == "a\\x1b[2J\\nb\\u202e"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"), (119.1, "120 s"), (120, "2 minutes"), (7199, "120 minutes"),
        (7200, "2 hours"), (172_800, "2 days"),
    ],
)  # fmt: skip
def test_durations_have_the_unit_that_suits_them(seconds: float, text: str) -> None:
    assert lasting(seconds) == text


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("ten  chars", "ten  chars"),
        ("well-known words", "well-known\n  words"),
        ("in /a/long/path here", "in\n  /a/long/path\n  here"),
        ("name      a text", "name\n  a text"),
        ("\x1b[1mten  chars\x1b[0m", "\x1b[1mten  chars\x1b[0m"),
    ],
)
def test_a_wide_line_breaks_between_words(line: str, shown: str) -> None:
    assert broken(line, 10) == shown
