from __future__ import annotations

import ctypes
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from bakeoff.engine.native import build
from bakeoff.engine.native.build import (
    Compiler,
    NoKernelsError,
    compile_library,
    find_compiler,
    library_key,
)
from bakeoff.engine.native.load import SOURCES

GCC = shutil.which("gcc")
needs_gcc = pytest.mark.skipif(GCC is None, reason="no gcc here")

FILES = {
    "add.c": '#include "two.h"\nint add(int a, int b) { return a + b; }\n',
    "twice.c": '#include "two.h"\nint twice(int a) { return TWO * a; }\n',
    "two.h": "#define TWO 2\n",
}


def folder_of(path: Path, files: Mapping[str, str]) -> Path:
    path.mkdir()
    for name, text in files.items():
        (path / name).write_text(text)
    return path


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "sources of it", FILES)


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@needs_gcc
def test_all_files_become_one_library(sources: Path, tmp_path: Path) -> None:
    compile_library(sources, find_compiler(), tmp_path / "both.so")
    library = ctypes.CDLL(str(tmp_path / "both.so"))
    assert (library.add(2, 3), library.twice(21)) == (5, 42)


@needs_gcc
def test_a_relative_library_lies_where_the_caller_is(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    compile_library(sources, find_compiler(), Path("both.so"))
    assert (tmp_path / "both.so").is_file()


@needs_gcc
def test_the_first_error_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "gcc")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    text = "#warning not this one\nint add(int a) { return a + b; }\nint;x;\n"
    broken = folder_of(tmp_path / "broken", {"broken.c": text})
    with pytest.raises(NoKernelsError) as caught:
        compile_library(broken, find_compiler(), tmp_path / "broken.so")
    told = str(caught.value)
    assert told.startswith("gcc failed: broken.c:2:29: error: ")
    assert "b" in told.partition("error: ")[2]
    assert "\n" not in told
    assert not (tmp_path / "broken.so").exists()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("echo; echo '  out of licences ' >&2; exit 3", "cc-of-ours failed: out of licences"),
        ("echo first >&2; echo 'fatal error: x' >&2; exit 1", "cc-of-ours failed: fatal error: x"),
        ("exit 3", "cc-of-ours failed: exit code 3"),
        ("sleep 60", "cc-of-ours took more than 0.2 seconds"),
        ("printf '%400s' x >&2; exit 1", "cc-of-ours failed: x"),
        ("printf 'a%400s' x >&2; exit 1", f"cc-of-ours failed: a{' ' * 158}…"),
    ],
)
def test_a_compiler_that_fails(
    body: str, told: str, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_SILENCE", 0.1)
    if "sleep" in body:
        monkeypatch.setattr(build, "_PATIENCE", 0.2)
    compiler = Compiler((str(script(tmp_path / "cc-of-ours", body)),), "1")
    with pytest.raises(NoKernelsError) as caught:
        compile_library(sources, compiler, tmp_path / "both.so")
    assert str(caught.value) == told


def test_a_compiler_that_takes_a_while_is_told(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_SILENCE", 0.1)
    heard: list[str] = []
    slow = Compiler((str(script(tmp_path / "slow", "sleep 0.5")),), "1")
    compile_library(sources, slow, tmp_path / "both.so", heard.append)
    assert heard == ["slow compiles the kernels for this machine, once"]
    monkeypatch.setattr(build, "_SILENCE", 60)
    compile_library(sources, slow, tmp_path / "both.so", heard.append)
    assert len(heard) == 1


def test_what_a_compiler_started_ends_with_it(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_SILENCE", 0.1)
    monkeypatch.setattr(build, "_PATIENCE", 0.5)
    child = tmp_path / "child"
    endless = script(tmp_path / "endless", f"sleep 60 & echo $! > {child}; wait")
    with pytest.raises(NoKernelsError):
        compile_library(sources, Compiler((str(endless),), "1"), tmp_path / "both.so")
    state = Path("/proc", child.read_text().strip(), "stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"


def test_a_compiler_that_cannot_be_started(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "cc").write_text("")
    with pytest.raises(NoKernelsError, match=r"^cc failed: Permission denied$"):
        compile_library(sources, Compiler((str(tmp_path / "cc"),), "1"), tmp_path / "both.so")


# Which compiler


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the only one in which programs are looked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CC", raising=False)
    return folder


def test_gcc_comes_before_cc(programs: Path) -> None:
    script(programs / "cc", "echo 'cc (GCC) 11.4.1'")
    assert find_compiler() == Compiler((str(programs / "cc"),), "cc (GCC) 11.4.1\n")
    script(programs / "gcc", "echo 'gcc (Debian 12.2.0-14) 12.2.0'; echo 'No warranty.'")
    assert find_compiler().command == (str(programs / "gcc"),)
    assert find_compiler().name == "gcc 12.2.0"


def test_cc_says_which_and_with_what(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(programs / "gcc", "echo gcc")
    script(programs / "other", 'echo "$*"')
    monkeypatch.setenv("CC", "other -m64")
    assert find_compiler() == Compiler((str(programs / "other"), "-m64"), "-m64 --version\n")
    monkeypatch.setenv("CC", " ")
    assert find_compiler().name == "gcc"
    monkeypatch.setenv("CC", "another -m64")
    with pytest.raises(NoKernelsError, match=r"^no C compiler called another$"):
        find_compiler()


def test_no_compiler(programs: Path) -> None:
    (programs / "gcc").write_text("not a program")
    with pytest.raises(NoKernelsError, match=r"^no C compiler$"):
        find_compiler()


def test_a_compiler_without_a_version(programs: Path) -> None:
    script(programs / "gcc", "exit 2")
    with pytest.raises(NoKernelsError, match=r"^gcc failed: exit code 2$"):
        find_compiler()


# What the library's name depends on


def test_the_name_stays_while_nothing_changes(sources: Path, tmp_path: Path) -> None:
    compiler = Compiler(("/bin/gcc",), "gcc 1")
    name = library_key(sources, compiler)
    (sources / "README.md").write_text("nothing to compile")
    assert name == library_key(folder_of(tmp_path / "again", FILES), compiler)
    assert name == library_key(sources, compiler)
    assert len(name) == 64


@pytest.mark.parametrize("changed", ["add.c", "two.h"])
def test_other_sources_have_another_name(changed: str, sources: Path) -> None:
    compiler = Compiler(("/bin/gcc",), "gcc 1")
    name = library_key(sources, compiler)
    (sources / changed).write_text(FILES[changed] + "\n")
    assert library_key(sources, compiler) != name


def test_files_that_change_places_have_another_name(sources: Path) -> None:
    compiler = Compiler(("/bin/gcc",), "gcc 1")
    name = library_key(sources, compiler)
    (sources / "add.c").write_text(FILES["twice.c"])
    (sources / "twice.c").write_text(FILES["add.c"])
    assert library_key(sources, compiler) != name


def test_another_compiler_processor_torch_or_flag_has_another_name(
    sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = Compiler(("/bin/gcc",), "gcc 1")
    names = {
        library_key(sources, compiler),
        library_key(sources, Compiler(("/bin/gcc",), "gcc 2")),
        library_key(sources, Compiler(("/bin/gcc", "-m64"), "gcc 1")),
    }
    for of, attribute, value in (
        (build, "_processor", lambda: ["flags: avx512f"]),
        (build, "FLAGS", (*build.FLAGS, "-g")),
        (torch, "__version__", "3.0"),
    ):
        with monkeypatch.context() as other:
            other.setattr(of, attribute, value)
            names.add(library_key(sources, compiler))
    assert len(names) == 6


def test_no_files(tmp_path: Path) -> None:
    (tmp_path / "two.h").write_text(FILES["two.h"])
    with pytest.raises(NoKernelsError, match=r"^no C files$"):
        library_key(tmp_path, Compiler(("/bin/gcc",), "gcc 1"))


# Our own files


@needs_gcc
@pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() != "AVX512", reason="they are for AVX-512"
)
def test_our_kernels_compile_without_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "FLAGS", (*build.FLAGS, "-Wextra", "-Werror"))
    compile_library(SOURCES, Compiler((str(GCC),), ""), tmp_path / "kernels.so")
    assert (tmp_path / "kernels.so").is_file()
