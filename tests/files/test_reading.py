from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakeoff.errors import UnreadableError
from bakeoff.files.reading import (
    file_sha256,
    open_file,
    parse_json,
    parse_toml,
    read_file,
    sealed,
    sealed_toml,
    unsealed,
    unsealed_toml,
)

# Files


def refused(path: Path, most: int = 100) -> str:
    with pytest.raises(UnreadableError) as caught:
        read_file(path, most)
    return str(caught.value)


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "a"
    for content in (b"", b"a", bytes(range(100))):
        file.write_bytes(content)
        assert read_file(file, 100) == content
    file.write_bytes(bytes(101))
    assert refused(file) == f"{file}: 101 bytes, at most 100 are read"


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"{tmp_path}: Is a directory"
    assert refused(tmp_path / "none") == f"{tmp_path / 'none'}: No such file or directory"
    assert refused(tmp_path / "a\0b") == f"{tmp_path}/a\\x00b: not the name of a file"
    long = tmp_path / ("a" * 5000)
    assert refused(long) == f"{long}: File name too long"


def test_a_link_that_leads_to_itself_is_named(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert refused(loop) == f"{loop}: Too many levels of symbolic links"
    nowhere = tmp_path / "nowhere"
    nowhere.symlink_to(tmp_path / "none")
    assert refused(nowhere) == f"{nowhere}: No such file or directory"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs here")
def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert refused(fifo) == f"{fifo}: not a regular file"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there are no devices here")
def test_an_endless_device_is_not_read(tmp_path: Path) -> None:
    link = tmp_path / "zeros"
    link.symlink_to("/dev/zero")
    assert refused(link) == f"{link}: not a regular file"


def test_a_file_of_the_kernel_that_tells_no_length_is_refused() -> None:
    path = Path("/proc/self/status")
    if path.exists():
        assert refused(path) == f"{path}: changed while it was read"


def test_memory_that_does_not_suffice_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"a")

    def refuse(*_: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr("bakeoff.files.reading.stat.S_ISREG", refuse)
        assert refused(file) == f"{file}: does not fit into memory"


# JSON


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"{} {}", "not valid JSON"),
        (b"\xef\xbb\xbf{}", "not valid JSON"),
        (b'"\xff"', "not valid JSON"),
        (b'{"a": 1, "b": {"c": 1, "c": 1}}', "not valid JSON"),
        (b"[NaN]", "not valid JSON"),
        (b"-Infinity", "not valid JSON"),
        (b"1e400", "not valid JSON"),
        (b"9" * 5000, "not valid JSON"),
        ('{"a": 1}'.encode("utf-16"), "not valid JSON"),
        (b"[" * 50_000, "nested too deeply"),
        (b'{"a":' * 50_000, "nested too deeply"),
        (b"[" + b"0," * 200_000 + b"0]", "more than 200,000 values"),
    ],
)
def test_json_that_is_none_is_one_line(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        parse_json(content, "a.json")
    assert str(caught.value) == f"a.json: damaged, {reason}"


def test_sound_json_is_what_the_library_reads() -> None:
    document = {"a": [1, 2.5, None, True, "ü\n"], "b": {"c": {}}, "d": -1e300}
    assert parse_json(json.dumps(document).encode(), "a") == document


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text("abcde"), values, max_size=4))
def test_a_sealed_document_is_read_as_written(document: dict[str, Any]) -> None:
    assert unsealed(sealed(document), "a") == document


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_one_line(content: bytes) -> None:
    for parse in (parse_json, parse_toml, unsealed, unsealed_toml):
        message = "a: "
        try:
            parse(content, "a")
        except UnreadableError as error:
            message = str(error)
        assert message.startswith("a: ")
        assert message.isprintable()


def test_no_single_byte_of_a_sealed_document_can_change() -> None:
    whole = sealed({"sha256": {"a": "0a"}, "n": [1, 2.5]})
    for at in range(len(whole)):
        for changed in {whole[:at] + bytes([byte]) + whole[at + 1 :] for byte in range(256)}:
            if changed == whole:
                continue
            with pytest.raises(UnreadableError):
                unsealed(changed, "a")
    for length in range(len(whole)):
        with pytest.raises(UnreadableError):
            unsealed(whole[:length], "a")


def test_a_seal_is_the_digest_of_the_rest() -> None:
    rest = json.dumps({"a": 1}, indent=1).encode()
    assert json.loads(sealed({"a": 1}))["seal"] == hashlib.sha256(rest).hexdigest()


# TOML


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_toml_is_read_as_editors_of_other_systems_write_it(mark: bytes, end: bytes) -> None:
    lines = [b'name = "a" # first', b"[t]", b"x = 1", b'about = """', b"one", b'two"""', b""]
    found = parse_toml(mark + end.join(lines), "a")
    assert found == {"name": "a", "t": {"x": 1, "about": "one\ntwo"}}


def test_a_byte_order_mark_anywhere_else_is_refused() -> None:
    with pytest.raises(UnreadableError, match=r"^a: not valid TOML"):
        parse_toml(b"x = 1\n\xef\xbb\xbfy = 2", "a")


def test_no_single_byte_of_sealed_toml_can_change() -> None:
    text = 'name = "a"\nseeds = 5\n'
    whole = sealed_toml(text)
    assert whole.decode().splitlines()[0].endswith(hashlib.sha256(text.encode()).hexdigest())
    assert unsealed_toml(whole, "a") == {"name": "a", "seeds": 5}
    for at in range(len(whole)):
        for change in (1, 4, 0x20, 0x80):
            changed = whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :]
            with pytest.raises(UnreadableError):
                unsealed_toml(changed, "a")
    for part in (whole[:-1], whole.partition(b"\n")[2], b"", whole + b"\n", b"\n" + whole):
        with pytest.raises(UnreadableError) as caught:
            unsealed_toml(part, "a")
        assert str(caught.value) == "a: damaged, its first line is not the SHA-256 of the rest"


@pytest.mark.parametrize(
    "text",
    [
        "about = '''" + "one sentence. " * 5 + "'''",
        'version = "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16"',
        "a.b.c.d.e = 1",
        "losses = [" + "0.5, " * 1000 + "]",
    ],
)
def test_dots_in_a_sound_study_do_not_make_an_endless_key(text: str) -> None:
    assert parse_toml(text.encode(), "a")


def test_a_key_of_seventeen_parts_is_refused() -> None:
    for key in (".".join("a" * 17), " . ".join(['"a b"'] * 17), ".".join(["'a'"] * 17)):
        with pytest.raises(UnreadableError, match="nested too deeply"):
            parse_toml(f"{key} = 1".encode(), "a")


# Files that are too large to be read whole


def test_a_file_is_hashed_piece_by_piece(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc" * 1000)
    assert file_sha256(tmp_path / "a") == hashlib.sha256(b"abc" * 1000).hexdigest()
    with open_file(tmp_path / "a") as stream:
        assert stream.read(4) == b"abca"


@pytest.mark.parametrize("take", [open_file, file_sha256])
def test_what_is_no_file_is_not_opened(take: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, reason in (
        (tmp_path / "gone", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "pipe", "not a regular file"),
        (Path("a\0b"), "not the name of a file"),
    ):
        with pytest.raises(UnreadableError) as caught:
            take(path)
        assert str(caught.value).endswith(f": {reason}")
