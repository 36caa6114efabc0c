from __future__ import annotations

import gzip
import io
import zipfile
import zlib

import pytest

from bakeoff.errors import UnreadableError
from bakeoff.files.unzipping import gunzip, refuse_endless_zip, refuse_odd_zip, unzip

TEXT = b"all the same " * 100_000
PACKED = gzip.compress(TEXT, mtime=0)


def test_what_was_packed_is_unpacked() -> None:
    assert gunzip(PACKED, len(TEXT), "f") == TEXT
    assert gunzip(gzip.compress(b""), 0, "f") == b""


def test_one_byte_more_than_allowed_is_refused() -> None:
    with pytest.raises(UnreadableError) as caught:
        gunzip(PACKED, len(TEXT) - 1, "f")
    assert str(caught.value) == "f: unpacks to more than 1,299,999 bytes"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "truncated"),
        (PACKED[:-1], "truncated"),
        (PACKED[:20], "truncated"),
        (PACKED + b"\0", "damaged, something follows its end"),
        (PACKED + PACKED, "damaged, something follows its end"),
        (b"none", "damaged, not valid gzip"),
        (PACKED[:-5] + b"\0" + PACKED[-4:], "damaged, not valid gzip"),
        (zlib.compress(TEXT), "damaged, not valid gzip"),
    ],
)
def test_damaged_gzip_is_one_line(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        gunzip(content, 2_000_000, "f")
    assert str(caught.value) == f"f: {reason}"


def zipped(members: int = 1, method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for number in range(members):
            archive.writestr(f"member-{number}", TEXT if number == 0 else b"")
        archive.comment = comment
    return stream.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_is_unpacked(method: int) -> None:
    content = zipped(method=method)
    refuse_odd_zip(content, "f")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert unzip(archive, archive.infolist()[0]) == TEXT


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_without_bounds_is_refused(method: int) -> None:
    with (
        zipfile.ZipFile(io.BytesIO(zipped(method=method))) as archive,
        pytest.raises(ValueError, match="not known beforehand"),
    ):
        unzip(archive, archive.infolist()[0])


@pytest.mark.parametrize(
    "content",
    [
        b"", b"PK", zipped()[:-1], zipped() + b"\0", zipped(comment=b"hello"), zipped(members=100),
        zipped()[:-22] + b"PK\6\7" + bytes(16) + zipped()[-22:],
    ],
    ids=["empty", "short", "cut", "longer", "comment", "crowd", "zip64"],
)  # fmt: skip
def test_an_odd_zip_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableError) as caught:
        refuse_odd_zip(content, "f")
    assert str(caught.value) == "f: truncated or altered"


def listed(files: int, comment: bytes = b"") -> io.BytesIO:
    """Return an archive of so many empty files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(files):
            archive.writestr(f"{number:0100}", b"")
        archive.comment = comment
    return stream


@pytest.mark.parametrize(("files", "comment"), [(0, b""), (3, b""), (3, b"a comment" * 1000)])
def test_an_archive_of_some_files_passes(files: int, comment: bytes) -> None:
    stream = listed(files, comment)
    refuse_endless_zip(stream, "a.npz")
    assert stream.tell() == 0


@pytest.mark.parametrize("files", [8000, 70_000])
def test_an_endless_list_of_files_is_refused(files: int) -> None:
    with pytest.raises(UnreadableError, match=r"^a: lists [\d,]+ bytes of files, far too many$"):
        refuse_endless_zip(listed(files), "a")


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06", b"text" * 100])
def test_what_has_no_end_of_an_archive_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"^a: not a zip, or truncated$"):
        refuse_endless_zip(io.BytesIO(content), "a")
