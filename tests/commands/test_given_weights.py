"""Training from given weights, and of a part of a network, through the command."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from bakeoff.cli.main import run
from bakeoff.files.tensors import from_safetensors, to_safetensors

from .test_own_networks import few_digits

BODY = ("conv.weight", "conv.bias", "norm.weight", "norm.bias", "norm.running_mean",
        "norm.running_var", "norm.num_batches_tracked")  # fmt: skip
NET = """
from torch import nn

class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4 * 36, classes)

    def forward(self, images):
        return self.head(self.norm(self.conv(images)).relu().flatten(1))
"""


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def study_of(folder: Path, given: str) -> Path:
    few_digits(folder)
    (folder / "net.py").write_text(NET)
    file = folder / "tuned.toml"
    file.write_text(
        'name = "tuned"\nseeds = 2\nprotocol.dataset = "./few.npz"\nprotocol.validation = 20\n'
        "[recipe]\nepochs = 2\nbatch_size = 20\n"
        '[[entrants]]\nname = "nothing"\narchitecture = "net.py:Net"\n'
        f'[[entrants]]\nname = "given"\narchitecture = "net.py:Net"\n{given}\n'
    )
    return file


def command(*arguments: str | Path) -> int:
    return run([str(each) for each in arguments])


def state_of(folder: Path, seed: int = 0, entrant: str = "given") -> dict[str, torch.Tensor]:
    file = folder / f"trials/{entrant}/{seed}/model.safetensors"
    return from_safetensors(file.read_bytes(), str(file))


def record_of(folder: Path, entrant: str = "given") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / f"trials/{entrant}/0/record.json").read_text())
    return content


def other_classes(folder: Path, seed: int = 0) -> dict[str, torch.Tensor]:
    """Write weights of the network for 7 classes; return them."""
    drawn = torch.Generator().manual_seed(seed)
    shapes = {"conv.weight": (4, 1, 3, 3), "conv.bias": (4,), "norm.weight": (4,),
              "norm.bias": (4,), "norm.running_mean": (4,), "norm.running_var": (4,),
              "head.weight": (7, 144), "head.bias": (7,)}  # fmt: skip
    tensors = {key: torch.rand(shape, generator=drawn) for key, shape in shapes.items()}
    tensors["norm.num_batches_tracked"] = torch.tensor(5)
    (folder / "old.safetensors").write_bytes(to_safetensors(tensors))
    return tensors


TUNED = (
    'weights = "old.safetensors"\ntrainable = ["head.*"]\n'
    "recipe.average = 0.9\nrecipe.clip = 1.0\n"
    "recipe.weight_decay = 0.1\nrecipe.decay_norms_and_biases = false"
)


@pytest.mark.parametrize("how", [("--jobs", "1"), ("--jobs", "2"), ("--stack",)])
def test_what_is_held_still_ends_as_it_was_given(how: tuple[str, ...], tmp_path: Path) -> None:
    old, out = other_classes(tmp_path), tmp_path / "out"
    assert command("run", study_of(tmp_path, TUNED), "--out", out, *how) == 0
    for seed in (0, 1):
        state = state_of(out, seed)
        assert [key for key in BODY if not torch.equal(state[key], old[key])] == []
    assert not torch.equal(state_of(out, 0)["head.weight"], state_of(out, 1)["head.weight"])
    record, sha256 = record_of(out), hashlib.sha256((tmp_path / "old.safetensors").read_bytes())
    assert record["given"] == {
        "origin": "old.safetensors",
        "sha256": sha256.hexdigest(),
        "anew": ["head.weight", "head.bias"],
    }
    assert (record["parameters"], record["trained_parameters"]) == (40 + 8 + 1450, 1450)
    assert not {"given", "trained_parameters"} & record_of(out, "nothing").keys()


def test_the_weights_of_a_run_start_another(tmp_path: Path) -> None:
    assert command("run", study_of(tmp_path, ""), "--out", tmp_path / "a", "--jobs", "1") == 0
    given = 'weights = "a/trials/given/1/model.safetensors"\nrecipe.learning_rate = 1e-30'
    file = study_of(tmp_path, given)
    assert command("run", file, "--out", tmp_path / "b", "--jobs", "1") == 0
    before, after = state_of(tmp_path / "a", 1), state_of(tmp_path / "b", 0)
    assert torch.equal(before["head.weight"], after["head.weight"])
    assert record_of(tmp_path / "b")["given"]["anew"] == []


def test_a_run_keeps_the_weights_that_it_starts_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other_classes(tmp_path)
    file, out = study_of(tmp_path, TUNED), tmp_path / "out"
    assert command("run", file, "--out", out, "--jobs", "1") == 0
    content = (tmp_path / "old.safetensors").read_bytes()
    (kept,) = (out / "sources").glob("*/old.safetensors")
    assert kept.read_bytes() == content
    (tmp_path / "old.safetensors").unlink()
    assert command("verify", out) == 0
    other_classes(tmp_path, seed=1)
    capsys.readouterr()
    assert command("run", file, "--out", out) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"bakeoff: {out}: old.safetensors has changed since this run began, and given would start "
        "from other weights; give another --out, or bring the file back"
    )


FAULTS = {
    'weights = "gone.safetensors"': (
        "weights: {folder}/gone.safetensors: No such file or directory; give a file of weights, "
        "FILE.safetensors"
    ),
    'weights = "net.py"': "weights: {folder}/net.py: not safetensors, and no other kind of weights",
    'weights = "other.safetensors"': (
        "weights: other.safetensors has a, which Net has not; give weights of this network"
    ),
    'trainable = ["haed.*"]': "trainable: 'haed.*' fits no parameter of Net; known: conv.bias, ",
    "trainable = []": "trainable: must have at least one, not []",
}


@pytest.mark.parametrize("given", FAULTS)
def test_what_does_not_fit_is_one_line_before_there_is_a_folder(
    given: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.safetensors").write_bytes(to_safetensors({"a": torch.ones(1)}))
    file = study_of(tmp_path, given)
    assert command("run", file, "--out", tmp_path / "out", "--jobs", "1") == 1
    last = capsys.readouterr().err.splitlines()[-1]
    line = FAULTS[given].format(folder=tmp_path)
    assert last.startswith(f"bakeoff: {file}: entrants[1].{line}")
    assert not (tmp_path / "out").exists()
