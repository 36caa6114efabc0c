from __future__ import annotations

import io
import re
import subprocess
import sys

import pytest
from rich.console import Console

from bakeoff.cli.display import RunDisplay, epoch_line
from bakeoff.records.working import machine_name
from bakeoff.runners.listener import PlannedTrial

from ..factories import diverged, entrant, epoch, planned, record, study

CNN = entrant("cnn-2conv", "cnn-2conv", epochs=11)
ASKED = study(CNN, entrant("linear", epochs=2), entrant("broken", "mlp-2x200"), seeds=2)
THIRD = epoch(
    3, train_loss=0.10984, validation_loss=0.10306, validation_accuracy=0.9675, seconds=12.06
)


def trial(name: str, seed: int = 0) -> PlannedTrial:
    return planned(ASKED.entrant(name), seed)


def test_the_line_of_an_epoch_is_golden() -> None:
    whole = "cnn-2conv  epoch  3/11  train loss 0.1098  val loss 0.1031  val acc 0.9675  12.1 s"
    assert epoch_line(trial("cnn-2conv"), THIRD, "cnn-2conv", width=len(whole)) == whole
    assert epoch_line(trial("cnn-2conv"), THIRD, "cnn-2conv", width=len(whole) - 1) == (
        "cnn-2conv  3/11 train 0.1098 val 0.1031 acc 0.9675 12.1 s"
    )


def test_lines_are_aligned_with_the_longest_name_and_seed() -> None:
    stream = io.StringIO()
    display = RunDisplay(Console(file=stream, width=200), epochs=True)
    asked = [trial("linear"), trial("linear", 10), trial("cnn-2conv", 3)]
    display.planned(asked, 0)
    for each in asked:
        display.epoch_ended(each, THIRD)
    assert [line.partition("  train")[0] for line in stream.getvalue().splitlines()[1:]] == [
        "linear seed 0     epoch 3/2", "linear seed 10    epoch 3/2",
        "cnn-2conv seed 3  epoch  3/11",
    ]  # fmt: skip


def shown(terminal: bool, width: int = 120, *, epochs: bool = False) -> str:
    stream = io.StringIO()
    show(Console(file=stream, force_terminal=terminal, width=width), epochs=epochs)
    return stream.getvalue()


def show(console: Console, *, epochs: bool = False) -> None:
    trials = [trial("cnn-2conv"), trial("linear"), trial("broken", 1)]
    with RunDisplay(console, epochs=epochs) as display:
        display.planned(trials, finished_before=1)
        for each in trials[:2]:
            display.trial_started(each)
            display.epoch_ended(each, THIRD)
            display.trial_ended(each, record(ASKED, each.entrant.name, value=0.97))
        display.trial_started(trials[2])
        display.trial_ended(trials[2], diverged(ASKED, "broken", 1))
        display.stage("comparing [bold]the trials")


def test_the_short_line_of_the_longest_name_that_ships_fits_into_80_columns() -> None:
    long = planned(entrant("cnn-2conv-dropout-batch-100", epochs=30), 0)
    line = epoch_line(long, THIRD, long.entrant.name, width=80)
    assert line == ("cnn-2conv-dropout-batch-100  3/30 train 0.1098 val 0.1031 acc 0.9675 12.1 s")
    assert len(line) <= 80


def test_a_narrow_terminal_gets_short_lines_that_break_between_words() -> None:
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", shown(terminal=True, width=64, epochs=True))
    assert "cnn-2conv seed 0  3/11 train 0.1098 val 0.1031 acc 0.9675 12.1 s\n" in text
    assert "cnn-2conv seed 0: budget used after epoch 2, 3.0 s, validation \nbalanced" in text


def bars(display: RunDisplay) -> list[str]:
    """Return the bars as they stand, without the bar itself: 'cnn epoch 1/10 0:00:10 left -'."""
    stream = io.StringIO()
    Console(file=stream, width=200).print(display._bars.get_renderable())
    return [" ".join(re.sub("[━╸╺]", "", line).split()) for line in stream.getvalue().splitlines()]


def test_in_a_narrow_terminal_names_of_bars_break_and_numbers_do_not() -> None:
    long = planned(entrant("cnn-2conv-dropout-batch-100", epochs=30), 0)
    stream = io.StringIO()
    narrow = Console(file=stream, force_terminal=True, width=40, color_system=None)
    with RunDisplay(Console(file=io.StringIO(), force_terminal=True, width=40)) as display:
        display.planned([long], 0)
        display.trial_started(long)
        narrow.print(display._bars.get_renderable())
    text = "".join(stream.getvalue().split())
    assert "…" not in text
    assert "cnn-2conv-dro" in text
    assert text.count("left-:--:--") == 2
    assert "epoch0/30" in text


def test_bars_say_after_the_first_epoch_what_is_left_and_count_down() -> None:
    clock = [0.0]
    console = Console(file=io.StringIO(), force_terminal=True, get_time=lambda: clock[0])
    with RunDisplay(console) as display:
        trials = [trial("cnn-2conv"), trial("linear")]  # 11 and 2 epochs, all of the same work.
        display.planned(trials, 0)
        display.trial_started(trials[0])
        assert bars(display) == [
            "all trials 0/2 0:00:00 left -:--:--", "cnn-2conv epoch 0/11 0:00:00 left -:--:--",
        ]  # fmt: skip
        clock[0] = 10.0
        display.epoch_ended(trials[0], epoch(1))
        clock[0] = 14.0
        assert bars(display) == [
            "all trials 0/2 0:00:14 left 0:01:56", "cnn-2conv epoch 1/11 0:00:14 left 0:01:36",
        ]  # fmt: skip


def test_epochs_that_nobody_trains_do_not_hurry_the_clock() -> None:
    clock = [0.0]
    console = Console(file=io.StringIO(), force_terminal=True, get_time=lambda: clock[0])
    with RunDisplay(console) as display:
        trials = [trial("cnn-2conv"), trial("linear")]
        display.planned(trials, 0)
        display.trial_started(trials[0])
        display.trial_resumed(trials[0], 5, 0)
        clock[0] = 10.0
        display.epoch_ended(trials[0], epoch(6))
        assert bars(display) == [
            "all trials 0/2 0:00:10 left 0:01:10", "cnn-2conv epoch 6/11 0:00:10 left 0:00:50",
        ]  # fmt: skip
        stopped = record(ASKED, "cnn-2conv", epochs=tuple(epoch(n + 1) for n in range(6)))
        display.trial_ended(trials[0], stopped)
        assert bars(display)[0] == "all trials 1/2 0:00:10 left 0:00:20"


def test_each_running_trial_has_a_bar_and_a_finished_one_has_none() -> None:
    clock = [0.0]
    console = Console(file=io.StringIO(), force_terminal=True, get_time=lambda: clock[0])
    with RunDisplay(console) as display:
        trials = [trial("linear"), trial("linear", 1)]  # 2 epochs each.
        display.planned(trials, 0)
        for each in trials:
            display.trial_started(each)
        clock[0] = 10.0
        display.epoch_ended(trials[0], epoch(1))
        display.epoch_ended(trials[1], epoch(1))
        assert bars(display) == [
            "all trials 0/2 0:00:10 left 0:00:10",
            "linear seed 0 epoch 1/2 0:00:10 left 0:00:10",
            "linear seed 1 epoch 1/2 0:00:10 left 0:00:10",
        ]
        display.trial_ended(trials[0], record(ASKED, "linear"))
        assert bars(display) == [
            "all trials 1/2 0:00:10 left 0:00:05",
            "linear seed 1 epoch 1/2 0:00:10 left 0:00:10",
        ]


def test_a_trial_is_counted_once_however_often_it_is_told() -> None:
    with RunDisplay(Console(file=io.StringIO(), force_terminal=True)) as display:
        trials = [trial("linear"), trial("linear", 1)]
        display.planned(trials, 0)
        display.trial_elsewhere(trials[0])
        display.trial_started(trials[0])
        display.epoch_ended(trials[0], epoch(2))
        display.trial_ended(trials[0], record(ASKED, "linear"))
        display.trial_elsewhere(trials[0])
        [only] = bars(display)
        assert only.startswith("all trials 1/2 ")
        whole = display._bars.tasks[0]
        assert whole.total is not None
        assert whole.completed == whole.total / 2


def test_a_training_that_begins_anew_moves_its_bar_back() -> None:
    with RunDisplay(Console(file=io.StringIO(), force_terminal=True)) as display:
        only = trial("cnn-2conv")
        display.planned([only], 0)
        for number in (3, 1):
            display.trial_started(only)
            display.epoch_ended(only, epoch(number))
            assert bars(display)[1:] == [bars(display)[-1]]
            assert bars(display)[-1].startswith(f"cnn-2conv epoch {number}/11 ")
        whole = display._bars.tasks[0]
        assert whole.total is not None
        assert whole.completed == pytest.approx(whole.total / 11)


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("failure", [BrokenPipeError(), OSError(28, "No space"), ValueError()])
def test_a_display_whose_stream_fails_falls_silent(failure: Exception, terminal: bool) -> None:
    class Failing(io.StringIO):
        asked = 0

        def write(self, text: str) -> int:
            self.asked += 1
            raise failure

    stream = Failing()
    show(Console(file=stream, force_terminal=terminal))
    assert stream.asked == 1


@pytest.mark.parametrize(
    "failure", [BlockingIOError(), UnicodeEncodeError("ascii", "ö", 0, 1, "not in range")]
)
def test_a_display_that_loses_one_text_goes_on(failure: Exception) -> None:
    class Slow(io.StringIO):
        def write(self, text: str) -> int:
            if "broken" in text:
                raise failure
            return super().write(text)

    stream = Slow()
    show(Console(file=stream, force_terminal=False, width=200))
    said = stream.getvalue()
    assert "broken" not in said
    assert said.endswith("comparing [bold]the trials\n")


def test_a_process_without_standard_error_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    show(Console(stderr=True))


def test_a_full_disk_behind_standard_error_ends_nothing() -> None:
    code = (
        "from rich.console import Console\n"
        "from bakeoff.cli.display import RunDisplay\n"
        "with RunDisplay(Console(stderr=True)) as display:\n"
        "    display.stage('nobody reads this')\n"
        "print('done')\n"
    )
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=full,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stdout) == (0, "done\n")


def test_without_a_terminal_there_are_plain_lines_and_nothing_else() -> None:
    ended = "budget used after epoch 2, 3.0 s, validation balanced accuracy 0.9700"
    assert shown(terminal=False).splitlines() == [
        "3 trials to train, 1 finished before and kept",
        f"cnn-2conv seed 0: {ended}",
        f"linear seed 0: {ended}",
        "broken seed 1: diverged: the loss was not finite in epoch 1",
        "comparing [bold]the trials",
    ]


def test_each_epoch_has_a_line_where_it_is_asked_for() -> None:
    end = "train loss 0.1098  val loss 0.1031  val acc 0.9675  12.1 s"
    told = shown(terminal=False, epochs=True).splitlines()
    assert [line for line in told if line not in shown(terminal=False).splitlines()] == [
        f"cnn-2conv seed 0  epoch  3/11  {end}",
        f"linear seed 0     epoch 3/2  {end}",
    ]


def test_a_terminal_gets_the_same_lines_and_bars_besides() -> None:
    text = shown(terminal=True)
    assert "\x1b[" in text
    for line in shown(terminal=False).splitlines():
        assert line in text
    assert "all trials" in text
    assert "epoch 0/10" in text


def test_what_is_planned_is_said_in_words() -> None:
    def said(trials: list[PlannedTrial], before: int) -> str:
        stream = io.StringIO()
        RunDisplay(Console(file=stream)).planned(trials, before)
        return stream.getvalue().strip()

    assert said([trial("linear")], 0) == "1 trial to train"
    assert said([trial("linear"), trial("broken")], 0) == "2 trials to train"
    assert said([], 3) == "nothing to train: all 3 trials are finished"
    assert said([], 1) == "nothing to train: the only trial is finished"


def test_what_is_foretold_is_said_in_the_unit_that_suits_it() -> None:
    stream = io.StringIO()
    RunDisplay(Console(file=stream, width=200)).foretold(700.0)
    assert stream.getvalue() == (
        "about 12 minutes, told from a few batches of each entrant; Ctrl-C interrupts it, and the "
        "same command goes on\n"
    )


def test_one_seed_needs_no_naming() -> None:
    stream = io.StringIO()
    display = RunDisplay(Console(file=stream, width=200), epochs=True)
    display.planned([trial("linear")], 0)
    display.epoch_ended(trial("linear"), THIRD)
    assert "seed" not in stream.getvalue()


def test_a_trial_on_another_machine_is_shown_with_its_name() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=200, color_system=None)
    first, second = trial("cnn-2conv"), trial("linear")
    with RunDisplay(console) as display:
        display.planned([first, second], 0)
        display.trial_started(first)
        display.trial_placed(first, "node7")
        assert bars(display)[1] == "cnn-2conv on node7 epoch 0/11 0:00:00 left -:--:--"
        for each, machine in ((first, "node7"), (second, machine_name())):
            ended = record(ASKED, each.entrant.name)
            made = ended.provenance.model_copy(update={"machine": machine})
            display.trial_ended(each, ended.model_copy(update={"provenance": made}))
    for name in ("cnn-2conv on node7", "linear"):
        told = f"{name}: budget used after epoch 2, 3.0 s, validation balanced accuracy 0.5000\n"
        assert told in stream.getvalue()
