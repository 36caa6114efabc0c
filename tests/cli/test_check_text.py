"""The check of a study as text."""

from __future__ import annotations

from dataclasses import replace

from bakeoff.cli.check_text import check_text
from bakeoff.commands.check import Checked, CheckedEntrant
from bakeoff.training.examined import Finding
from bakeoff.training.size import NetworkSize
from bakeoff.training.trying import Taken

from ..factories import entrant, study

SOUND = CheckedEntrant("a", (), NetworkSize(650, 2600, 640), Taken(0.5, 2_000_000))
ODD = CheckedEntrant(
    "b", (Finding("warn", "a softmax"),), NetworkSize(55_210, 0, 55_000), Taken(1.5, 40_000_000)
)
WRONG = CheckedEntrant("b", (Finding("refuse", "a tuple\x1b[31m"),), None, None)
TWO = Checked(
    study=study(entrant("a", epochs=10), entrant("b", epochs=10), seeds=3),
    image_shape=(1, 8, 8),
    classes=10,
    train=1000,
    validation=297,
    test=500,
    entrants=(SOUND, ODD),
    notes=("digits: 3 images made grey",),
    cores=2,
)


def shown(checked: Checked) -> list[str]:
    return [line.rstrip() for line in check_text(checked).splitlines()]


def test_a_check_is_golden() -> None:
    assert shown(TWO) == [
        "digits: 1,000 images to train on, 297 to validate, 500 to test, 1 x 8 x 8, 10 classes",
        "digits: 3 images made grey",
        "",
        "                     multiply-adds  memory    seconds",
        "entrant  parameters      per image      MB  per epoch",
        "─────────────────────────────────────────────────────",
        "a               650            640       2        0.5",
        "b            55,210         55,000      40        1.5",
        "",
        "! b: a softmax",
        "the whole study: 6 trials, about 30 s on 2 cores, if each uses its whole budget and the "
        "machine stays as it is",
        "the smallest difference in accuracy that 3 seeds and 500 test images show with a chance "
        "of 80 %, if seeds move little else:",
        "just one of the two is right on  points",
        "───────────────────────────────────────",
        "1% of the images                      -",
        "2% of the images                    1.8",
        "5% of the images                    2.9",
        "10% of the images                   4.1",
        "20% of the images                   5.7",
    ]


def test_a_test_set_that_shows_nothing_is_told_so() -> None:
    text = check_text(replace(TWO, test=30))
    assert "3 seeds and 30 test images show no difference" in text
    assert "more test images would" in text
    assert "just one of the two" not in text


def test_what_has_to_be_mended_is_marked_and_harmless() -> None:
    lines = shown(replace(TWO, entrants=(SOUND, WRONG)))
    assert "✗ b: a tuple\\x1b[31m" in lines
    assert not [line for line in lines if line.startswith("the whole study")]
    assert [line.split() for line in lines if line.startswith("b ")] == [["b", "-", "-", "-", "-"]]


def test_seconds_have_two_figures_or_all() -> None:
    taken = [Taken(0.0123, 0), Taken(123.4, 0)]
    entrants = tuple(
        replace(each, taken=one) for each, one in zip((SOUND, ODD), taken, strict=True)
    )
    lines = shown(replace(TWO, entrants=entrants, cores=3))
    assert [line.split()[-1] for line in lines if line[:2] in ("a ", "b ")] == ["0.012", "123"]
    assert "the whole study: 6 trials, about 21 minutes on 3 cores" in "\n".join(lines)


def test_one_seed_or_one_entrant_is_told_that_it_shows_nothing() -> None:
    said = "one seed, or one entrant, shows no difference between architectures"
    one_seed = replace(TWO, study=TWO.study.model_copy(update={"seeds": 1}))
    alone = TWO.study.model_copy(update={"entrants": TWO.study.entrants[:1]})
    for checked in (one_seed, replace(TWO, study=alone, entrants=(SOUND,))):
        assert said in check_text(checked)
        assert "just one of the two" not in check_text(checked)
    assert said not in check_text(TWO)
