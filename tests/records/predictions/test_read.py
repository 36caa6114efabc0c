"""Files as people have them, read, or refused in one line that says what and where."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bakeoff.errors import BakeoffError, DataError
from bakeoff.files.arrays import to_npz
from bakeoff.records.predictions.predictions import Predictions
from bakeoff.records.predictions.read import read_predictions
from tests.records.predictions.drawn import ITEMS, TRUTH, A, B, logits, rows, save, table

FILES = (("a", A), ("b", B))


def said(found: Predictions) -> dict[str, float]:
    return {
        each.name: round(float(each.correct.mean()), 4)
        for each in found.answers
        if each.correct is not None
    }


def refusal(*paths: Path, **how: object) -> str:
    with pytest.raises(BakeoffError) as caught:
        read_predictions(paths, **how)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def a(tmp_path: Path) -> Path:
    return table(tmp_path / "a.csv", rows(A))


def test_two_plain_tables(tmp_path: Path, a: Path) -> None:
    found = read_predictions([a, table(tmp_path / "b.csv", rows(B))])
    assert said(found) == {"a": 0.9333, "b": 0.8167}
    of_a, of_b = (each.correct for each in found.answers)
    assert of_a is not None
    assert of_b is not None
    assert ((of_a & ~of_b).sum(), (of_b & ~of_a).sum()) == (10, 3)
    assert found.classes == ("0", "1", "2")
    assert found.items == tuple(ITEMS)
    assert found.labels is not None
    assert found.labels.tolist() == TRUTH.tolist()
    assert found.understood == (
        "CSV: item from id, label from label, predicted from predicted",
        "2 entrants: a, b, 1 run each; 60 items by name; 3 classes",
    )


def _spelt(file: Path, how: str) -> None:
    lines = rows(B)
    if how == "semicolons":
        table(file, lines, separator=";")
    elif how == "tabs":
        table(file, lines, separator="\t")
    elif how == "blanks":
        table(
            file, [tuple(f" {each} " for each in line) for line in lines], "id, label , predicted"
        )
    elif how == "floats":
        table(file, [(item, f"{label}.0", f"{said}.0") for item, label, said in lines])
    elif how == "another order":
        table(file, lines[::-1])
    elif how == "quotes":
        table(
            file,
            [tuple(f'"{each}"' for each in line) for line in lines],
            '"id","label","predicted"',
        )
    elif how == "empty lines":
        file.write_text("id,label,predicted\n\n" + "\n\n".join(map(",".join, lines)) + "\n\n")
    else:
        text = "id,label,predicted\r\n" + "\r\n".join(map(",".join, lines))
        file.write_bytes(b"\xef\xbb\xbf" + text.encode())


@pytest.mark.parametrize(
    "how",
    [
        "semicolons",
        "tabs",
        "blanks",
        "floats",
        "another order",
        "quotes",
        "empty lines",
        "BOM and CRLF",
    ],
)
def test_spellings_change_no_number(tmp_path: Path, a: Path, how: str) -> None:
    file = tmp_path / "b.csv"
    _spelt(file, how)
    assert said(read_predictions([a, file])) == {"a": 0.9333, "b": 0.8167}


def test_names_for_numbers_are_the_same_classes(tmp_path: Path, a: Path) -> None:
    names = ("nought", "one", "two")
    lines: list[tuple[str, ...]] = [(item, names[int(x)], names[int(y)]) for item, x, y in rows(B)]
    found = read_predictions([a, table(tmp_path / "b.csv", lines)])
    assert said(found) == {"a": 0.9333, "b": 0.8167}
    assert (
        f"classes of {tmp_path}/b.csv by other names: nought = 0, one = 1, two = 2"
        in found.understood
    )


def test_the_first_item_is_no_header(tmp_path: Path, a: Path) -> None:
    file = table(tmp_path / "b.csv", rows(B), header="")
    assert refusal(a, file) == (
        f"{file}: line 1: no header ('img-000', '0', '1'), and nothing says which column is which; "
        "add one, or say --columns item=1,label=2,predicted=3"
    )
    columns = {"item": "1", "label": "2", "predicted": "3"}
    assert said(read_predictions([a, file], columns=columns)) == {"a": 0.9333, "b": 0.8167}


FORMS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "logits": lambda scores: scores,
    "probabilities": lambda scores: np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True),
    "percent": lambda scores: 100 * np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True),
    "log-probabilities": lambda scores: scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)),
}


def scored(file: Path, scores: NDArray[np.float64]) -> Path:
    lines = [
        (item, str(label), *(f"{each:.6f}" for each in row))
        for item, label, row in zip(ITEMS, TRUTH.tolist(), scores, strict=True)
    ]
    return table(file, lines, "id,label,p0,p1,p2")


@pytest.mark.parametrize("form", FORMS)
def test_scores_of_classes_in_any_form(tmp_path: Path, form: str) -> None:
    files = [
        scored(tmp_path / f"{name}.csv", FORMS[form](logits(answer)))
        for name, answer in (("a", A), ("b", B))
    ]
    found = read_predictions(files)
    assert said(found) == {"a": 0.9333, "b": 0.8167}
    assert f"scores are {form}" in found.understood[0]
    expected = FORMS["probabilities"](logits(A))
    assert found.answers[0].probabilities is not None
    np.testing.assert_allclose(found.answers[0].probabilities[0], expected, atol=2e-6)


def test_scores_that_sum_to_something_else_are_refused(tmp_path: Path) -> None:
    scores = FORMS["probabilities"](logits(A))
    halved = scored(tmp_path / "a.csv", scores / 2)
    assert "line 2 (img-000): scores between 0 and 1 sum to 0.5, not to 1" in refusal(halved)
    scores[7] *= 1.5
    one = scored(tmp_path / "b.csv", scores)
    assert "line 9 (img-007): scores sum to 1.5, not to 1 as those of other rows" in refusal(one)


def test_ties_count_for_the_first_class_and_are_said(tmp_path: Path) -> None:
    scores = logits(A)
    scores[0] = [1, 1, 0]
    found = read_predictions([scored(tmp_path / "a.csv", scores)])
    assert found.answers[0].predicted is not None
    assert found.answers[0].predicted[0, 0] == 0
    assert "1 row with a tie, where the first class counts" in found.understood[0]


def test_missing_double_and_surplus_items(tmp_path: Path, a: Path) -> None:
    lacking = [line for line in rows(B) if line[0] not in ("img-010", "img-020", "img-030")]
    missing = table(tmp_path / "missing.csv", lacking)
    double = table(tmp_path / "double.csv", [*rows(B), ("img-007", "0", "1")])
    extra = table(tmp_path / "extra.csv", [*rows(B), ("img-999", "0", "1")])
    assert refusal(a, missing).startswith(
        f"3 items of {a} are missing in {missing} (first img-010)"
    )
    assert refusal(a, double).startswith(f"img-007 stands on lines 9 and 62 of {double}; ")
    assert refusal(a, extra).startswith(f"img-999 of {extra}, line 62, is not in {a}; ")
    found = read_predictions([a, missing], intersect=True)
    assert len(found.items) == 57
    assert found.left_out == (
        "3 items that not every run answers, and 0 answers to items that are not in a.csv, are "
        "left out; 57 of 60 remain",
    )


def test_labels_that_contradict_each_other(tmp_path: Path, a: Path) -> None:
    lines = [list(line) for line in rows(B)]
    lines[30][1], lines[31][1] = "2", "0"
    other = table(tmp_path / "b.csv", [tuple(line) for line in lines])
    assert refusal(a, other) == (
        f"img-030 is 1 in {a} and 2 in {other} (2 items differ); mend the labels of one"
    )


def seeded(file: Path, seeds: list[int], predicted: list[int]) -> Path:
    lines = [(str(seed), *line) for seed in seeds for line in rows(predicted)]
    return table(file, lines, "seed,id,label,predicted")


def test_runs_by_seed(tmp_path: Path) -> None:
    files = [seeded(tmp_path / "a.csv", [0, 1, 2], A), seeded(tmp_path / "b.csv", [1, 2, 3], B)]
    found = read_predictions(files)
    assert [each.seeds for each in found.answers] == [(0, 1, 2), (1, 2, 3)]
    double = seeded(tmp_path / "double.csv", [1, 1], A)
    assert refusal(files[0], double).startswith(
        f"img-000 of double seed 1 stands on lines 2 and 62 of {double} (60 items do); "
    )


def test_a_column_label_that_holds_answers(tmp_path: Path) -> None:
    lines = [(str(at + 1), str(answer)) for at, answer in enumerate(A)]
    file = table(tmp_path / "a.csv", lines, "ImageId,Label")
    truth = table(
        tmp_path / "labels.csv",
        [(str(at + 1), str(label)) for at, label in enumerate(TRUTH)],
        "ImageId,Truth",
    )
    assert refusal(file) == (
        f"{file}: no predictions beside 'Label'; if these are the true labels, give the file as "
        "--labels a.csv; if they are predictions, give --labels FILE"
    )
    found = read_predictions([file], labels=truth)
    assert said(found) == {"a": 0.9333}
    assert found.understood[0] == "CSV: item from ImageId, predicted from Label"


def test_two_columns_that_may_be_either(tmp_path: Path) -> None:
    file = table(tmp_path / "a.csv", rows(A), "id,label,answer")
    assert refusal(file) == (
        f"{file}: either label is the label and answer the prediction, or the other way round; say "
        "--columns label=label,predicted=answer"
    )
    found = read_predictions([file], columns={"label": "label", "predicted": "answer"})
    assert said(found) == {"a": 0.9333}


def test_a_stored_judgement_goes_before_comparing_texts(tmp_path: Path) -> None:
    lines = [
        (item, "B", "The answer is B.", str(int(answer == int(label))))
        for item, label, answer in zip(ITEMS, TRUTH, A, strict=True)
    ]
    file = table(tmp_path / "a.csv", lines, "id,target,prediction,correct")
    found = read_predictions([file])
    assert said(found) == {"a": 0.9333}
    assert found.classes == ()
    without = table(tmp_path / "b.csv", [line[:3] for line in lines], "id,target,prediction")
    assert refusal(without) == (
        f"{without}: line 2: the prediction The answer is B. is a text, and labels are as B; give "
        "a judgement of each answer in a column correct"
    )


def test_a_class_in_another_spelling(tmp_path: Path) -> None:
    lines = [(item, "cat", "Cat" if at == 5 else "cat") for at, item in enumerate(ITEMS)]
    file = table(tmp_path / "a.csv", lines)
    assert refusal(file) == (
        f"{file}: line 7: Cat is not cat, but nearly; spell classes in one way"
    )


def test_two_judgements(tmp_path: Path) -> None:
    lines = [(item, "1", "0.5") for item in ITEMS]
    file = table(tmp_path / "a.csv", lines, "id,acc,f1")
    assert refusal(file) == f"{file}: acc, f1 may each be the score; choose one by --score acc"
    found = read_predictions([file], score="f1")
    assert found.score == "f1"
    assert found.answers[0].scores is not None
    assert found.answers[0].scores.tolist() == [[0.5] * 60]


@pytest.mark.parametrize("text", ["", "nan", "inf", "many"])
def test_scores_that_are_no_numbers(tmp_path: Path, text: str) -> None:
    lines = [(item, text if at == 3 else "0.5") for at, item in enumerate(ITEMS)]
    file = table(tmp_path / "a.csv", lines, "id,f1")
    shown = repr(text) if text else "nothing"
    assert refusal(file) == (
        f"{file}: line 5 (img-003): {shown} in column 'f1' is no finite number; mend it"
    )


def test_totals_are_no_predictions(tmp_path: Path) -> None:
    file = table(tmp_path / "a.csv", [("net-1", "71.2"), ("net-2", "73.0")], "model,top1")
    assert refusal(file) == (
        f"{file}: totals, one row for each model, and no predictions; give one row for each model "
        "and item"
    )


def test_rows_without_names_are_paired_by_position_with_equal_labels(tmp_path: Path) -> None:
    files = [
        table(tmp_path / f"{name}.csv", [line[1:] for line in rows(answer)], "y_true,y_pred")
        for name, answer in (("a", A), ("b", B))
    ]
    found = read_predictions(files)
    assert said(found) == {"a": 0.9333, "b": 0.8167}
    assert "60 items by position" in found.understood[-1]
    short = table(tmp_path / "c.csv", [line[1:] for line in rows(B)][:59], "y_true,y_pred")
    assert refusal(files[0], short) == (
        f"{short}: 59 answers for the 60 items of {files[0]}; without names they are paired by "
        "position, and each needs all"
    )
    named = table(tmp_path / "d.csv", rows(B))
    assert refusal(named, files[0]) == (
        f"{files[0]}: its items have no names, those of {named} have; add a column of items"
    )


def test_folders_of_entrants_and_seeds(tmp_path: Path) -> None:
    for seed in (0, 1):
        table(tmp_path / "f" / "a" / f"{seed}.csv", rows(A))
        table(tmp_path / "f" / "b" / f"seed{seed}.csv", rows(B))
        table(tmp_path / "g" / f"a-seed{seed}.csv", rows(A))
        table(tmp_path / "g" / f"b_seed_{seed}.csv", rows(B))
    table(tmp_path / "h" / "a" / "preds.csv", rows(A))
    table(tmp_path / "h" / "b" / "preds.csv", rows(B))
    for folder in ("f", "g"):
        found = read_predictions([tmp_path / folder])
        assert [(each.name, each.seeds) for each in found.answers] == [("a", (0, 1)), ("b", (0, 1))]
    found = read_predictions(
        [tmp_path / "h" / "a" / "preds.csv", tmp_path / "h" / "b" / "preds.csv"]
    )
    assert said(found) == {"a": 0.9333, "b": 0.8167}


def test_arrays_with_labels(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    folder.mkdir()
    save(folder / "a.npy", np.array([A, A]))
    save(folder / "b.npy", np.stack([logits(B), logits(B)]))
    save(tmp_path / "labels.npy", TRUTH)
    found = read_predictions([folder], labels=tmp_path / "labels.npy")
    assert said(found) == {"a": 0.9333, "b": 0.8167}
    assert [each.seeds for each in found.answers] == [(0, 1), (0, 1)]
    (tmp_path / "c.npz").write_bytes(to_npz({"logits": logits(B), "labels": TRUTH}))
    assert said(read_predictions([tmp_path / "c.npz"])) == {"c": 0.8167}


def test_arrays_that_say_nothing(tmp_path: Path) -> None:
    save(tmp_path / "a.npy", np.linspace(0, 1, 60))
    save(tmp_path / "labels.npy", TRUTH)
    assert "numbers with a fraction, which may be scores or probabilities of one class" in refusal(
        tmp_path / "a.npy", labels=tmp_path / "labels.npy"
    )
    scores = logits(A)
    scores[3, 1] = np.nan
    save(tmp_path / "b.npy", scores)
    assert "nan at [3, 1] is no finite number" in refusal(
        tmp_path / "b.npy", labels=tmp_path / "labels.npy"
    )


def test_json_lines_and_lists(tmp_path: Path) -> None:
    objects = [
        {"id": item, "label": int(x), "probabilities": row}
        for (item, x, _), row in zip(
            rows(A), FORMS["probabilities"](logits(A)).tolist(), strict=True
        )
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, objects)))
    (tmp_path / "b.json").write_text(
        json.dumps([{"id": item, "label": x, "predicted": y} for item, x, y in rows(B)])
    )
    assert said(read_predictions([tmp_path / "a.jsonl", tmp_path / "b.json"])) == {
        "a": 0.9333,
        "b": 0.8167,
    }
    (tmp_path / "c.jsonl").write_text('{"id": 1, "label": 0, "predicted": 0}\n{"id": \n')
    assert refusal(tmp_path / "c.jsonl") == (
        f"{tmp_path}/c.jsonl: line 2: not valid JSON; mend it, or get the file again"
    )


def test_one_tidy_table_of_all(tmp_path: Path) -> None:
    lines = [
        (name, str(seed), *line)
        for name, answer in (("a", A), ("b", B))
        for seed in (0, 1)
        for line in rows(answer)
    ]
    found = read_predictions([table(tmp_path / "all.csv", lines, "model,seed,id,label,predicted")])
    assert said(found) == {"a": 0.9333, "b": 0.8167}


def test_groups(tmp_path: Path) -> None:
    lines = [(*line, f"patient {at // 6}") for at, line in enumerate(rows(A))]
    file = table(tmp_path / "a.csv", lines, "id,label,predicted,patient")
    found = read_predictions([file], group="patient")
    assert found.groups is not None
    assert found.groups.tolist() == [at // 6 for at in range(60)]
    assert found.group_names[:2] == ("patient 0", "patient 1")
    assert "no column 'doctor'" in refusal(file, group="doctor")


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file of predictions in it"):
        read_predictions([tmp_path])


def test_the_label_of_a_timm_table_is_its_answer(tmp_path: Path) -> None:
    truth = table(
        tmp_path / "truth.csv", [(item, label) for item, label, _ in rows(A)], "filename,label"
    )
    lines = {each: [(item, answer) for item, _, answer in rows(given)] for each, given in FILES}
    forms: dict[str, Callable[[str, str], tuple[str, ...]]] = {
        "filename,label,prob": lambda item, answer: (item, answer, "0.9"),
        "filename,index,label,prob": lambda item, answer: (item, answer, "some, bird", "0.9"),
        "filename,index_0,index_1,prob_0,prob_1": lambda item, answer: (
            item, answer, str((int(answer) + 1) % 3), "0.6", "0.2",
        ),
    }  # fmt: skip
    for header, written in forms.items():
        files = [
            table(
                tmp_path / f"{each}.tsv",
                [written(*line) for line in lines[each]],
                header,
                separator="\t",
            )
            for each, _ in FILES
        ]
        found = read_predictions(files, labels=truth)
        assert said(found) == {"a": 0.9333, "b": 0.8167}, header
        assert all(each.probabilities is None for each in found.answers)


def test_medmnist_tables(tmp_path: Path) -> None:
    for each, given in FILES:
        scored = zip(TRUTH.tolist(), logits(given), strict=True)
        lines = [(str(at), str(true), *map(str, row)) for at, (true, row) in enumerate(scored)]
        table(tmp_path / f"{each}.csv", lines, "\ufeffid,true_0,score_0,score_1,score_2")
    both = [tmp_path / f"{each}.csv" for each, _ in FILES]
    assert said(read_predictions(both)) == {"a": 0.9333, "b": 0.8167}
    several = table(
        tmp_path / "several.csv",
        [("0", "1", "0", "0.2", "0.9")],
        "id,true_0,true_1,score_0,score_1",
    )
    assert refusal(several) == (
        f"{several}: true_0, true_1 are several true labels of each item; judge each of them in a "
        "table of its own"
    )


@pytest.mark.parametrize("text", ["1.5", "inf", "what?", "x y"])
def test_among_class_numbers_all_predictions_are_numbers(
    tmp_path: Path, a: Path, text: str
) -> None:
    lines = rows(B)
    lines[7] = ("img-007", "0", text)
    b = table(tmp_path / "b.csv", lines)
    assert refusal(a, b) == (
        f"{b}: line 9: the prediction {text} of img-007 is no class number, and labels are; mend it"
    )


def test_probabilities_that_were_rounded_are_what_they_are(tmp_path: Path) -> None:
    scores = np.round(FORMS["probabilities"](logits(A)), 2)
    assert (np.abs(scores.sum(axis=1) - 1) > 0.005).any()
    found = read_predictions([scored(tmp_path / "a.csv", scores)])
    assert "scores are probabilities" in found.understood[0]


def test_a_probability_of_nobody_knows_which_class(tmp_path: Path) -> None:
    lines = [(item, str(x), "0.7") for item, x, _ in rows(A)]
    file = table(tmp_path / "a.csv", lines, "id,label,prob")
    assert refusal(file) == (
        f"{file}: prob is a probability, and nothing says of which class; give a column for each "
        "class, or the predicted class"
    )


def test_labels_without_names_for_items_that_have_some(tmp_path: Path, a: Path) -> None:
    labels = save(tmp_path / "labels.npy", TRUTH)
    assert refusal(a, labels=labels) == (
        f"{labels}: 60 labels without names of items, those of {a} have names (img-000, …); add a "
        "column of items"
    )


def test_numbers_of_items_are_places_in_labels_without_names(tmp_path: Path) -> None:
    lines = [(str(at), str(answer)) for at, answer in enumerate(A)]
    file = table(tmp_path / "a.csv", lines[::-1], "id,predicted")
    labels = save(tmp_path / "labels.npy", TRUTH)
    assert said(read_predictions([file], labels=labels)) == {"a": 0.9333}
