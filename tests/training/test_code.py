"""Code of other people: loaded where a study names it or a run keeps it, and where not."""

from __future__ import annotations

import hashlib
import importlib.metadata
from pathlib import Path

import pytest
import torch
from torch import nn

from bakeoff.errors import NetworkError, StudyError
from bakeoff.files.tensors import to_safetensors
from bakeoff.networks import known
from bakeoff.networks.build import build
from bakeoff.networks.given import Given
from bakeoff.networks.known import network_of
from bakeoff.networks.network import Network
from bakeoff.networks.sources import read_source
from bakeoff.study.study import Argument, Entrant, Study
from bakeoff.training.code import UNKNOWN, UntrustedError, load_code, load_kept, load_object

from ..factories import entrant, study
from ..networks.drawn import SOUND, drawn


class Mine(nn.Linear):
    """A network whose source Python knows."""

    def __init__(self, classes: int) -> None:
        super().__init__(8, classes)


@pytest.fixture(autouse=True)
def another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin as somebody who never had any code run, in a process that has loaded none."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(known, "_LOADED", {})
    monkeypatch.setattr(known, "_GIVEN", {})


def asked(folder: Path, *entrants: Entrant) -> Study:
    return study(*entrants).model_copy(update={"base": str(folder)})


def mine(file: str = "net.py", source: str | None = None) -> Entrant:
    return Entrant(name="mine", architecture=f"{file}:Net", source=source)


# What a study of the user's names


def test_a_file_is_known_by_its_hash_and_kept_with_what_it_imports(tmp_path: Path) -> None:
    file = drawn(tmp_path, {"net.py": f"import block\n{SOUND}", "block.py": "WIDTH = 3\n"})
    found, kept = load_code(asked(tmp_path, entrant(), mine()), "s.toml")
    sha256 = read_source(file).sha256
    assert [each.source for each in found.entrants] == [None, sha256]
    assert sorted(kept[sha256]) == ["block.py", "net.py"]
    assert network_of(*found.entrants[1].network).make((1, 8, 8), 10)(
        nn.Parameter().new_zeros(2, 1, 8, 8)
    ).shape == (2, 10)


def test_a_package_is_known_by_its_version(tmp_path: Path) -> None:
    sizes: dict[str, Argument] = {"in_features": 8, "out_features": 3}
    of_torch = Entrant(name="mine", architecture="torch.nn:Linear", arguments=sizes)
    found, kept = load_code(asked(tmp_path, of_torch), "s.toml")
    assert (found.entrants[0].source or "").startswith("torch ")
    assert kept == {}


def test_what_is_wrong_with_code_names_the_key(tmp_path: Path) -> None:
    drawn(tmp_path, {"net.py": "1 / 0\n"})
    with pytest.raises(StudyError) as caught:
        load_code(asked(tmp_path, entrant(), mine()), "s.toml")
    assert str(caught.value).startswith("s.toml: entrants[1].architecture: ")
    assert "division by zero" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_code_than_a_study_asks_for_is_refused(tmp_path: Path) -> None:
    sha256 = read_source(drawn(tmp_path, {"net.py": SOUND})).sha256
    with pytest.raises(StudyError) as caught:
        load_code(asked(tmp_path, mine(source="1" * 64)), "s.toml")
    assert str(caught.value) == (
        f"s.toml: entrants[0].source: the code of net.py:Net is {sha256}, not {'1' * 64}; leave "
        "it out, or bring that code back"
    )
    assert load_code(asked(tmp_path, mine(source=sha256)), "s.toml")[0].entrants[0].source == sha256


# What a run keeps


def kept_by(folder: Path) -> Entrant:
    """Let a run keep the code of an entrant; return the entrant, as a run folder names it."""
    file = drawn(folder, {"models/net.py": f"from . import block\n{SOUND}", "models/block.py": ""})
    return mine("models/net.py", read_source(file).sha256)


def test_kept_code_is_not_run_for_who_never_had_it_run(tmp_path: Path) -> None:
    drawn(tmp_path, {"net.py": f"open({str(tmp_path / 'ran')!r}, 'w')\n{SOUND}"})
    one = mine(source=read_source(tmp_path / "net.py").sha256)
    with pytest.raises(UntrustedError) as caught:
        load_kept([entrant(), one], lambda _: tmp_path)
    assert str(caught.value) == (
        f"mine: net.py:Net is code that you never had run; look at {tmp_path}, then say "
        "--trust-code"
    )
    assert not (tmp_path / "ran").exists()


def test_a_package_that_somebody_else_named_is_not_called_either() -> None:
    theirs = Entrant(name="theirs", architecture="torch.nn:Linear", source="torch 1.0")
    with pytest.raises(UntrustedError) as caught:
        load_kept([theirs], Path)
    assert str(caught.value) == (
        "theirs: torch.nn:Linear is code that you never had run; look at torch 1.0, then say "
        "--trust-code"
    )


def test_another_version_of_a_package_is_not_taken_for_the_one_that_trained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs = Entrant(name="theirs", architecture="torch.nn:Linear", source="torch 1.0")
    load_kept([theirs], Path, trusted=True)  # The user said so.
    monkeypatch.setattr(known, "_LOADED", {})
    with pytest.raises(NetworkError) as caught:
        load_kept([theirs], Path)
    assert str(caught.value) == (
        "theirs: torch.nn:Linear was trained with torch 1.0, and "
        f"torch {importlib.metadata.version('torch')} is installed; install the former, or say "
        "--trust-code"
    )


def test_trust_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = kept_by(tmp_path)
    load_kept([one], lambda _: tmp_path, trusted=True)
    monkeypatch.setattr(known, "_LOADED", {})
    load_kept([one], lambda _: tmp_path)
    assert network_of(*one.network).name == "Net"


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": "models/net.py:Other"},
        {"arguments": {"classes": 7}},
        {"source": "1" * 64},
    ],
    ids=str,
)
def test_trust_in_code_is_in_what_is_called_and_how(
    change: dict[str, object], tmp_path: Path
) -> None:
    one = kept_by(tmp_path)
    load_kept([one], lambda _: tmp_path, trusted=True)
    with pytest.raises(UntrustedError):
        load_kept([one.model_copy(update=change)], lambda _: tmp_path)


def test_what_a_study_of_the_users_had_run_is_trusted_where_a_run_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn(tmp_path / "own", {"net.py": SOUND})
    drawn(tmp_path / "run", {"net.py": SOUND})
    found, _ = load_code(asked(tmp_path / "own", mine()), "s.toml")
    monkeypatch.setattr(known, "_LOADED", {})
    load_kept(found.entrants, lambda _: tmp_path / "run")
    assert network_of(*found.entrants[0].network).name == "Net"


def test_code_is_loaded_where_it_lay_while_it_is_the_same(tmp_path: Path) -> None:
    """It may read what else lies beside it, which a run does not keep."""
    reads = f"from pathlib import Path\nHERE = Path(__file__)\n{SOUND}"
    file = drawn(tmp_path / "own", {"net.py": reads})
    drawn(tmp_path / "run", {"net.py": reads})
    one = mine(source=read_source(file).sha256)
    loaded = []
    for change in ("", "\n# Changed."):
        file.write_text(reads + change)
        known._LOADED.clear()
        load_kept([one], lambda _: tmp_path / "run", tmp_path / "own", trusted=True)
        source = network_of(*one.network).source
        assert source is not None
        loaded.append(source.file)
    assert loaded == [file, tmp_path / "run" / "net.py"]


@pytest.mark.parametrize("text", [None, f"{SOUND}\n"])
def test_code_that_is_gone_or_changed_is_not_run(text: str | None, tmp_path: Path) -> None:
    one = kept_by(tmp_path)
    file = tmp_path / "models" / "net.py"
    file.unlink() if text is None else file.write_text(text)
    with pytest.raises(NetworkError) as caught:
        load_kept([one], lambda _: tmp_path, trusted=True)
    assert str(caught.value) == (
        f"{tmp_path}: not the code that models/net.py was trained with; bring it back, or pictures "
        "and predictions cannot be made anew"
    )


# Objects


def test_an_object_is_known_by_its_file() -> None:
    architecture, known_by = load_object("mine", Mine)
    assert architecture == "test_code.py:Mine"
    assert known_by == read_source(Path(__file__)).sha256
    assert isinstance(network_of(architecture, None, known_by).make((1, 8, 8), 3), Mine)


def test_an_object_whose_source_nobody_knows_says_so() -> None:
    made: dict[str, type[nn.Module]] = {}
    exec("from torch import nn\nclass Net(nn.Linear): pass", made)  # noqa: S102
    assert load_object("mine", made["Net"]) == ("python:Net", f"{UNKNOWN} mine")
    assert load_object("other", made["Net"])[1] == f"{UNKNOWN} other"


# Weights that a network starts from


def given(folder: Path, value: float = 1.0) -> Entrant:
    """Write weights for `logistic-regression`; return an entrant that starts from them."""
    linear = build("logistic-regression", (1, 8, 8), 10, initialisation="framework-default", seed=0)
    state = {key: torch.full_like(each, value) for key, each in linear.state_dict().items()}
    (folder / "w.safetensors").write_bytes(to_safetensors(state))
    return entrant().model_copy(update={"weights": "w.safetensors"})


def test_weights_are_known_by_their_hash_and_kept(tmp_path: Path) -> None:
    found, kept = load_code(asked(tmp_path, given(tmp_path)), "s.toml")
    (one,) = found.entrants
    content = (tmp_path / "w.safetensors").read_bytes()
    assert one.weights_sha256 == hashlib.sha256(content).hexdigest()
    assert kept == {one.weights_sha256: {"w.safetensors": content}}
    started_from = network_of(*one.network).given
    assert started_from is not None
    assert started_from.origin == "w.safetensors"
    assert load_code(found, "s.toml") == (found, kept)


def test_other_weights_than_a_study_asks_for_are_refused(tmp_path: Path) -> None:
    found, _ = load_code(asked(tmp_path, given(tmp_path)), "s.toml")
    given(tmp_path, 2.0)
    now = hashlib.sha256((tmp_path / "w.safetensors").read_bytes()).hexdigest()
    with pytest.raises(StudyError) as caught:
        load_code(found, "s.toml")
    assert str(caught.value) == (
        f"s.toml: entrants[0].weights_sha256: w.safetensors is {now}, not "
        f"{found.entrants[0].weights_sha256}; leave it out, or bring that file back"
    )


def test_a_zoo_that_brings_weights_along_takes_no_file(tmp_path: Path) -> None:
    trained = Given("timm:net", "1" * 64, None)
    known.remember("timm:net", None, "1", Network("net", lambda *_: nn.Linear(1, 1), given=trained))
    one = given(tmp_path).model_copy(update={"architecture": "timm:net", "source": "1"})
    with pytest.raises(StudyError) as caught:
        load_code(asked(tmp_path, one), "s.toml")
    assert str(caught.value) == (
        "s.toml: entrants[0].weights: timm:net brings weights along by its arguments, too; leave "
        "one of them out"
    )


def test_kept_weights_are_loaded_where_they_are_those_that_a_trial_started_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = load_code(asked(tmp_path, given(tmp_path)), "s.toml")
    (one,) = found.entrants
    monkeypatch.setattr(known, "_GIVEN", {})
    load_kept([one], lambda _: tmp_path)
    assert network_of(*one.network).given is not None
    monkeypatch.setattr(known, "_GIVEN", {})
    given(tmp_path, 2.0)
    with pytest.raises(NetworkError) as caught:
        load_kept([one], lambda _: tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/w.safetensors: not the weights that linear started from; bring them back"
    )
