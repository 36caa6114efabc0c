"""What the report shows of a run, against the files that the run left."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file

from bakeoff.commands.run import Baked, run_study
from bakeoff.data.readers.digits import load_digits
from bakeoff.findings.findings import Findings, gather_findings
from bakeoff.findings.inside import view_of
from bakeoff.findings.view import View
from bakeoff.records.record import Record
from bakeoff.report.pictures.raster import diverging
from bakeoff.study.protocol import Protocol
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Entrant, Inside, Study

from ..report.page_reading import Element, read_page

DIGITS = load_digits()
LABELS = DIGITS.test_labels
FEW = Recipe(epochs=1, learning_rate=0.003)
SHOWN = 3
"""The test image that the study names."""
STUDY = Study(
    name="gathered",
    seeds=2,
    protocol=Protocol(dataset="digits", validation_examples=297, train_examples=400),
    inside=Inside(image=SHOWN, channel=0),
    entrants=(
        Entrant(name="linear", architecture="logistic-regression", recipe=FEW),
        Entrant(name="cnn", architecture="cnn-2conv-dropout", recipe=FEW),
        Entrant(name="small-cnn", architecture="cnn-1conv", recipe=FEW),
    ),
)
CNNS = ("cnn", "small-cnn")


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory) -> Baked:
    return run_study(STUDY, tmp_path_factory.mktemp("gather") / "run", precision="float32")


def look(baked: Baked, record: Record, index: int) -> View:
    return view_of(baked.folder, record, DIGITS, index)


@pytest.fixture(scope="module")
def findings(baked: Baked) -> Findings:
    return gather_findings(baked.conclusion, DIGITS, partial(look, baked))


@pytest.fixture(scope="module")
def page(baked: Baked) -> Element:
    return read_page(baked.conclusion.report.read_text())


def saved_weights(baked: Baked, entrant: str, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Return model.safetensors as the format's own library reads it."""
    file: Path = baked.folder.path / "trials" / entrant / str(seed) / "model.safetensors"
    return load_file(file)


def saved_logits(baked: Baked, entrant: str, seed: int = 0) -> NDArray[np.float32]:
    return baked.folder.read_predictions(entrant, seed)["test_logits"]


def said(baked: Baked, entrant: str, seed: int = 0) -> NDArray[np.int64]:
    predicted: NDArray[np.int64] = saved_logits(baked, entrant, seed).argmax(axis=1)
    return predicted


def picture(page: Element, alt: str) -> NDArray[np.uint8]:
    """Return the pixels of the first picture of the page that shows `alt`: the winner's."""
    shown = next(each for each in page.all("img") if each.attributes["alt"] == alt)
    encoded = (shown.attributes["src"] or "").removeprefix("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))))


def test_the_page_shows_the_filters_of_the_winners_file(baked: Baked, page: Element) -> None:
    winner = baked.conclusion.standings[0].entrant
    assert winner in CNNS
    filters = saved_weights(baked, winner)["conv1.weight"][:, 0]
    limit = float(np.abs(filters).max())
    for number in range(5):
        np.testing.assert_array_equal(
            picture(page, f"filter {number}"), diverging(filters[number], limit)
        )
    tile = picture(page, "all 32 filters")[33 * 3 : 33 * 3 + 30 : 6, 33 * 7 : 33 * 7 + 30 : 6]
    np.testing.assert_array_equal(tile, diverging(filters[31], limit))


def test_the_page_shows_the_maps_of_the_winners_file(baked: Baked, page: Element) -> None:
    """The first convolution is written out, so that nothing but the file and the image is asked."""
    weights = saved_weights(baked, baked.conclusion.standings[0].entrant)
    image = np.pad(DIGITS.test_images[SHOWN, 0] / np.float32(255), 2)
    windows = np.lib.stride_tricks.sliding_window_view(image, (5, 5))
    before = np.einsum("hwij,ij->hw", windows, weights["conv1.weight"][0, 0])
    before += weights["conv1.bias"][0]
    limit = float(np.abs(before).max())
    for maps, which in ((before, "before"), (np.maximum(before, 0), "after")):
        shown = picture(page, f"conv1, channel 0 {which} ReLU").astype(int)
        assert np.abs(shown - diverging(maps, limit)).max() <= 1  # rounding of one colour step


def test_the_page_shows_the_weight_images_of_the_file(baked: Baked, page: Element) -> None:
    weights = saved_weights(baked, "linear")["1.weight"].reshape(10, 8, 8)
    limit = float(np.abs(weights).max())
    for label in range(10):
        np.testing.assert_array_equal(
            picture(page, f"weights of class {label}"), diverging(weights[label], limit)
        )


def test_the_look_is_into_the_winners_first_trial(baked: Baked, findings: Findings) -> None:
    assert findings.winner == baked.conclusion.standings[0].entrant
    assert findings.view is not None
    assert (findings.view.entrant, findings.view.seed) == (findings.winner, 0)
    logits = saved_logits(baked, findings.winner)[SHOWN].astype(np.float64)
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(findings.view.probabilities, expected, rtol=1e-4)
    others = [(row.entrant, 0) for row in baked.conclusion.standings[1:]]
    assert [(view.entrant, view.seed) for view in findings.other_views] == others
    assert {view.index for view in (findings.view, *findings.other_views)} == {SHOWN}


def test_mistakes_are_the_winners_most_confident_ones(baked: Baked, findings: Findings) -> None:
    logits = saved_logits(baked, findings.winner).astype(np.float64)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wrong = [n for n in range(len(LABELS)) if chances[n].argmax() != LABELS[n]]
    wrong.sort(key=lambda n: -chances[n].max())
    assert [mistake.index for mistake in findings.mistakes] == wrong[:24]
    for mistake in findings.mistakes:
        assert mistake.label == LABELS[mistake.index]
        assert mistake.predicted == chances[mistake.index].argmax()
        assert mistake.probability == pytest.approx(chances[mistake.index].max())
        np.testing.assert_array_equal(mistake.image, DIGITS.test_images[mistake.index])


def test_the_first_two_part_where_comparison_json_says(baked: Baked, findings: Findings) -> None:
    pair = baked.conclusion.comparison.to_dict()["pairs"][0]
    assert [pair["a"], pair["b"]] == [row.entrant for row in baked.conclusion.standings[:2]]
    parted = findings.disagreements[0]
    assert pair["flips"]["only_a"]
    for cards, side, other in ((parted.only_a, "only_a", "b"), (parted.only_b, "only_b", "a")):
        told = [said(baked, pair[other], seed) for seed in pair["seeds"]]
        assert len(cards) == min(len(pair["flips"][side]), 8)
        for card in cards:
            assert card.index in pair["flips"][side]
            # Of two seeds more than half are both.
            assert [card.wrong, card.trials] == [2, 2]
            assert card.predicted in [each[card.index] for each in told]
            assert card.label == LABELS[card.index] != card.predicted
            np.testing.assert_array_equal(card.image, DIGITS.test_images[card.index])
            assert not card.known_wrong_label
        sure = [card.probability or 0 for card in cards]
        assert sure == sorted(sure, reverse=True)


def test_every_pair_has_images_of_its_own(baked: Baked, findings: Findings) -> None:
    pairs = baked.conclusion.comparison.tested
    assert [each.pair for each in findings.disagreements] == list(pairs)
    for each in findings.disagreements[1:]:
        assert each.pair.flips is not None
        for cards, side in ((each.only_a, "only_a"), (each.only_b, "only_b")):
            indices = getattr(each.pair.flips, side)
            assert len(cards) == min(len(indices), 4)
            assert {card.index for card in cards} <= set(indices.tolist())


def test_images_of_wrong_labels_are_marked_wherever_they_are_shown(
    baked: Baked, findings: Findings
) -> None:
    parted = findings.disagreements[0]
    chosen = (findings.mistakes[1], findings.hardest[3], *parted.only_a[:1], *parted.only_b[:1])
    wrong = tuple({mistake.index for mistake in chosen})
    dataset = replace(DIGITS, known_wrong_test_labels=wrong)
    again = gather_findings(baked.conclusion, dataset, partial(look, baked))
    assert again.disagreements
    cards = [
        *again.mistakes,
        *again.disagreements[0].only_a,
        *again.disagreements[0].only_b,
        *again.hardest,
    ]
    assert {card.index for card in cards if card.known_wrong_label} == set(wrong)
    assert all(card.known_wrong_label == (card.index in wrong) for card in cards)


def test_the_hardest_images_are_those_of_comparison_json(baked: Baked, findings: Findings) -> None:
    trials = [said(baked, each.name, seed) for each in STUDY.entrants for seed in (0, 1)]
    hardest = baked.conclusion.comparison.to_dict()["hardest_images"]
    assert [(hard.index, hard.wrong) for hard in findings.hardest] == [
        (image["index"], image["wrong"]) for image in hardest[:24]
    ]
    for hard in findings.hardest:
        assert (hard.trials, hard.label) == (6, LABELS[hard.index])
        answers = [int(each[hard.index]) for each in trials if each[hard.index] != hard.label]
        assert len(answers) == hard.wrong
        assert hard.predicted is not None
        assert answers.count(hard.predicted) == max(map(answers.count, answers))
        np.testing.assert_array_equal(hard.image, DIGITS.test_images[hard.index])


def test_calibrations_are_those_of_the_saved_logits(baked: Baked, findings: Findings) -> None:
    assert {each.entrant for each in findings.calibrations} == {"linear", "cnn", "small-cnn"}
    for found in findings.calibrations:
        losses, errors = [], []
        for seed in range(STUDY.seeds):
            logits = saved_logits(baked, found.entrant, seed).astype(np.float64)
            shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            losses.append(-np.log(shares[np.arange(len(LABELS)), LABELS]).mean())
            sure, right = shares.max(axis=1), shares.argmax(axis=1) == LABELS
            error = 0.0
            for low in range(15):
                inside = (sure > low / 15) & (sure <= (low + 1) / 15)
                if inside.any():
                    gap = right[inside].mean() - sure[inside].mean()
                    error += inside.mean() * abs(gap)
            errors.append(error)
        assert found.loss == pytest.approx(np.mean(losses))
        assert found.error == pytest.approx(np.mean(errors))
