"""Every seed as a dot, with the mean and interval of its entrant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bakeoff.comparison.compare import Comparison
from bakeoff.report import words
from bakeoff.report.charts import canvas
from bakeoff.report.charts.labels import elided
from bakeoff.report.charts.svg import Chart, Numbers
from bakeoff.report.palette import INK, PAPER, styles


def draw_dots(
    comparison: Comparison, scores: Mapping[str, Sequence[float]], names: Iterable[str]
) -> Chart | None:
    """Return the chart: one row per entrant that has scores, its name above the dots.

    scores: by entrant, one per run, of the metric of the verdicts; of accuracy where these are
        about scores that are not right or wrong. names: of all entrants, by whose place they have
        colours.
    """
    style = styles(names)
    balanced = comparison.metric == "balanced_accuracy"
    metric = "balanced accuracy" if balanced else "accuracy"
    rows = [
        (each.name, dict(zip(each.seeds, scores[each.name], strict=True)), seen)
        for each in comparison.entrants
        if (seen := each.balanced_accuracy if balanced else each.accuracy)
    ]
    if not rows:
        return None
    title = f"Test {metric} of every seed"
    sheet = canvas.plot(48 + 41 * len(rows), title, left=6, top=26, right=16, bottom=24, grid="x")
    axes = sheet.axes
    shown = [value for _name, values, _seen in rows for value in values.values()]
    shown += [end for *_, seen in rows for end in (seen.low, seen.high) if 0 < end < 1]
    sheet.accuracy_axis("x", shown)
    axes.set_ylim(len(rows) - 0.1, -0.45)
    axes.set_yticks([])
    told = []
    for place, (name, values, seen) in enumerate(rows):
        interval = f"{words.proportion(seen.low)} to {words.proportion(seen.high)}"
        mean = f"{words.proportion(seen.mean)} ({interval})"
        ends = [1 - min(end, 1 - 1e-9) for end in (seen.low, seen.high)]
        (band,) = axes.plot(
            ends, [place + 0.5] * 2, color=style[name].mark, linewidth=2.5, marker="|",
            markersize=10, markeredgewidth=1.5,
        )  # fmt: skip
        sheet.say(band, f"{name}: mean {mean}")
        (dots,) = axes.plot(
            [1 - value for value in values.values()], [place + 0.22] * len(values),
            marker=style[name].marker, linestyle="none", color=style[name].mark, markersize=7,
            markeredgecolor=PAPER, markeredgewidth=0.8,
        )  # fmt: skip
        sheet.say(
            dots,
            *(f"{name}, seed {seed}: {words.proportion(each)}" for seed, each in values.items()),
        )
        if len(values) > 1:
            axes.plot([1 - seen.mean] * 2, [place + 0.38, place + 0.62], color=INK, linewidth=1.8)
        axes.annotate(
            elided(name, 50), (0, place - 0.14), xycoords=("axes fraction", "data"),
            color=style[name].text, size=canvas.LABEL, va="center",
        )  # fmt: skip
        every = ", ".join(words.proportion(each) for each in values.values())
        told.append((name, every, words.proportion(seen.mean), interval))
    text = f"Dot chart: test {metric} of every seed of each entrant, with mean and interval."
    numbers = Numbers(("Entrant", "Every seed, in order", "Mean", "Interval"), told)
    return Chart("seeds", text, sheet.svg(), numbers, sheet.said)
