"""What the sections say: every number from a record, every trial named, no claim from one seed."""

from __future__ import annotations

import dataclasses
import re
from statistics import fmean

import pytest

from bakeoff.findings.findings import Findings
from bakeoff.records.record import Record
from bakeoff.report import Report, draw_report
from bakeoff.report.sections.batches import batch_groups
from bakeoff.report.sections.table import columns
from bakeoff.report.templating import environment
from bakeoff.report.words import MISSING, p_value, proportion
from bakeoff.study.study import Study
from tests.report.bakeoffs import clean_seconds, fair_study, findings_of, small_study, timing_of
from tests.report.page_reading import Element, everything, read_page
from tests.report.pictures import ANIMALS


def _table(page: Element) -> list[Element]:
    (table,) = (each for each in page.all("table") if each.attributes.get("id") == "standings")
    (body,) = table.all("tbody")
    return body.all("tr")


def _expected(study: Study, trials: tuple[Record, ...]) -> list[float]:
    """Return the row's numbers straight from records and timing, in the order of the columns."""
    timing, name = timing_of(study), trials[0].entrant
    done = [(t, t.validation, t.test, t.cost) for t in trials if t.complete]
    return [
        fmean(v.balanced_accuracy for _, v, _, _ in done if v),
        fmean(s.balanced_accuracy for _, _, s, _ in done if s),
        fmean(s.accuracy for _, _, s, _ in done if s),
        trials[0].parameters,
        fmean(t.stopped.epoch for t, _, _, _ in done),
        clean_seconds(study, name, fmean(t.stopped.epoch for t, _, _, _ in done)),
        fmean(t.training_seconds for t, _, _, _ in done),
        fmean(c.multiply_adds_per_image for _, _, _, c in done if c),
        timing.milliseconds_per_image_batch_1[name][0],
        timing.milliseconds_per_image_batch_1000[name][0],
    ]


@pytest.mark.parametrize(("which", "source"), [("page", "one_seed"), ("fair_page", "five_seeds")])
def test_every_number_of_the_table_is_found_in_a_record(
    which: str, source: str, request: pytest.FixtureRequest
) -> None:
    findings: Findings = request.getfixturevalue(source)
    rows = _table(request.getfixturevalue(which))
    assert len(rows) == len(findings.study.entrants)
    for row in rows:
        trials = findings.trials(row.attributes["data-entrant"] or "")
        expected = _expected(findings.study, trials)
        cells = row.all("td")
        values = [float(cell.attributes["data-value"] or "nan") for cell in cells]
        assert values == pytest.approx(expected, rel=1e-12)
        for cell, value in zip(cells, values, strict=True):
            shown = cell.text.replace(",", "")
            places = len(shown.partition(".")[2])
            assert float(shown) == pytest.approx(value, abs=0.5000001 * 10**-places)


def test_parameters_that_move_have_a_column_where_others_are_held_still(
    one_seed: Findings,
) -> None:
    assert [each.note for each in columns(one_seed) if each.title == "Parameters"] == [""]
    first, *others = one_seed.standings
    rows = (dataclasses.replace(first, trained_parameters=650), *others)
    held = dataclasses.replace(one_seed, standings=rows)
    (column,) = (each for each in columns(held) if each.note == "that move")
    assert [cell.text for cell in column.cells] == ["650", *[MISSING] * len(others)]


def test_winner_is_marked_and_chosen_on_validation(page: Element, one_seed: Findings) -> None:
    (marked,) = (row for row in _table(page) if row.attributes.get("class") == "winner")
    assert marked.attributes["data-entrant"] == one_seed.winner
    chosen = [float(row.all("td")[0].attributes["data-value"] or "nan") for row in _table(page)]
    assert chosen == sorted(chosen, reverse=True)
    bold = [row.all("td", "best") for row in _table(page)]
    assert [len(cells) for cells in bold] == [1, *[0] * (len(bold) - 1)]
    assert bold[0] == marked.all("td")[:1]


def test_one_seed_makes_nobody_the_winner(page: Element, one_seed: Findings) -> None:
    assert not one_seed.won
    assert [badge.text for badge in page.all("span", "badge")] == ["first on validation"]
    (main,) = page.all("main")
    assert "Inside the first entrant" in main.text
    assert "winner" not in main.text


def test_table_says_how_it_is_sorted(page: Element) -> None:
    heads = [h for h in page.all("th") if "aria-sort" in h.attributes]
    assert [h.attributes["aria-sort"] for h in heads].count("descending") == 1
    assert len(heads) == 11


def test_one_seed_says_what_it_cannot_tell(page: Element, fair_page: Element) -> None:
    assert "One seed cannot tell" in page.text
    assert "bakeoff run study.toml --out . --seeds 5" in page.text
    assert "One seed cannot tell" not in fair_page.text
    assert page.all("ul", "verdicts") == []


def test_verdicts_come_before_the_table(fair_page: Element, five_seeds: Findings) -> None:
    (opening,) = fair_page.all("header", "opening")
    (verdicts,) = opening.all("ul", "verdicts")
    assert len(verdicts.all("li")) == 5
    sentences = [
        pair["sentence"]
        for pair in five_seeds.comparison.to_dict()["pairs"]
        if five_seeds.winner in (pair["a"], pair["b"])
    ]
    for sentence in sentences:
        assert sentence in verdicts.text


def test_win_matrix_is_antisymmetric(fair_page: Element) -> None:
    (table,) = fair_page.all("table", "matrix")
    rows = [row.all("td") for row in table.all("tbody")[0].all("tr")]
    opposite = {"better": "worse", "worse": "better", "ahead": "behind", "behind": "ahead"}
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            kind = cell.attributes["class"] or ""
            mirrored = rows[j][i].attributes["class"]
            assert mirrored == opposite.get(kind, kind)
            assert (kind == "same") == (i == j)


def test_diverged_trial_is_named_in_table_and_opening(fair_page: Element) -> None:
    line = "mlp-2x200 seed 3 diverged: the training loss was not finite in epoch 3"
    (opening,) = fair_page.all("header", "opening")
    assert line in opening.text
    (row,) = (r for r in _table(fair_page) if r.attributes["data-entrant"] == "mlp-2x200")
    assert "4 of 5 trials" in row.text
    assert line not in row.text


def test_entrant_without_scores_keeps_its_row() -> None:
    page = read_page(draw_report(findings_of(small_study(), diverged=("cnn-1conv", 0))).page)
    rows = _table(page)
    assert rows[-1].attributes["data-entrant"] == "cnn-1conv"
    assert rows[-1].all("td")[0].text == "–"


def test_batch_sizes_stand_side_by_side(page: Element, one_seed: Findings) -> None:
    (section,) = (s for s in page.all("section") if s.attributes.get("id") == "target")
    rows = section.all("tbody")[0].all("tr")
    assert [row.all("td")[0].text for row in rows] == ["50", "100"]
    for row, name in zip(rows, ("batch-50", "batch-100"), strict=True):
        (trial,) = one_seed.trials(f"cnn-2conv-dropout-{name}")
        assert trial.test is not None
        assert row.all("td")[2].text == str(trial.stopped.epoch)
        assert row.all("td")[5].text == proportion(trial.test.balanced_accuracy)


def _section(page: Element, anchor: str) -> Element:
    (section,) = (each for each in page.all("section") if each.attributes.get("id") == anchor)
    return section


def _rows(table: Element) -> list[list[str]]:
    return [[td.text for td in row.all("td")] for row in table.all("tbody")[0].all("tr")]


def test_scores_stand_with_their_deviations_and_intervals(
    fair_page: Element, five_seeds: Findings
) -> None:
    (table,) = _section(fair_page, "entrants").all("table", "spreads")
    entrants = five_seeds.comparison.to_dict()["entrants"]
    assert _rows(table) == [
        [
            shown
            for score in (entrant["accuracy"], entrant["balanced_accuracy"])
            for shown in (
                f"{score['mean']:.4f}",
                f"{score['standard_deviation']:.4f}",
                f"{score['low']:.4f} to {score['high']:.4f}",
            )
        ]
        for entrant in entrants
    ]


def test_one_seed_has_no_deviation_and_an_interval_over_images_alone(page: Element) -> None:
    section = _section(page, "entrants")
    (table,) = section.all("table", "spreads")
    assert {row[1] for row in _rows(table)} == {"–"}
    assert "what another seed would give, one seed does not tell" in section.text


def test_every_f1_has_its_interval(fair_page: Element, five_seeds: Findings) -> None:
    (table,) = _section(fair_page, "classes").all("table", "spreads")
    rows = _rows(table)
    assert len(rows) == 10
    f1 = five_seeds.comparison.to_dict()["entrants"][2]["f1"][7]
    assert rows[7][2] == (
        f"{f1['mean']:.4f} ± {f1['standard_deviation']:.4f} {f1['low']:.4f} to {f1['high']:.4f}"
    )


def test_the_narrower_statement_for_these_images_stands_beside(
    fair_page: Element, five_seeds: Findings
) -> None:
    (table,) = _section(fair_page, "pairs").all("table", "pairs")
    shown = sorted(row[-1] for row in _rows(table))
    expected = []
    for pair in five_seeds.comparison.to_dict()["pairs"]:
        fixed = pair["fixed_test_set"]
        names = [row.attributes["data-entrant"] for row in _table(fair_page)]
        low, high = fixed["low"], fixed["high"]
        if names.index(pair["a"]) > names.index(pair["b"]):
            low, high = -high, -low
        interval = f"{100 * low:+.2f} to {100 * high:+.2f}".replace("-", "−")
        sign = "" if fixed["p_value"] < 0.001 else "= "
        expected.append(f"{interval} p {sign}{p_value(fixed['p_value'])}")
    assert shown == sorted(expected)


def test_time_to_the_target_is_told_of_every_entrant_that_has_one() -> None:
    base = fair_study()
    recipe = base.entrants[-1].recipe
    entrants = (base.entrants[1].model_copy(update={"recipe": recipe}), *base.entrants[3:5])
    findings = findings_of(base.model_copy(update={"entrants": entrants}))
    page = read_page(draw_report(findings).page)
    # No two of these differ in the size of batches alone.
    assert "Large or small batches" not in page.text
    waits, tests = _section(page, "target").all("table")
    told = {
        row.all("th")[0].text: [td.text for td in row.all("td")]
        for row in waits.all("tbody")[0].all("tr")
    }
    assert set(told) == {"mlp-2x200", "cnn-2conv-dropout-batch-50"}
    for entrant in findings.comparison.to_dict()["entrants"]:
        if entrant["name"] in told:
            assert told[entrant["name"]][:2] == ["0.99", "5 of 5"]
            assert told[entrant["name"]][2].startswith(f"{entrant['epochs_to_target']['median']:g}")
    (pair,) = (each for each in findings.comparison.to_dict()["pairs"] if each["epochs_to_target"])
    assert _rows(tests)[0][0] == p_value(pair["epochs_to_target"]["p_value"])


@pytest.mark.parametrize(("which", "source"), [("page", "one_seed"), ("fair_page", "five_seeds")])
def test_images_that_part_the_first_two_are_counted_as_comparison_json_has_them(
    which: str, source: str, request: pytest.FixtureRequest
) -> None:
    section = _section(request.getfixturevalue(which), "images")
    findings: Findings = request.getfixturevalue(source)
    pair = findings.comparison.to_dict()["pairs"][0]
    assert ("In most of the 5 seeds" in section.text) == (source == "five_seeds")
    for side, wrong in (("only_a", pair["b"]), ("only_b", pair["a"])):
        count = len(pair["flips"][side])
        assert f"alone is right about {count} image" in section.text
        assert (f"here is what {wrong} says of the 8" in section.text) == (count > 8)


def test_cards_say_how_sure_and_of_several_trials_how_many_are_wrong(
    page: Element, fair_page: Element
) -> None:
    def details(of: Element) -> list[list[str]]:
        cards = [cards.all("li")[0] for cards in _section(of, "images").all("ul", "cards")]
        return [[p.text for p in card.all("p") if not p.attributes] for card in cards]

    mistakes, *_, hardest = details(fair_page)
    assert [len(lines) for lines in (mistakes, hardest)] == [1, 2]
    assert hardest[0] == "30 of 30 wrong"
    assert mistakes[0].endswith("% sure")
    # Of a single seed: the mistakes, shown and folded, both sides of fifteen pairs, the hardest.
    of_one = [len(lines) for lines in details(page)]
    assert (set(of_one[:-1]), of_one[-1]) == ({1}, 2)
    assert len(of_one) == 2 + 2 * 15 + 1


def test_a_pair_names_the_trial_that_it_lacks(fair_page: Element) -> None:
    lost = "left out: seed 3 (mlp-2x200 diverged)"
    (opening,) = fair_page.all("header", "opening")
    (verdicts,) = opening.all("ul", "verdicts")
    assert [lost in line.text for line in verdicts.all("li")].count(True) == 1
    assert _section(fair_page, "pairs").text.count(lost) == 4


def test_published_figures_stand_beside_ours(page: Element, fair_page: Element) -> None:
    (table,) = page.all("table", "published")
    assert len(table.all("tr")) == 7
    assert table.all("tbody")[0].all("tr")[0].all("td")[0].text == "7,850 7,850 same"
    assert "other hardware" in page.text
    assert fair_page.all("table", "published") == []


def told(page: Element) -> str:
    """Return all that the page says, to the eye and to who hears it read."""
    (main,) = page.all("main")
    heard = ("alt", "aria-label", "title")
    said = [each.attributes.get(name) or "" for each in everything(main) for name in heard]
    return " ".join([main.text, *said])


def test_the_page_has_no_words_of_one_data_set(
    page: Element, fair_page: Element, report: Report
) -> None:
    words = r"rightly|read as|\breads\b|\bink\b|digit|255 twice|about 0\.92|human raters"
    for said in (told(page), told(fair_page), *report.figures.values()):
        # The study's own title and question are about digits.
        plain = re.sub("Six networks read digits|Which of six trainings reads.*?best", "", said)
        assert not re.search(words, plain, re.IGNORECASE)


def test_classes_are_told_by_their_names_wherever_they_are_shown(
    one_seed: Findings, page: Element
) -> None:
    assert one_seed.view is not None
    findings = dataclasses.replace(
        one_seed, classes=ANIMALS, view=dataclasses.replace(one_seed.view, classes=ANIMALS)
    )
    drawn = draw_report(findings)
    named = read_page(drawn.page)
    images, numbers = _section(named, "images"), _section(page, "images")
    for kind in ("label", "said"):
        shown = [each.text for each in images.all("span", kind)]
        places = [each.text for each in numbers.all("span", kind)]
        assert shown == [ANIMALS[int(place)] for place in places]
    first = findings.mistakes[0]
    assert first.label is not None
    assert first.predicted is not None
    label, said = ANIMALS[first.label], ANIMALS[first.predicted]
    assert images.all("img")[0].attributes["alt"] == f"labelled {label}, taken for {said}"
    (table,) = _section(named, "classes").all("table", "by-class")
    assert [row.all("th")[0].text for row in table.all("tbody")[0].all("tr")] == list(ANIMALS)
    (table,) = named.all("table", "published")
    for row in table.all("tbody")[0].all("tr"):
        assert row.all("td")[-1].text.partition("F1, class ")[2] in ANIMALS
    inside = _section(named, "inside")
    assert "Its label is elk; the network says elk" in inside.text
    alts = {img.attributes["alt"] for img in inside.all("img")}
    assert "test image 7, labelled elk" in alts
    assert "Label elk; the network says elk" in drawn.figures["inside"]
    for name in ("classes-f1", "classes-recall", "classes-precision", "confusion-cnn-1conv"):
        assert all(f">{animal}<" in drawn.figures[name] for animal in ANIMALS)


def test_pictures_carry_what_was_said(page: Element, one_seed: Findings) -> None:
    (section,) = (s for s in page.all("section") if s.attributes.get("id") == "images")
    cards = [card for shown in section.all("ul", "cards")[:2] for card in shown.all("li")]
    assert len(cards) == len(one_seed.mistakes)
    for card, mistake in zip(cards, one_seed.mistakes, strict=True):
        assert f"{mistake.label} → {mistake.predicted}" in card.text
        assert f"image {mistake.index}" in card.text
        assert ("wrong label" in card.text) == mistake.known_wrong_label


def test_provenance_is_complete(page: Element, one_seed: Findings) -> None:
    (section,) = (s for s in page.all("section") if s.attributes.get("id") == "origins")
    made = one_seed.records[0].provenance
    for value in (
        *made.versions.values(),
        made.commit or "",
        made.cpu,
        made.precision,
        made.kernels,
        made.study_hash,
        made.data_hash,
        str(made.threads),
        "bakeoff run study.toml --out ../again",
        # The protocol, which the recipes lack:
        *("validation_examples", "6000", "pixels", "scaled-twice", "balanced_accuracy"),
    ):
        assert value in section.text
    for key in ("learning_rate", "batch_size", "initialisation", "target_validation_accuracy"):
        assert key in section.text


def test_methods_have_every_number_that_a_paper_needs(
    page: Element, fair_page: Element, five_seeds: Findings
) -> None:
    (methods,) = fair_page.all("p", "methods")
    for said in (
        "6 entrants were trained on MNIST (CC BY-SA 3.0): 54,000 images to train, 6,000",
        "and 10,000 to test",
        "Of 30 planned trials, 5 for each entrant, for scores move with the seed",
        "29 completed",
        "Holm's correction for 15 pairs",
        "a margin of 0.25 points",
        "torch 2.13.0",
    ):
        assert said in methods.text
    cited = [each for each in methods.all("a") if each.attributes.get("class") != "term"]
    assert [(each.text, each.attributes["href"]) for each in cited[:2]] == [
        ("Bouthillier et al. 2021", "https://doi.org/10.48550/arXiv.2103.03098"),
        ("Hillis, Berbaum and Metz 2008", "https://doi.org/10.1016/j.acra.2007.12.015"),
    ]
    assert "exact McNemar test" in page.all("p", "methods")[0].text
    # 0.05 ** (1 / 4) is 0.4729: one of the five trials of an entrant diverged.
    assert "after 4 without a failure, up to 52.7 % of" in fair_page.text
    for sentence in ("without a failure", "(simulated)"):
        assert sentence in fair_page.text
        assert sentence not in page.text


def test_verdicts_beyond_eight_fold() -> None:
    said = [f"pair {number}" for number in range(10)]
    pairs = [{"verdict": {"kind": "better", "ahead": None, "sentence": each}} for each in said]
    source = "{% import 'macros.html' as show %}{{ show.first_verdicts(pairs) }}"
    folds = []
    for count in (0, 8, 10):
        part = read_page(environment().from_string(source).render(pairs=pairs[:count]))
        (folded, *_) = part.all("details") or [Element("none", {})]
        folds.append((len(part.all("li")), folded.text))
    assert folds == [(0, ""), (8, ""), (10, "Its other 2 verdicts pair 8 pair 9")]


def test_trials_of_several_machines_show_every_value(small: Findings) -> None:
    first, *others = small.records
    other = first.model_copy(
        update={"provenance": first.provenance.model_copy(update={"cpu": "Another processor"})}
    )
    page = read_page(draw_report(dataclasses.replace(small, records=(other, *others))).page)
    assert "Another processor, A processor of some make" in page.text


def test_the_opening_answers_the_question_of_batch_sizes(
    page: Element, fair_page: Element, one_seed: Findings
) -> None:
    def answers(of: Element) -> list[str]:
        (opening,) = of.all("header", "opening")
        return [each.text for each in opening.all("p", "second")]

    said = []
    for size in (50, 100):
        (trial,) = one_seed.complete(f"cnn-2conv-dropout-batch-{size}")
        assert trial.stopped.reason == "target reached"
        clock = f"{clean_seconds(one_seed.study, trial.entrant, trial.stopped.epoch):.0f} s"
        said.append(f"batch {size} took {trial.stopped.epoch} epochs and {clock}")
    assert answers(page) == [f"To a validation accuracy of 0.99: {'; '.join(said)}."]
    assert len(answers(fair_page)) == 1


def _stopped_short(findings: Findings, name: str) -> Findings:
    """Return the findings with the trials of one entrant at the end of their budget instead."""
    records = tuple(
        r.model_copy(
            update={"stopped": r.stopped.model_copy(update={"reason": "target not reached"})}
        )
        if r.entrant == name
        else r
        for r in findings.records
    )
    return dataclasses.replace(findings, records=records)


def test_batch_sizes_that_miss_the_target_are_said_to(one_seed: Findings) -> None:
    one_short = _stopped_short(one_seed, "cnn-2conv-dropout-batch-50")
    (group,) = batch_groups(one_short)
    assert group.answer.startswith(
        "To a validation accuracy of 0.99: batch 50 did not get there; batch 100 took "
    )
    (group,) = batch_groups(_stopped_short(one_short, "cnn-2conv-dropout-batch-100"))
    assert group.answer == "No batch size came to a validation accuracy of 0.99."


def test_sorting_begins_with_the_better_end(page: Element) -> None:
    heads = [head for head in page.all("th") if "aria-sort" in head.attributes]
    better = {head.text: head.attributes["data-better"] for head in heads}
    assert better["Parameters"] == better["Training clean seconds"] == better["Entrant"] == "low"
    assert better["Accuracy test"] == "high"


def test_a_leak_stands_in_the_opening(one_seed: Findings, page: Element) -> None:
    line = "2 of 9 test images are also in training: test image 0 = training image <7>"
    leaky = read_page(draw_report(dataclasses.replace(one_seed, leaks=(line,))).page)
    (opening,) = leaky.all("header")
    assert f"{line}. Scores count these images like all others." in opening.text
    assert "overlap" not in page.text


def test_the_page_says_which_machine_timed_and_where_trials_ran_on_different_hardware(
    small: Findings,
) -> None:
    assert "kinds of hardware" not in draw_report(small).page
    first, *others = small.records
    made = first.provenance.model_copy(update={"cpu": "Xeon <8>", "machine": "node7"})
    mixed = dataclasses.replace(
        small,
        timed_on="node<1>",
        records=(first.model_copy(update={"provenance": made}), *others),
    )
    text = read_page(draw_report(mixed).page).text
    assert "2 kinds of hardware trained these trials (Xeon <8>: 1; " in text
    assert "with nothing else at work, on node<1>." in text
    assert "Trained on node7" in text
    assert "Timed on node<1>" in text
