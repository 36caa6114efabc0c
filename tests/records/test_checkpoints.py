"""Checkpoints as files: exact, two of them, and never read where a byte has changed."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bakeoff.errors import StoreError, UnreadableError
from bakeoff.files.place import Place
from bakeoff.files.tensors import to_safetensors
from bakeoff.records.checkpoints import Checkpoint, Checkpoints, decode, encode
from bakeoff.study.recipe import MOST_EPOCHS

from ..factories import epoch, provenance

STRIDED = torch.arange(24.0).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last)


def checkpoint(epochs: int = 1, **state: torch.Tensor) -> Checkpoint:
    history = tuple(epoch(number, train_loss=0.1 * number) for number in range(1, epochs + 1))
    return Checkpoint(history, provenance("f" * 64), state=state)


def kept(tmp_path: Path, said: list[str] | None = None) -> Checkpoints:
    return Checkpoints(Place(tmp_path), (said if said is not None else []).append)


def files(tmp_path: Path) -> list[str]:
    return sorted(path.name[:10] for path in tmp_path.iterdir())


def test_all_comes_back_exactly() -> None:
    state = {
        "model.w": STRIDED,
        "step.w": torch.tensor(3.0),
        "moment.w": torch.tensor([1e-42, -0.0]),
        "counts": torch.tensor([1, 2]),
        "empty": torch.empty(0),
    }
    read = decode(encode(checkpoint(2, **state), "it"), "it")
    assert read.history == checkpoint(2).history
    assert read.origin == provenance("f" * 64)
    assert read.state.keys() == state.keys()
    for name, tensor in state.items():
        assert torch.equal(read.state[name], tensor)
        assert read.state[name].dtype == tensor.dtype
    assert torch.signbit(read.state["moment.w"]).tolist() == [False, True]


def test_the_longest_training_can_be_read_back() -> None:
    history = tuple(
        epoch(number, train_loss=1 / number, validation_loss=math.pi / number, seconds=1 / 3)
        for number in range(1, MOST_EPOCHS + 1)
    )
    whole = Checkpoint(history, provenance("f" * 64), state={})
    assert decode(encode(whole, "it"), "it") == whole


@pytest.mark.parametrize(
    ("change", "misfit", "complaint"),
    [
        ({"history": (epoch(2),)}, None, "not a checkpoint of this version"),
        (
            {"history": (epoch(1).model_copy(update={"seconds": math.nan}),)},
            None,
            "not a checkpoint of this version",
        ),
        ({"origin": provenance("\x1b")}, None, "not a checkpoint of this version"),
        ({}, "too many steps", "too many steps"),
    ],
)
def test_what_would_not_be_read_is_not_written_and_that_is_said(
    change: dict[str, Any], misfit: str | None, complaint: str, tmp_path: Path
) -> None:
    said: list[str] = []
    store = kept(tmp_path, said)
    store.write(replace(checkpoint(), **change), lambda _: misfit)
    assert said == [f"{tmp_path}: {complaint}; no checkpoint is left of epoch 1"]
    assert list(tmp_path.iterdir()) == []


def test_the_newest_two_are_kept_and_the_newest_is_read(tmp_path: Path) -> None:
    store = kept(tmp_path / "unfinished")
    assert store.newest() is None
    for number in range(1, 5):
        store.write(checkpoint(number, at=torch.tensor(number)))
    assert files(store.folder.path) == ["epoch-0003", "epoch-0004"]
    found = store.newest()
    assert found is not None
    assert found[1].state == {"at": torch.tensor(4)}
    assert found[0].name == f"epoch-0004-{hashlib.sha256(found[0].read_bytes()).hexdigest()}" + (
        ".safetensors"
    )


def newest_file(store: Checkpoints) -> Path:
    return sorted(store.folder.path.iterdir())[-1]


@pytest.mark.parametrize("change", ["flip", "cut", "append", "empty"])
def test_a_damaged_newest_falls_back_to_the_one_before_and_says_so(
    tmp_path: Path, change: str
) -> None:
    said: list[str] = []
    store = kept(tmp_path, said)
    for number in (1, 2):
        store.write(checkpoint(number, weights=torch.ones(5)))
    file = newest_file(store)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    whole = file.read_bytes()
    file.write_bytes(
        {"flip": bytes(content), "cut": whole[:-1], "append": whole + b" ", "empty": b""}[change]
    )
    found = store.newest()
    assert found is not None
    assert len(found[1].history) == 1
    assert said == [
        f"{file}: damaged, its SHA-256 is not the one in its name; going back to the checkpoint "
        "before it"
    ]
    # It is out of the way: two good ones are kept from here on.
    store.write(checkpoint(2, weights=torch.ones(5)))
    assert files(tmp_path) == ["damaged-ep", "epoch-0001", "epoch-0002"]


def test_no_byte_of_the_file_is_unchecked(tmp_path: Path) -> None:
    said: list[str] = []
    store = kept(tmp_path, said)
    store.write(checkpoint(weights=torch.ones(2)))
    file = newest_file(store)
    whole = file.read_bytes()
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x20]) + whole[place + 1 :])
        assert store.newest() is None
        (tmp_path / f"damaged-{file.name}").unlink()
    assert len(said) == len(whole)
    file.write_bytes(whole)
    assert store.newest() is not None


def test_where_both_are_damaged_the_trial_begins_anew(tmp_path: Path) -> None:
    said: list[str] = []
    store = kept(tmp_path, said)
    for number in (1, 2):
        store.write(checkpoint(number))
    for file in tmp_path.iterdir():
        file.write_bytes(b"")
    assert store.newest() is None
    assert len(said) == 2


def forged(document: Any) -> bytes:
    """Return a whole safetensors file with another document than ours."""
    return to_safetensors({"t": torch.zeros(2)}, {"bakeoff": json.dumps(document)})


GOOD: dict[str, Any] = {
    "format": 2,
    "history": [epoch(1).model_dump()],
    "origin": provenance("f" * 64).model_dump(mode="json"),
}
RESUMED = {"epoch": 1, "bit_identical": False, "differs": ["threads: 2 then, 1 now"]}


def with_epoch(**keys: Any) -> dict[str, Any]:
    return {"history": [epoch(1).model_dump() | keys]}


def with_origin(**keys: Any) -> dict[str, Any]:
    return {"origin": provenance("f" * 64).model_dump(mode="json") | keys}


WRONG: list[dict[str, Any]] = [
    {"history": [{"epoch": "one"}]},
    {"history": 1},
    {"history": [epoch(2).model_dump()]},
    with_epoch(epoch="1"),
    with_epoch(train_loss=True),
    with_epoch(validation_loss=-0.1),
    with_epoch(validation_accuracy=9.9),
    with_epoch(validation_accuracy=-0.1),
    with_epoch(seconds=-1),
    with_epoch(processor_seconds=-1.0),
    with_epoch(others=1.1),
    with_epoch(others=-0.1),
    {"origin": {}},
    {"origin": []},
    with_origin(threads="2"),
    with_origin(threads=0),
    with_origin(stacked=2),
    with_origin(cpu="\x1b[31mred"),
    with_origin(versions={"torch\n": "2"}),
    with_origin(kernels="k" * 10_001),
    with_origin(started="yesterday"),
    with_origin(resumed=[RESUMED | {"epoch": 2}]),
    with_origin(resumed=[RESUMED | {"epoch": 0}]),
    with_origin(resumed=[RESUMED | {"differs": ["\u202e"]}]),
    with_origin(resumed=[RESUMED | {"bit_identical": True}]),
]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 40,
        forged(None),
        forged([]),
        forged(GOOD | {"format": 1}),
        *(forged(GOOD | wrong) for wrong in WRONG),
    ],
)
def test_a_file_of_another_kind_under_a_right_name_is_refused(
    tmp_path: Path, content: bytes
) -> None:
    decode(forged(GOOD), "it")
    decode(forged(GOOD | with_origin(resumed=[RESUMED])), "it")
    with pytest.raises(UnreadableError, match=r"^it: not a checkpoint of this version$"):
        decode(content, "it")
    said: list[str] = []
    digest = hashlib.sha256(content).hexdigest()
    file = tmp_path / f"epoch-0001-{digest}.safetensors"
    file.write_bytes(content)
    assert kept(tmp_path, said).newest() is None
    assert said == [
        f"{file}: not a checkpoint of this version; going back to the checkpoint before it"
    ]


def test_the_reader_of_a_training_says_what_does_not_fit(tmp_path: Path) -> None:
    said: list[str] = []
    store = kept(tmp_path, said)
    for number in (1, 2):
        store.write(checkpoint(number))
    file = newest_file(store)
    found = store.newest(lambda read: "too old" if len(read.history) == 2 else None)
    assert found is not None
    assert len(found[1].history) == 1
    assert said == [f"{file}: too old; going back to the checkpoint before it"]


def test_a_name_that_counts_other_epochs_is_no_checkpoint(tmp_path: Path) -> None:
    said: list[str] = []
    store = kept(tmp_path, said)
    store.write(checkpoint(1))
    (file,) = tmp_path.iterdir()
    renamed = file.rename(file.with_name(file.name.replace("epoch-0001", "epoch-0007")))
    assert store.newest() is None
    assert said == [
        f"{renamed}: its name counts other epochs than it holds; going back to the checkpoint "
        "before it"
    ]


def test_a_tensor_that_is_not_dense_is_kept_as_one_that_is() -> None:
    wide = torch.arange(3.0).expand(4, 3)
    read = decode(encode(checkpoint(wide=wide, every_other=torch.arange(6.0)[::2]), "it"), "it")
    assert torch.equal(read.state["wide"], wide)
    assert read.state["every_other"].tolist() == [0, 2, 4]


def huge(file: Path) -> None:
    file.touch()
    os.truncate(file, (4 << 30) + 1)


@pytest.mark.parametrize(
    ("put", "complaint"),
    [
        (Path.mkdir, "Is a directory"),
        (os.mkfifo, "not a regular file"),
        (huge, "4,294,967,297 bytes, at most 4,294,967,296 are read"),
    ],
)
def test_what_is_no_file_of_this_kind_is_set_aside(
    tmp_path: Path, put: Callable[[Path], object], complaint: str
) -> None:
    said: list[str] = []
    store = kept(tmp_path, said)
    for number in (1, 2):
        store.write(checkpoint(number))
    file = newest_file(store)
    file.unlink()
    put(file)
    found = store.newest()
    assert found is not None
    assert len(found[1].history) == 1
    assert said == [f"{file}: {complaint}; going back to the checkpoint before it"]


def test_a_checkpoint_that_the_disk_refuses_stays_and_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = kept(tmp_path, [])
    store.write(checkpoint())
    file = newest_file(store)

    opened = os.open

    def refuse(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if not flags & os.O_DIRECTORY:
            raise OSError(errno.EIO, "Input/output error")
        return opened(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StoreError) as caught:
        store.newest()
    assert str(caught.value) == f"{file}: cannot read: Input/output error"
    assert file.exists()


def test_other_files_in_the_folder_are_none(tmp_path: Path) -> None:
    store = kept(tmp_path)
    store.write(checkpoint())
    shutil.copy(newest_file(store), tmp_path / "epoch-0009.safetensors")
    (tmp_path / ".epoch-0010.safetensors.tmp").write_bytes(b"half")
    found = store.newest()
    assert found is not None
    assert len(found[1].history) == 1


def test_the_first_is_due_a_while_after_the_training_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("bakeoff.records.checkpoints.time.monotonic", lambda: now[0])
    store = kept(tmp_path)
    now[0] += 60  # Data are read and a network is made.
    assert not store.due()
    now[0] += 0.25
    assert store.due()


@pytest.mark.parametrize(
    ("takes", "due"),
    [
        (0.1, [0.2, 0.6, 1.4, 3.0, 6.2, 11.3, 16.4]),  # In the end fifty times that.
        (0.001, [0.2, 0.401, 0.602, 0.803]),  # Never sooner than after a fifth of a second.
        (10.0, [0.2, 20.4, 60.8, 141.6, 303.2, 553.2, 803.2]),  # Nor later than after four minutes.
    ],
)
def test_checkpoints_are_due_ever_later(
    takes: float, due: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, store = [0.0], kept(tmp_path)
    monkeypatch.setattr("bakeoff.records.checkpoints.time.monotonic", lambda: now[0])

    def keep(name: str, content: bytes) -> None:
        now[0] += takes

    monkeypatch.setattr(store, "keep", keep)
    assert not store.due()
    for at in due:
        now[0] = at - 1e-6
        assert not store.due()
        now[0] = at + 1e-6
        assert store.due()
        now[0] = at
        store.write(checkpoint())
