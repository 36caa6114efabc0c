"""The code of a network: found by reading, never by running."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.errors import NetworkError
from bakeoff.networks import sources
from bakeoff.networks.sources import defined_in, dotted, read_source
from tests.networks.drawn import drawn


def test_a_file_alone_is_its_own_source(tmp_path: Path) -> None:
    source = read_source(drawn(tmp_path, {"net.py": "import torch, os\nraise SystemExit"}))
    assert (source.root, source.main, source.imports_from) == (tmp_path, "net.py", ("",))
    assert source.content == {"net.py": b"import torch, os\nraise SystemExit"}
    assert source.file == tmp_path / "net.py"


def test_what_it_imports_from_beside_belongs_to_it_however_it_is_imported(tmp_path: Path) -> None:
    file = drawn(
        tmp_path,
        {
            "net.py": "import a\nfrom b import x\ntry:\n    import c.d\nexcept ImportError: pass\n"
            "def f():\n    from e import g\nclass K:\n    import h.i.j as k\n",
            "a.py": "import deep",
            "b.py": "",
            "c/d.py": "",
            "e/__init__.py": "",
            "e/g.py": "from . import near",
            "e/near.py": "from .. import top",
            "h/__init__.py": "",
            "h/i/__init__.py": "",
            "h/i/j.py": "",
            "deep.py": "import net",
            "top.py": "",
            "unused.py": "",
            "e/unused.py": "",
        },
    )
    assert set(read_source(file).content) == {
        "net.py", "a.py", "b.py", "c/d.py", "e/__init__.py", "e/g.py", "e/near.py",
        "h/__init__.py", "h/i/__init__.py", "h/i/j.py", "deep.py", "top.py",
    }  # fmt: skip


def test_a_package_goes_before_a_module_and_that_before_a_folder(tmp_path: Path) -> None:
    file = drawn(
        tmp_path,
        {
            "net.py": "import a\nfrom b import c",
            "a.py": "",
            "a/__init__.py": "",
            "b.py": "",
            "b/c.py": "",
        },
    )
    assert set(read_source(file).content) == {"net.py", "a/__init__.py", "b.py"}


@pytest.mark.parametrize("name", ["random", "types", "torch", "numpy"])
def test_names_of_the_standard_library_and_of_torch_never_mean_a_file_beside(
    name: str, tmp_path: Path
) -> None:
    file = drawn(tmp_path, {"net.py": f"import {name}", f"{name}.py": "raise SystemExit"})
    source = read_source(file)
    assert set(source.content) == {"net.py"}
    assert source.beside(name, "net") is None


def test_a_file_never_means_itself(tmp_path: Path) -> None:
    file = drawn(tmp_path, {"timm.py": "import timm\nimport layers", "layers.py": "import timm"})
    source = read_source(file)
    assert source.beside("timm", "timm") is None
    assert source.beside("timm", "layers") == "timm"
    assert source.beside("layers", "timm") == "layers"


def test_a_file_that_imports_by_dots_is_a_module_of_its_package(tmp_path: Path) -> None:
    file = drawn(
        tmp_path,
        {
            "zoo/models/net.py": "from .layers import A\nfrom ..common import b\nimport layers",
            "zoo/__init__.py": "import setup_of_zoo",
            "zoo/models/__init__.py": "",
            "zoo/models/layers.py": "",
            "zoo/common/__init__.py": "",
            "zoo/common/b.py": "from zoo.models import layers",
            "setup_of_zoo.py": "",
        },
    )
    source = read_source(file)
    assert source.root == tmp_path
    assert source.main == "zoo/models/net.py"
    assert source.imports_from == ("zoo.models", "")
    assert set(source.content) == {
        "zoo/models/net.py", "zoo/__init__.py", "zoo/models/__init__.py", "zoo/models/layers.py",
        "zoo/common/__init__.py", "zoo/common/b.py", "setup_of_zoo.py",
    }  # fmt: skip
    assert source.beside("layers", "zoo.models.net") == "zoo.models.layers"
    assert source.beside("zoo.common", "zoo.models.net") == "zoo.common"


def test_so_is_one_that_imports_by_the_name_of_its_package(tmp_path: Path) -> None:
    file = drawn(
        tmp_path,
        {"zoo/net.py": "from zoo.b import c", "zoo/__init__.py": "", "zoo/b.py": ""},
    )
    assert set(read_source(file).content) == {"zoo/net.py", "zoo/__init__.py", "zoo/b.py"}


def test_one_that_does_neither_needs_no_package(tmp_path: Path) -> None:
    file = drawn(tmp_path, {"zoo/net.py": "import b", "zoo/__init__.py": "", "zoo/b.py": ""})
    assert set(read_source(file).content) == {"net.py", "b.py"}


def test_dots_lead_up_without_a_package_too(tmp_path: Path) -> None:
    file = drawn(tmp_path, {"a/b/net.py": "from ..c import d", "a/c.py": ""})
    source = read_source(file)
    assert (source.root, set(source.content)) == (tmp_path / "a", {"b/net.py", "c.py"})


def test_the_hash_follows_each_file_and_no_other(tmp_path: Path) -> None:
    file = drawn(tmp_path / "one", {"net.py": "import a", "a.py": "x = 1", "b.py": ""})
    same = drawn(tmp_path / "two", {"net.py": "import a", "a.py": "x = 1", "b.py": "y"})
    first = read_source(file).sha256
    assert first == read_source(same).sha256
    (tmp_path / "one" / "a.py").write_text("x = 2")
    assert read_source(file).sha256 != first
    renamed = drawn(tmp_path / "three", {"ne.py": "import a", "a.py": "x = 1"})
    assert read_source(renamed).sha256 != first


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = (", "line 1: not valid Python: '(' was never closed"),
        ("import torch\nx = = 2", "line 2: not valid Python: invalid syntax"),
        ("def f():\nreturn 1", "line 2: not valid Python: expected an indented block after "
         "function definition on line 1"),
    ],
)  # fmt: skip
def test_a_mistake_of_syntax_is_one_line_with_file_and_line(
    text: str, complaint: str, tmp_path: Path
) -> None:
    beside = drawn(tmp_path, {"layers.py": text, "net.py": "import layers"})
    for name in ("net.py", "layers.py"):
        with pytest.raises(NetworkError) as caught:
            read_source(tmp_path / name)
        assert str(caught.value) == f"{beside}, {complaint}"


@pytest.mark.parametrize("content", [b"\0", b"\xff\xfe\x00", b"(" * 10_000, b"# coding: nothing\n"])
def test_what_is_no_text_of_python_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_bytes(content)
    with pytest.raises(NetworkError, match=r"net\.py.*: not valid Python: "):
        read_source(file)


def test_a_file_that_warns_is_read(tmp_path: Path) -> None:
    assert read_source(drawn(tmp_path, {"net.py": 'x = "\\d"\nx is 1'})).content


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(NetworkError) as caught:
        read_source(tmp_path / "net.py")
    assert str(caught.value) == (
        f"{tmp_path}/net.py: No such file or directory; a network is a file of Python"
    )
    (tmp_path / "net.py").mkdir()
    with pytest.raises(NetworkError, match=r"net\.py: Is a directory; a network is a file of "):
        read_source(tmp_path / "net.py")


def test_more_files_or_bytes_than_a_network_has_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = drawn(tmp_path, {"net.py": "import a, b", "a.py": "", "b.py": "#" * 100})
    monkeypatch.setattr(sources, "MOST_FILES", 2)
    with pytest.raises(NetworkError, match="a network of more than 2 files"):
        read_source(file)
    monkeypatch.setattr(sources, "MOST_FILES", 3)
    monkeypatch.setattr(sources, "MOST_BYTES", 100)
    with pytest.raises(NetworkError, match=r"b\.py: 100 bytes, at most 89 are read"):
        read_source(file)


def test_a_link_in_a_circle_and_a_large_folder_do_no_harm(tmp_path: Path) -> None:
    file = drawn(tmp_path, {"net.py": "import again.again.again.net"})
    (tmp_path / "again").symlink_to(tmp_path)
    assert "net.py" in read_source(file).content


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.py", "a"),
        ("a/b.py", "a.b"),
        ("a/__init__.py", "a"),
        ("my-net.py", "my-net"),
        ("net.v2.py", "net_v2"),
    ],
)
def test_modules_are_named_by_their_paths(path: str, name: str) -> None:
    assert dotted(path) == name


def test_what_a_file_defines_is_told_from_its_syntax(tmp_path: Path) -> None:
    text = "import os\nclass Net: pass\ndef small(): pass\ndef _hidden(): pass\nraise SystemExit"
    assert defined_in(drawn(tmp_path, {"net.py": text})) == ["Net", "small"]
