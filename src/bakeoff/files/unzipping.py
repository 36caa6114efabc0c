"""Zip and gzip, which are only unpacked as far as they were said to go."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from typing import IO

from bakeoff.errors import UnreadableError

DAMAGE = (
    KeyError, EOFError, RuntimeError, ValueError, IndexError, OverflowError, MemoryError,
    struct.error, zlib.error, zipfile.BadZipFile,
)  # fmt: skip
"""What reading an altered archive can raise, all that is no OSError: a flipped byte may also name
another compression (RuntimeError) or spoil the spelling of a file's name (ValueError)."""

_END = struct.Struct("<4s4H2LH")
_LARGEST_DIRECTORY = 4096
_LARGEST_LIST = 1 << 20
_LONGEST_END = 1 << 17  # Bytes after the list of files: its length, and a comment of 64 KiB.
_LOCATOR = b"PK\x06\x07"
_PIECE = 2**20  # Bytes unpacked at a time: how far beyond the limit it can go.


def refuse_odd_zip(content: bytes, where: str) -> None:
    """Raise UnreadableError for an archive that is more than a handful of files.

    A zip that has a comment, is larger than 4 GiB, or lists more files than fit into 4 KiB is none
    of ours: its list of files alone could fill the memory.
    """
    end = content[-_END.size :]
    if len(end) < _END.size:
        raise UnreadableError(f"{where}: truncated or altered")
    signature, _, _, _, _, directory, _, comment = _END.unpack(end)
    beyond = content[-_END.size - 20 :][:4] == _LOCATOR
    if signature != b"PK\x05\x06" or comment or beyond or directory > _LARGEST_DIRECTORY:
        raise UnreadableError(f"{where}: truncated or altered")


def refuse_endless_zip(stream: IO[bytes], where: str) -> None:
    """Raise UnreadableError for an archive, of any size, whose list of files would fill the memory.

    Leaves the stream at its start. The list is read whole before anything can be said of it.
    """
    length = stream.seek(0, os.SEEK_END)
    stream.seek(max(length - _LONGEST_END, 0))
    end = stream.read()
    stream.seek(0)
    at = end.rfind(b"PK\x05\x06")
    if at < 0 or len(end) - at < _END.size:
        raise UnreadableError(f"{where}: not a zip, or truncated")
    directory = _END.unpack_from(end, at)[5]
    beyond = end.rfind(b"PK\x06\x06", 0, at)
    if directory == 0xFFFFFFFF and beyond >= 0:
        (directory,) = struct.unpack_from("<Q", end, beyond + 40)
    if directory > _LARGEST_LIST:
        raise UnreadableError(f"{where}: lists {directory:,} bytes of files, far too many")


def unzip(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytearray:
    """Return a member of an archive: no more bytes than it claims, piece by piece."""
    # Of other methods the library unpacks a whole piece of the file, whatever it grows to.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("compressed in a way that is not known beforehand to end")
    found = bytearray()
    with archive.open(member) as stream:
        while piece := stream.read(_PIECE):
            found += piece
    return found


def gunzip(content: bytes, most: int, where: str) -> bytearray:
    """Return what a gzip file of one member unpacks to, at most `most` bytes."""
    unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    found = bytearray()
    try:
        for start in range(0, len(content), _PIECE):
            packed = content[start : start + _PIECE]
            while packed and not unpacking.eof:
                found += unpacking.decompress(packed, _PIECE)
                packed = unpacking.unconsumed_tail
                if len(found) > most:
                    raise UnreadableError(f"{where}: unpacks to more than {most:,} bytes")
            if packed or unpacking.unused_data:
                raise UnreadableError(f"{where}: damaged, something follows its end")
    except zlib.error as error:
        raise UnreadableError(f"{where}: damaged, not valid gzip") from error
    # The checksum stands at the end, so only a whole file is known to be a sound one.
    if not unpacking.eof:
        raise UnreadableError(f"{where}: truncated")
    return found
