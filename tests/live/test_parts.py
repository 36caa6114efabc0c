"""What the page asks for beside answers: nearest images, the inside, morphs, picks, own images."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from bakeoff.commands.own import own_of_run
from bakeoff.commands.verify import verify_run
from bakeoff.data.dataset import Dataset
from bakeoff.errors import StoreError, UsageError
from bakeoff.files import locks
from bakeoff.files.place import Place
from bakeoff.findings.predicted import Predicted
from bakeoff.live.events import Watch
from bakeoff.live.likeness import Neighbours
from bakeoff.live.picks import Pick, disagree_picks, wrong_picks
from bakeoff.live.run import Run
from bakeoff.live.server import application
from bakeoff.records.own_images import keep_own, own_images
from bakeoff.report.pictures.raster import photograph, png

from .test_server import asked


def test_the_nearest_training_images_are_told(client: TestClient, run: Run) -> None:
    told = client.post("/api/near", json={"image": asked(client, 3)["image"]}).json()
    images = run.dataset.train_images.astype(float)
    apart = ((images - run.dataset.test_images[3]) ** 2).mean(axis=(1, 2, 3)) ** 0.5
    order = np.argsort(apart, kind="stable")[:8]
    assert [each["distance"] for each in told["nearest"]] == pytest.approx(apart[order], rel=1e-3)
    assert told["nearest"][0]["index"] == order[0]
    assert told["unusual"] is False


def test_noise_is_unlike_anything(digits: Dataset) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1, 8, 8)).astype(np.uint8)
    found = Neighbours(digits).near(noise)
    assert found.share == 0
    assert found.sentence == (
        "Unlike anything in training: only 0.0% of the training images lie as far from all others. "
        "Answers to it are worth little."
    )


def test_the_inside_is_shown(client: TestClient) -> None:
    image = asked(client, 3)["image"]
    told = client.post("/api/inside", json={"image": image, "entrant": "first", "seed": 1}).json()
    assert [each["kind"] for each in told["places"]] == [
        "filters", "before", "after", "before", "after",
    ]  # fmt: skip
    first = told["places"][1]
    assert first["maps"][0]["field"] == {
        "step_y": 1, "offset_y": -2, "height": 5, "step_x": 1, "offset_x": -2, "width": 5,
    }  # fmt: skip
    assert all(each["speaks"] is not None for each in told["places"][2]["maps"])
    other = client.post("/api/inside", json={"image": image, "entrant": "no", "seed": 0})
    assert other.json() == {"error": "no complete trial of that entrant and seed; choose another"}


def test_a_morph_begins_and_ends_with_the_answers_to_its_ends(client: TestClient) -> None:
    one, two = asked(client, 0), asked(client, 1)
    document = {"from": one["image"], "to": {"test": 1}, "steps": 5}
    told = client.post("/api/morph", json=document).json()
    assert [each["t"] for each in told["frames"]] == [0, 0.25, 0.5, 0.75, 1]
    assert told["frames"][0]["picture"] == one["picture"]
    assert told["frames"][-1]["picture"] == two["picture"]
    for before, after, way in zip(one["answers"], two["answers"], told["answers"], strict=True):
        assert way["probabilities"][0] == pytest.approx(before["probabilities"], abs=1e-5)
        assert way["probabilities"][-1] == pytest.approx(after["probabilities"], abs=1e-5)
        assert len(way["turns"]) == sum(
            a != b for a, b in zip(way["classes"], way["classes"][1:], strict=False)
        )


def said(*classes: int) -> Predicted:
    return Predicted(np.array(classes), None)


def test_picks_are_where_most_are_wrong_or_part() -> None:
    images = np.zeros((4, 1, 2, 2), np.uint8)
    labels = np.array([0, 1, 2, 0])
    data = Dataset(
        "d", ("a", "b", "c"), images, labels, images, labels, known_wrong_test_labels=(3,)
    )
    trials: Mapping[tuple[str, int], Predicted] = {
        ("x", 0): said(0, 0, 0, 1),
        ("x", 1): said(0, 0, 1, 1),
        ("y", 0): said(0, 1, 2, 1),
    }
    assert wrong_picks(data, trials, 9) == [Pick(1, 1), Pick(2, 1)]
    # Of image 2 the first class has as many votes as the others.
    assert disagree_picks(data, trials, 9) == [Pick(2, 1), Pick(1, 1)]


@pytest.fixture
def own(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def test_images_that_are_kept_are_judged_by_the_page_and_the_command_alike(own: Path) -> None:
    run = Run(own)
    page = TestClient(
        application(run), base_url="http://127.0.0.1:8080", headers={"X-Bakeoff": "1"}
    )
    labels = [run.dataset.classes[run.dataset.test_labels[index]] for index in range(6)]
    for index, label in enumerate(labels):
        document = {"image": asked(page, index)["image"], "class": label}
        kept = page.post("/api/keep", json=document).json()
        assert kept == {"path": f"own-images/{label}/0000.png", "images": index + 1}
    told = page.get("/api/own").json()
    assert told["images"] == 6
    found = own_of_run(own).to_dict()
    for entrant, same in zip(told["entrants"], found["entrants"], strict=True):
        assert (entrant["right"], entrant["of"]) == (same["right"], same["of"])
        predicted = run.now.predicted
        right = sum(
            int((predicted[entrant["name"], seed].classes[:6] == run.dataset.test_labels[:6]).sum())
            for seed in (0, 1)
        )
        assert entrant["right"] == right
    assert told["findings"] == found["findings"]
    assert len(told["findings"]) == 1
    assert verify_run(own).disagreements == ()


def test_without_images_the_command_says_how_to_keep_some(finished: Path) -> None:
    with pytest.raises(UsageError) as refused:
        own_of_run(finished)
    assert str(refused.value) == (
        f"{finished}: no image to ask; bakeoff serve keeps images in own-images/CLASS/0000.png"
    )


def test_names_of_classes_lead_nowhere_else(tmp_path: Path) -> None:
    classes = ("../up", ".hidden", "a/b", "100%")
    pixels = photograph(np.arange(12, dtype=np.uint8).reshape(1, 3, 4), light_on_dark=False)
    for name in classes:
        keep_own(Place(tmp_path), name, png(pixels))
    assert sorted(each.name for each in (tmp_path / "own-images").iterdir()) == [
        "%2E.%2Fup", "%2Ehidden", "100%25", "a%2Fb",
    ]  # fmt: skip
    found = own_images(Place(tmp_path), classes, (1, 3, 4))
    assert [each.label for each in found] == [0, 1, 2, 3]
    assert found[0].image.tolist() == [[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]]
    with pytest.raises(StoreError):
        own_images(Place(tmp_path), classes, (1, 4, 4))


def test_a_link_in_the_place_of_own_images_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "own-images").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError):
        keep_own(Place(tmp_path / "run"), "1", b"")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_trials_that_finish_are_taken_up(own: Path) -> None:
    away = own.parent / "away"
    (own / "trials" / "second" / "1").rename(away)
    run = Run(own)
    assert run.to_dict()["state"] == "stopped"
    assert {each["sentence"] for each in run.to_dict()["entrants"]} == {""}
    assert [each["seed"] for each in run.progress()["trials"]] == [0, 1, 0]
    assert run.refresh() is False
    away.rename(own / "trials" / "second" / "1")
    assert run.refresh() is True
    assert run.to_dict()["state"] == "finished"
    assert len(run.trained.answers(run.dataset.test_images[0])[1].seeds) == 2


def test_a_run_that_nobody_is_at_is_stopped(own: Path) -> None:
    (own / "trials" / "second" / "1").rename(own.parent / "away")
    run = Run(own)
    first = run.now.rows[0]
    leads = f"{first.entrant} leads on validation data ({first.validation_balanced_accuracy:.4f})"
    assert (run.to_dict()["state"], run.to_dict()["headline"]) == (
        "stopped",
        f"stopped: 3 of 4 trials are finished; {leads}; `bakeoff run STUDY --out {own}` goes on",
    )
    assert len(run.progress()["trials"]) == 3
    with locks.held(run.folder.lock("second", 1)):
        assert (run.to_dict()["state"], run.to_dict()["headline"]) == (
            "running",
            f"3 of 4 trials; {leads}; no finding yet",
        )
        last = run.progress()["trials"][-1]
        assert (last["entrant"], last["seed"], last["state"]) == ("second", 1, "running")
    # Between two trials nobody is at one, for a moment.
    assert run.to_dict()["state"] == "running"


def test_a_trial_that_was_begun_and_left_is_stopped(own: Path) -> None:
    (own / "trials" / "second" / "1").rename(own.parent / "away")
    (own / "unfinished" / "second.1").mkdir(parents=True)
    last = Run(own).progress()["trials"][-1]
    assert (last["entrant"], last["seed"], last["state"]) == ("second", 1, "stopped")


def test_who_listens_hears_what_is_new() -> None:
    now: dict[str, Any] = {"run": 1, "progress": 1}

    async def heard() -> list[str]:
        watch = Watch(lambda: dict(now))
        found = []
        async for line in watch.listen():
            found.append(line)
            if len(found) == 3:
                now["run"] = 2
            if len(found) == 4:
                break
        return found

    assert asyncio.run(heard()) == [
        "retry: 1000\n\n",
        "event: run\ndata: 1\n\n",
        "event: progress\ndata: 1\n\n",
        "event: run\ndata: 2\n\n",
    ]


def test_who_listens_is_let_go_when_the_server_ends() -> None:
    looks: list[None] = []

    def look() -> dict[str, int]:
        looks.append(None)
        return {"run": 1}

    async def heard() -> list[str]:
        watch = Watch(look, lambda: len(looks) == 2)
        return [line async for line in watch.listen()]

    async def in_time() -> list[str]:
        return await asyncio.wait_for(heard(), 10)

    assert asyncio.run(in_time()) == ["retry: 1000\n\n", "event: run\ndata: 1\n\n"]
