from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from bakeoff.cli.tables import print_standings
from bakeoff.findings.standings import Standing, standings
from bakeoff.records.timing_file import Timing

from ..factories import diverged, entrant, record, study

CNN = entrant("cnn-2conv", "cnn-2conv", epochs=11)
ASKED = study(CNN, entrant("linear", epochs=2), entrant("broken", "mlp-2x200"), seeds=2)


def shown(rows: Sequence[Standing], width: int, metric: str = "balanced_accuracy") -> list[str]:
    console = Console(width=width)
    with console.capture() as captured:
        print_standings(console, rows, metric)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_a_narrow_table_breaks_names_and_never_numbers() -> None:
    names = ("cnn-2conv-dropout-batch-100", "x" * 64)
    asked = study(*(entrant(name) for name in names), seeds=2)
    records = [
        record(asked, names[0], 0, 0.9, parameters=3274634, training_seconds=12345.6),
        diverged(asked, names[0], 1),
        record(asked, names[1], 0, 0.8, parameters=3274634),
    ]
    lines = shown(standings(asked, records), 80)
    numbers = "0.9000  0.4500   0.4500  3,274,634       2      -  12,346"
    assert [line for line in lines if line.endswith(numbers)] == [
        f"cnn-2conv-dropout-ba   {numbers}"
    ]
    assert lines[4].strip() == "tch-100 (1 of 2)"
    assert not [line for line in lines if "…" in line]


def test_parameters_that_move_are_told_where_others_are_held_still() -> None:
    asked = study(entrant("head"))
    records = [record(asked, "head", 0, 0.9, parameters=3274634, trained_parameters=7850)]
    lines = shown(standings(asked, records), 80, "accuracy")
    assert next(line.split()[-5:] for line in lines if "7,850" in line)[:2] == ["0.4500", "7,850"]
    assert [line.strip() for line in lines if "of 3" in line] == ["of 3,274,634"]


def whole_table() -> list[str]:
    records = [
        record(ASKED, "cnn-2conv", 0, 0.9, parameters=3274634, training_seconds=1234.56),
        record(ASKED, "cnn-2conv", 1, 0.8, parameters=3274634, training_seconds=1234.56),
        record(ASKED, "linear", 0, 0.5, parameters=7850),
        diverged(ASKED, "linear", 1),
    ]
    timing = Timing({"cnn-2conv": [0.5]}, {}, {})
    return shown(standings(ASKED, records, timing, examples=1000), 110)


def test_the_table_of_a_study_is_golden() -> None:
    assert whole_table() == [
        "                     val    test     test      para-          clean   wall",
        "entrant          bal acc     acc  bal acc     meters  epochs    sec    sec",
        "──────────────────────────────────────────────────────────────────────────",
        "cnn-2conv         0.8500  0.4250   0.4250  3,274,634       2  1,000  1,235",
        "linear (1 of 2)   0.5000  0.2500   0.2500      7,850       2      -    3.0",
        "broken (0 of 2)        -       -        -          -       -      -      -",
    ]


def test_every_entrant_stands_in_the_table_once() -> None:
    first_words = [line.split()[0] for line in whole_table()]
    for each in ASKED.entrants:
        assert first_words.count(each.name) == 1


def test_the_heading_names_the_metric_that_ranks() -> None:
    first, second, *_ = shown(standings(ASKED, []), 110, "accuracy")
    assert (first + second).count("bal acc") == 1
    assert " val " in first
