"""A whole study on small data: what it leaves, what it keeps, what it refuses."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bakeoff.commands.run import Baked, find_all, run_study
from bakeoff.data.readers.digits import load_digits
from bakeoff.engine.pixels import Pixels
from bakeoff.errors import BakeoffError, StoreError, StudyError, UsageError
from bakeoff.findings.inside import load_network
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Record
from bakeoff.runners.listener import Listener
from bakeoff.study.protocol import Protocol
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Entrant, Inside, Study
from bakeoff.training.fit import Streams
from bakeoff.training.predict import predict_logits

from ..factories import entrant, study
from ..runners.heard import Heard

SMALL = Study(
    name="small",
    question="Does a hidden layer help?",
    protocol=Protocol(dataset="digits", validation_examples=297),
    entrants=(
        Entrant(name="plain", architecture="logistic-regression", recipe=Recipe(epochs=2)),
        Entrant(name="convolution", architecture="cnn-1conv", recipe=Recipe(epochs=1)),
    ),
)


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory) -> Baked:
    # float32, so that what is refused below does not depend on the processor.
    return run_study(SMALL, tmp_path_factory.mktemp("bake") / "run", precision="float32")


def without_times(record: Record) -> dict[str, object]:
    """Return the record as JSON, but for what a clock says."""
    document = record.model_dump(mode="json")
    del document["training_seconds"], document["provenance"]["started"]
    for epoch in document["epochs"]:
        del epoch["seconds"], epoch["processor_seconds"], epoch["others"]
    return document


def with_classes(monkeypatch: pytest.MonkeyPatch, classes: int) -> None:
    """Let the digits have so many classes, most of them without images."""
    many = replace(load_digits(), classes=tuple(map(str, range(classes))))
    monkeypatch.setattr("bakeoff.commands.run.load_dataset", lambda *_: many)


def test_a_study_that_could_not_be_read_back_is_refused_before_it_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_classes(monkeypatch, 10_001)
    with pytest.raises(StudyError) as caught:
        run_study(SMALL, tmp_path / "run", source="small.toml")
    assert str(caught.value) == (
        "small.toml: protocol.dataset: digits has 10,001 classes, at most 10,000 can be recorded"
    )
    assert not (tmp_path / "run").exists()


def test_a_study_of_many_classes_is_concluded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_classes(monkeypatch, 315)
    baked = run_study(SMALL, tmp_path / "run")
    assert baked.conclusion.troubles == ()
    assert [r.complete for r in baked.folder.read_records()] == [True, True]


def test_a_run_leaves_what_the_design_says(baked: Baked) -> None:
    path = baked.folder.path
    for name in ("study.toml", "comparison.json", "timing.json", "report.html"):
        assert (path / name).stat().st_size > 0
    for name in ("plain", "convolution"):
        left = {file.name for file in (path / "trials" / name / "0").iterdir()}
        assert left == {"record.json", "model.safetensors", "predictions.npz", "manifest.json"}
    assert list((path / "figures").glob("*.svg"))
    leftovers = [file for file in path.rglob("*") if file.name.endswith(".tmp")]
    assert leftovers == []


def test_scores_are_those_of_the_saved_weights(baked: Baked) -> None:
    dataset = load_digits()
    for record in baked.folder.read_records():
        network = load_network(baked.folder, record, dataset)
        saved = baked.folder.read_predictions(record.entrant, record.seed)
        split = saved["validation_index"]
        import torch

        logits = predict_logits(network, torch.tensor(dataset.train_images[split]), Pixels(1 / 255))
        np.testing.assert_allclose(logits.numpy(), saved["validation_logits"], rtol=1e-5, atol=1e-5)
        accuracy = (logits.numpy().argmax(1) == dataset.train_labels[split]).mean()
        assert record.validation is not None
        assert record.validation.accuracy == pytest.approx(accuracy)
        assert record.epochs[-1].validation_accuracy == pytest.approx(accuracy)


def test_two_runs_into_two_folders_give_the_same_records_and_weights(
    baked: Baked, tmp_path: Path
) -> None:
    again = run_study(SMALL, tmp_path / "again", precision="float32")
    for record in baked.folder.read_records():
        twin = again.folder.read_record(record.entrant, record.seed)
        assert without_times(twin) == without_times(record)
        for file in ("model.safetensors", "predictions.npz"):
            first = baked.folder.trial(record.entrant, record.seed).path / file
            second = again.folder.trial(record.entrant, record.seed).path / file
            assert first.read_bytes() == second.read_bytes()


def test_a_second_run_trains_nothing_and_more_seeds_train_only_what_is_missing(
    tmp_path: Path,
) -> None:
    out = tmp_path / "run"
    assert run_study(SMALL, out).trained == 2
    before = {file: file.read_bytes() for file in (out / "trials").rglob("*") if file.is_file()}
    assert run_study(SMALL, out).trained == 0
    assert run_study(SMALL.model_copy(update={"seeds": 2}), out).trained == 2
    for file, content in before.items():
        assert file.read_bytes() == content
    assert (out / "trials" / "plain" / "1" / "record.json").exists()


def test_trials_of_one_seed_share_the_split(baked: Baked) -> None:
    splits = [
        baked.folder.read_predictions(record.entrant, 0)["validation_index"]
        for record in baked.folder.read_records()
    ]
    assert len(splits) == 2
    np.testing.assert_array_equal(splits[0], splits[1])


def test_a_diverged_trial_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    wild = Recipe(epochs=1, optimizer="sgd", learning_rate=1e30)
    study = SMALL.model_copy(
        update={
            "entrants": (
                Entrant(name="wild", architecture="mlp-2x200", recipe=wild),
                *SMALL.entrants,
            )
        }
    )
    baked = run_study(study, tmp_path / "run")
    assert baked.conclusion.troubles == (
        "wild seed 0 diverged: the loss was not finite in epoch 1, step 2",
    )
    assert [row.trials for row in baked.conclusion.standings] == [1, 1, 0]
    page = baked.conclusion.report.read_text()
    assert "wild" in page
    assert "diverged" in page
    assert not (baked.folder.trial("wild", 0).path / "predictions.npz").exists()


def test_the_winner_is_chosen_on_validation_data(baked: Baked) -> None:
    records = {record.entrant: record for record in baked.folder.read_records()}
    best = max(records.values(), key=lambda r: r.validation.balanced_accuracy)  # type: ignore[union-attr]
    assert baked.conclusion.standings[0].entrant == best.entrant
    assert baked.conclusion.answer.startswith(f"{best.entrant} stands first on validation data")
    assert "cannot tell which architecture is better" in baked.conclusion.answer


def test_comparison_json_is_the_comparison(baked: Baked) -> None:
    document = json.loads((baked.folder.path / "comparison.json").read_text())
    assert document == json.loads(json.dumps(baked.conclusion.comparison.to_dict()))
    assert [entrant["name"] for entrant in document["entrants"]] == [
        row.entrant for row in baked.conclusion.standings
    ]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"protocol": Protocol(dataset="digit")},
            StudyError,
            "here: protocol.dataset: unknown data set 'digit'; did you mean 'digits'?",
        ),
        (
            {"entrants": (Entrant(name="a", architecture="cnn-2con"),)},
            StudyError,
            "here: entrants[0].architecture: unknown architecture 'cnn-2con'; "
            "did you mean 'cnn-2conv'?",
        ),
    ],
)
def test_unknown_names_are_refused_by_file_and_key(
    change: dict[str, object], error: type[BakeoffError], message: str
) -> None:
    with pytest.raises(error) as caught:
        find_all(SMALL.model_copy(update=change), "here")
    assert str(caught.value).splitlines() == [message]


def test_another_study_precision_or_split_is_refused(baked: Baked, tmp_path: Path) -> None:
    out = baked.folder.path
    other = SMALL.model_copy(update={"study_seed": 1})
    with pytest.raises(StoreError, match="study_seed is 0 there and 1 here\\); give another --out"):
        run_study(other, out)
    with pytest.raises(StoreError, match="trained in float32, not bfloat16; give --precision"):
        run_study(SMALL, out, precision="bfloat16")
    with pytest.raises(UsageError, match=r"--precision half: choose one of auto, float32"):
        run_study(SMALL, tmp_path, precision="half")
    nothing_left = SMALL.model_copy(
        update={"protocol": Protocol(dataset="digits", validation_examples=1297)}
    )
    with pytest.raises(StudyError, match="1,297 of 1,297 examples; give a number from 1 to 1,296"):
        run_study(nothing_left, tmp_path / "never")


def test_kernels_that_fall_back_are_told_before_anything_is_trained(
    baked: Baked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = shutil.copytree(baked.folder.path, tmp_path / "run")
    monkeypatch.setenv("BAKEOFF_KERNELS", "pytorch")
    heard = Heard()
    run_study(SMALL, out, precision="float32", jobs=1, listener=heard)
    assert heard.lines[0] == (
        "kernels of PyTorch: BAKEOFF_KERNELS=pytorch. Figures differ in their last digits from "
        "those of bakeoff's own"
    )


def test_how_long_it_takes_is_foretold_and_changes_no_weight(baked: Baked, tmp_path: Path) -> None:
    for before in (False, True):
        heard = Heard()
        run_study(
            SMALL, tmp_path / "run", precision="float32", jobs=1, foretell=True, listener=heard
        )
        told = [place for place, line in enumerate(heard.lines) if line == "foretold True"]
        assert told == ([] if before else [heard.lines.index("plain 0 started") - 1])
    for name in ("plain", "convolution"):
        weights = f"trials/{name}/0/model.safetensors"
        assert (tmp_path / "run" / weights).read_bytes() == (
            baked.folder.path / weights
        ).read_bytes()


def test_kernels_that_are_not_there_are_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAKEOFF_KERNELS", "fast")
    with pytest.raises(UsageError, match=r"^BAKEOFF_KERNELS=fast: choose one of native, pytorch"):
        run_study(SMALL, tmp_path / "run", device="cpu")
    assert list(tmp_path.iterdir()) == []
    assert not (tmp_path / "never").exists()


def test_a_damaged_trial_is_set_aside_and_trained_again(baked: Baked, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(baked.folder.path, out)
    file = out / "trials" / "plain" / "0" / "model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert run_study(SMALL, out, precision="float32").trained == 1
    assert file.read_bytes() == whole
    aside = out / "set-aside" / "plain" / "0-1" / "model.safetensors"
    assert aside.read_bytes() == whole[:-1]


@pytest.mark.usefixtures("checkpoint_each_epoch")
def test_failed_trials_are_trained_again_only_if_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as small:
        small.setattr("bakeoff.training.finish.score", no_memory)
        with pytest.raises(StoreError) as caught:
            run_study(SMALL, tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: no trial is complete (plain seed 0 out_of_memory; convolution seed 0 "
        f"out_of_memory); to train them again: bakeoff run {tmp_path}/study.toml --out {tmp_path} "
        "--retry-failed"
    )
    statuses = {record.status for record in RunFolder.open(tmp_path).read_records()}
    assert statuses == {"out_of_memory"}
    with pytest.raises(StoreError, match="no trial is complete"):
        run_study(SMALL, tmp_path)
    heard = Heard()
    again = run_study(SMALL, tmp_path, retry_failed=True, listener=heard)
    assert again.trained == 2
    # Memory ran out after the training, which is not repeated.
    assert [line for line in heard.lines if "epoch" in line] == [
        f"{each.name} 0 goes on after epoch {each.recipe.epochs}, step 0" for each in SMALL.entrants
    ]
    assert not (tmp_path / "unfinished").exists()
    assert again.conclusion.troubles == ()
    assert (tmp_path / "set-aside" / "convolution" / "0-1" / "record.json").exists()


@pytest.mark.usefixtures("checkpoint_each_epoch")
def test_memory_that_ran_out_in_an_epoch_costs_no_more_than_the_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = study(entrant("a", epochs=4), entrant("b", epochs=1))
    order, epochs = Streams.order, list[int]()

    def order_or_no_memory(streams: Streams, examples: int, epoch: int) -> torch.Tensor:
        epochs.append(epoch)
        if epochs == [1, 2, 3]:
            raise MemoryError
        return order(streams, examples, epoch)

    monkeypatch.setattr(Streams, "order", order_or_no_memory)
    run_study(asked, tmp_path / "run", precision="float32")
    # A plain run leaves the failed trial as it is, with what it needs to go on.
    baked = run_study(asked, tmp_path / "run", precision="float32")
    assert [line.partition(":")[0] for line in baked.conclusion.troubles] == [
        "a seed 0 out_of_memory"
    ]
    heard = Heard()
    baked = run_study(
        asked, tmp_path / "run", precision="float32", retry_failed=True, listener=heard
    )
    assert [line for line in heard.lines if line.startswith("a 0")] == [
        "a 0 started", "a 0 goes on after epoch 2, step 0",
        "a 0 epoch 3", "a 0 epoch 4", "a 0 ended",
    ]  # fmt: skip
    whole = run_study(asked, tmp_path / "whole", precision="float32").folder
    assert (baked.folder.trial("a", 0).path / "model.safetensors").read_bytes() == (
        whole.trial("a", 0).path / "model.safetensors"
    ).read_bytes()


def test_the_study_of_a_folder_is_that_of_its_report(tmp_path: Path) -> None:
    asked = study(entrant("a", epochs=1), seeds=2)

    class Rival(Listener):
        def stage(self, text: str) -> None:
            if text.startswith("timing"):
                RunFolder.create(tmp_path, asked.model_copy(update={"seeds": 1}))

    baked = run_study(asked, tmp_path, listener=Rival())
    assert RunFolder.open(tmp_path).study == asked
    assert [row.planned for row in baked.conclusion.standings] == [2]


def test_records_and_reports_of_before_checkpoints_stay_readable(baked: Baked) -> None:
    for record in baked.folder.read_records():
        document = record.model_dump(mode="json")
        del document["stopped"]["step"], document["provenance"]["resumed"]
        assert Record.model_validate_json(json.dumps(document)) == record


def test_an_image_that_is_to_be_shown_must_be_there(tmp_path: Path) -> None:
    asked = SMALL.model_copy(update={"inside": Inside(image=500)})
    with pytest.raises(StudyError) as caught:
        run_study(asked, tmp_path / "run", source="s.toml")
    assert str(caught.value) == "s.toml: inside.image: 500; the last test image is 499"
    assert not (tmp_path / "run").exists()
