"""Networks of the user's through the command: refused in one line, or trained; nothing is left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from bakeoff.cli.main import run
from bakeoff.data.readers.digits import load_digits
from bakeoff.files.arrays import to_npz
from tests.networks.drawn import HEAD

SOUND = "return self.b(F.relu(self.a(x.flatten(1))))"


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def net(forward: str = SOUND, made: str = "pass", top: str = "") -> str:
    """Return the source of a network of two layers, some lines of which are given."""
    return (
        f"{HEAD}{top}\nclass Net(nn.Module):\n    def __init__(self, classes):\n"
        "        super().__init__()\n        self.calls = 0\n"
        "        self.a = nn.Linear(64, 8)\n        self.b = nn.Linear(8, classes)\n"
        f"        {made}\n    def forward(self, x):\n        {forward}\n"
    )


def few_digits(folder: Path, *, width: int = 8, black: int | None = None) -> None:
    """Write the data of `study_of`: cut to a width, one of the test images without light."""
    digits = load_digits()
    test = digits.test_images[:40, ..., :width].copy()
    if black is not None:
        test[black] = 0
    arrays: dict[str, NDArray[Any]] = {
        "x_train": digits.train_images[:100, ..., :width], "y_train": digits.train_labels[:100],
        "x_test": test, "y_test": digits.test_labels[:40],
    }  # fmt: skip
    (folder / "few.npz").write_bytes(to_npz(arrays))


def study_of(folder: Path, text: str, arguments: str = "", seeds: int = 1) -> Path:
    (folder / "net.py").write_text(text)
    few_digits(folder)
    file = folder / "mine.toml"
    file.write_text(
        f'name = "mine"\nseeds = {seeds}\nprotocol.dataset = "./few.npz"\n'
        "protocol.validation = 20\n[recipe]\nepochs = 2\nbatch_size = 20\n"
        '[[entrants]]\nname = "plain"\narchitecture = "logistic-regression"\n'
        f'[[entrants]]\nname = "net"\narchitecture = "net.py:Net"\n{arguments}\n'
    )
    return file


def command(*arguments: str | Path) -> int:
    return run([str(each) for each in arguments])


FAULTS = {
    "dict": (
        net("return {'logits': self.b(self.a(x.flatten(1)))}"),
        "Net.forward returned a dict in training, a tensor [n, 10] is needed",
    ),
    "columns": (
        net("return self.a(x.flatten(1))"),
        "Net gives 8 numbers per image, the data have 10 classes",
    ),
    "size": (
        net("return self.b(self.a(x.flatten(1)[:, 1:]))"),
        "Net.forward fails in training on 20 x [1, 8, 8]",
    ),
    "list": (
        net(made="self.k = [self.a, self.b]; del self.a, self.b"),
        "Net has no parameters that can be trained",
    ),
    "setting": (
        net(f"torch.set_default_dtype(torch.float64); {SOUND}"),
        "Net.forward changes a setting of torch that all entrants share",
    ),
    "threads": (
        net(f"torch.set_num_threads(2); {SOUND}"),
        "Net.forward changes a setting of torch that all entrants share",
    ),
    "checkpointed": (
        net(
            "return self.b(checkpoint(lambda y: F.dropout(self.a(y)), x.flatten(1), "
            "use_reentrant=False))",
            top="from torch.utils.checkpoint import checkpoint",
        ),
        "a checkpointed layer draws random numbers",
    ),
    "huge": (
        net(made="self.h = nn.Linear(1_000_000, 1_000_000)"),
        "Net does not fit into memory: the training of its 1,000,001,000,610 parameters takes",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line_before_there_is_a_folder(
    fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, line = FAULTS[fault]
    file = study_of(tmp_path, text)
    assert command("run", file, "--out", tmp_path / "out", "--jobs", "1", "--json") == 1
    printed = capsys.readouterr()
    last = printed.err.splitlines()[-1]
    assert last.startswith(f"bakeoff: {file}: entrants[1].architecture: ")
    assert line in last
    assert "Traceback" not in printed.err
    assert not printed.out
    assert not (tmp_path / "out").exists()


def test_a_file_that_patches_torch_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch.nn import functional

    monkeypatch.setattr(functional, "cross_entropy", functional.cross_entropy)  # Set back.
    file = study_of(tmp_path, net(top="F.cross_entropy = lambda *a, **k: 1 / 0"))
    assert command("run", file, "--out", tmp_path / "out", "--jobs", "1") == 1
    said = capsys.readouterr().err
    assert said.endswith(
        f"Net cannot be examined: {tmp_path / 'net.py'}, line 5: ZeroDivisionError: "
        "division by zero\n"
    )


@pytest.mark.parametrize("how", [("--jobs", "1"), ("--jobs", "2"), ("--stack",)])
def test_what_fails_in_the_middle_of_a_training_is_one_line_that_names_it(
    how: tuple[str, ...], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    late = "if self.calls > 6 and self.training: raise ValueError('late')"
    file = study_of(tmp_path, net(f"self.calls += 1\n        {late}\n        {SOUND}"))
    assert command("run", file, "--out", tmp_path / "out", *how) == 1
    said = capfd.readouterr().err
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("bakeoff: net seed 0: ")
    assert said.endswith("net.py, line 15: ValueError: late\n")


def test_test_logits_that_are_not_finite_are_said_with_their_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = study_of(
        tmp_path,
        net("x = x.flatten(1); return self.b(self.a(x / (x != x[:, :1]).any(1, keepdim=True)))"),
    )
    few_digits(tmp_path, black=4)
    assert command("run", file, "--out", tmp_path / "out", "--jobs", "1", "--json") == 1
    printed = capsys.readouterr()
    assert "net seed 0 diverged: the test logits of image 4 were not finite" in printed.err
    assert json.loads(printed.out)


def test_what_a_network_writes_never_reaches_standard_output(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shouts = "sys.stdout.write('shout\\n'); os.write(1, b'shout\\n')"
    top = f"import os, sys\n{shouts}; os.system('echo shout')"
    file = study_of(tmp_path, net(f"{shouts}; {SOUND}", top=top))
    for asked in (
        ("check", file, "--json"),
        ("run", file, "--out", tmp_path / "out", "--jobs", "1", "--json"),
        ("inspect", tmp_path / "out", "--entrant", "net", "--json"),
        ("verify", tmp_path / "out", "--json"),
    ):
        assert command(*asked) == 0
        printed = capfd.readouterr()
        assert json.loads(printed.out)
        assert "shout" in printed.err


def test_seeds_of_a_network_with_arguments_are_stacked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = net().replace("classes):", "classes, width=8):").replace("(64, 8)", "(64, width)")
    text = text.replace("(8,", "(width,")
    file = study_of(tmp_path, text, "arguments = { width = 12 }", seeds=2)
    assert command("run", file, "--out", tmp_path / "out", "--stack") == 0
    capsys.readouterr()
    record = json.loads((tmp_path / "out/trials/net/1/record.json").read_text())
    assert record["parameters"] == 64 * 12 + 12 + 12 * 10 + 10
    assert record["provenance"]["stacked"] == 2


def test_data_of_another_size_are_named_before_a_network_runs_on_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = study_of(tmp_path, net())
    assert command("run", file, "--out", tmp_path / "out", "--jobs", "1") == 0
    few_digits(tmp_path, width=6)
    capsys.readouterr()
    assert command("inspect", tmp_path / "out", "--entrant", "net") == 1
    assert capsys.readouterr().err.endswith(
        f"bakeoff: {tmp_path}/out/trials/net/0: trained on other data; bring those back, or train "
        "in another folder\n"
    )
