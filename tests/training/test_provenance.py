from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import torch

from bakeoff.records.record import Provenance
from bakeoff.training import provenance as origin
from bakeoff.training.provenance import checkout_commit, cpu_model, numerics, provenance


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return the package of a small checkout with one commit."""
    package = tmp_path / "src" / "bakeoff"
    package.mkdir(parents=True)
    (package / "a.py").write_text("1")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    git(tmp_path, "tag", "--annotate", "v1", "--message", "v1")
    checkout_commit.cache_clear()
    return package


def test_a_checkout_names_its_whole_commit_even_where_there_are_tags(package: Path) -> None:
    head = git(package, "rev-parse", "HEAD")
    assert checkout_commit(package) == head
    assert len(head) == 40


def test_changed_files_are_told(package: Path) -> None:
    (package / "a.py").write_text("2")
    assert checkout_commit(package) == git(package, "rev-parse", "HEAD") + "-dirty"


def test_the_checkout_is_only_read(package: Path) -> None:
    index = package.parent.parent / ".git" / "index"
    # Another time of change, and the same content: git would like to note that in the index.
    os.utime(package / "a.py", (1e9, 1e9))
    head, before = git(package, "rev-parse", "HEAD"), index.read_bytes()
    assert checkout_commit(package) == head
    assert index.read_bytes() == before


def test_a_checkout_without_a_commit_has_none(package: Path) -> None:
    git(package, "update-ref", "-d", "HEAD")
    assert checkout_commit(package) is None


def test_an_installed_package_has_no_commit(tmp_path: Path) -> None:
    package = tmp_path / "lib" / "bakeoff"
    package.mkdir(parents=True)
    assert checkout_commit(package) is None


def test_without_git_there_is_no_commit(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert checkout_commit(package) is None


def test_a_record_knows_when_and_where_it_began() -> None:
    made = provenance(
        device=torch.device("cpu"), precision="bfloat16", study_hash="s", data_hash="d"
    )
    assert (made.device, made.precision, made.study_hash, made.data_hash) == (
        "cpu", "bfloat16", "s", "d",
    )  # fmt: skip
    age = datetime.now(UTC) - datetime.fromisoformat(made.started)
    assert timedelta(0) <= age < timedelta(minutes=1)
    assert made.cpu.startswith(cpu_model())
    assert cpu_model()
    assert made.versions["torch"] == torch.__version__


def test_kernels_are_told_of_the_cpu_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origin, "kernels_in_use", lambda: "native, gcc 12.2.0")
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "a GPU")
    told = [
        provenance(
            device=torch.device(device), precision="float32", study_hash="s", data_hash="d"
        ).kernels
        for device in ("cpu", "cuda")
    ]
    assert told == ["native, gcc 12.2.0", "PyTorch"]


def test_a_record_of_a_time_before_there_were_kernels_is_readable() -> None:
    made = provenance(device=torch.device("cpu"), precision="float32", study_hash="", data_hash="")
    old = made.model_dump(mode="json")
    del old["kernels"], old["numerics"]
    read = Provenance.model_validate(old)
    assert (read.kernels, read.numerics) == ("PyTorch", ())


@pytest.fixture
def nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in origin._VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("nothing_asked")
def test_the_usual_is_not_told() -> None:
    assert numerics() == ()


@pytest.mark.usefixtures("nothing_asked")
def test_what_the_environment_asks_for_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    monkeypatch.setenv("MKL_CBWR", "COMPAT\x1b[2JIBLE")
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "")
    assert numerics() == (r"MKL_CBWR=COMPAT\x1b[2JIBLE", "ONEDNN_MAX_CPU_ISA=AVX2")


@pytest.mark.usefixtures("nothing_asked")
def test_what_the_program_around_asks_for_is(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_float32_matmul_precision("medium")
    try:
        assert "torch float32_matmul_precision=medium" in numerics()
    finally:
        torch.set_float32_matmul_precision("highest")
    assert numerics() == ()
    monkeypatch.setattr(torch.backends.mkldnn, "deterministic", True)
    assert numerics() == ("torch mkldnn.deterministic=True",)
