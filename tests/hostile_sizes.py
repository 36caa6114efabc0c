"""Small files that claim or unpack to far more: written, read and measured in a process of its own.

Run as a script it prints one line of JSON for each case: its name, what the refusal said, seconds
of the processor (a busy machine is not a mistake), and bytes by which the peak of the memory grew.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import struct
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from bakeoff.data.readers.idx import parse_idx, read_idx
from bakeoff.data.readers.mnist import CONTENT, read_mnist
from bakeoff.errors import BakeoffError, StoreError
from bakeoff.files.place import Place
from bakeoff.files.reading import parse_json, sealed
from bakeoff.files.tensors import from_safetensors
from bakeoff.records.checkpoints import Checkpoints
from bakeoff.records.folder import RunFolder
from bakeoff.records.trial_files import manifest_of
from bakeoff.study.toml import read_study
from tests.factories import entrant, record, study

MEGABYTE = 1_000_000
SIZE = 10 * MEGABYTE
STUDY = study(entrant("a"))
Read = Callable[[], object]


def deflated(of: int) -> bytes:
    """Return `of` zeros as raw deflate without an end: one flushed stretch, repeated."""
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    stretch = packing.compress(bytes(SIZE)) + packing.flush(zlib.Z_FULL_FLUSH)
    return stretch * (of // SIZE)


def gzipped(of: int) -> bytes:
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + deflated(of) + b"\x03\0" + bytes(8)


def zipped(name: str, packed: bytes, claimed: int, method: int = 8) -> bytes:
    """Return a zip of one member that claims to unpack to `claimed` bytes."""
    size = min(claimed, 2**32 - 2)
    head = struct.pack("<5H3L2H", 20, 0, method, 0, 33, 0, len(packed), size, len(name), 0)
    local = b"PK\3\4" + head + name.encode() + packed
    entry = b"PK\1\2\x14\0" + head + struct.pack("<3H2L", 0, 0, 0, 0, 0) + name.encode()
    return local + entry + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entry), len(local), 0)


def many_members(count: int) -> bytes:
    head = struct.pack("<5H3L2H", 20, 0, 0, 0, 33, 0, 0, 0, 1, 0)
    entries = (b"PK\1\2\x14\0" + head + struct.pack("<3H2L", 0, 0, 0, 0, 0) + b"a") * count
    return entries + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entries), 0, 0)


def npy(shape: str, data: bytes = b"") -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + data


def tensors(header: bytes, length: int | None = None, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def sparse(file: Path, size: int) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        stream.truncate(size)
    return file


def written(file: Path, content: bytes) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def trial(path: Path, **changed: bytes) -> RunFolder:
    """Return a run folder whose files are replaced, under a manifest that agrees with them."""
    folder = RunFolder.create(path, STUDY)
    files = {"record.json": record(STUDY, "a").model_dump_json().encode()} | {
        name.replace("_", "."): content for name, content in changed.items()
    }
    files["manifest.json"] = files.get("manifest.json") or manifest_of(files)
    for name, content in files.items():
        written(folder.trial("a", 0).path / name, content)
    return folder


def huge_files(at: Path) -> dict[str, Read]:
    """Return readers of files of 10 GB, each in place of a small one."""
    cases: dict[str, Read] = {}
    for name in ("record.json", "model.safetensors", "predictions.npz", "manifest.json"):
        folder = trial(at / name, model_safetensors=b"w", predictions_npz=b"p")
        sparse(folder.trial("a", 0).path / name, 10_000 * MEGABYTE)
        reader = {
            "model.safetensors": folder.read_weights, "predictions.npz": folder.read_predictions
        }.get(name, folder.read_record)  # fmt: skip
        cases[f"{name} of 10 GB"] = lambda read=reader: read("a", 0)  # type: ignore[misc]
    huge_timing = RunFolder.create(at / "timing", STUDY)
    sparse(huge_timing.path / "timing.json", 10_000 * MEGABYTE)
    study_file = sparse(RunFolder.create(at / "own", STUDY).path / "study.toml", 10_000 * MEGABYTE)
    toml = sparse(at / "huge.toml", 10_000 * MEGABYTE)
    archive = sparse(at / "huge.zip", 10_000 * MEGABYTE)
    claimed = trial(at / "claimed", model_safetensors=b"w")
    rest = {"sha256": {"model.safetensors": "0" * 64}, "bytes": {"model.safetensors": 10**10}}
    written(claimed.trial("a", 0).path / "manifest.json", sealed(rest))
    sparse(claimed.trial("a", 0).path / "model.safetensors", 10**10)
    return cases | {
        "timing.json of 10 GB": huge_timing.read_timing,
        "a run's study.toml of 10 GB": lambda: RunFolder.open(study_file.parent),
        "study file of 10 GB": lambda: read_study(toml),
        "mnist.zip of 10 GB": lambda: read_mnist(archive),
        "weights of 10 GB that the manifest lists": lambda: claimed.read_weights("a", 0),
    }


def bombs(at: Path) -> dict[str, Read]:
    """Return readers of archives of about 10 MB that unpack to 10 GB."""
    images, (size, sha256) = next(iter(CONTENT.items()))
    gz = written(at / "bomb.gz", gzipped(10_000 * MEGABYTE))
    lying = written(at / "lying.zip", zipped(images, deflated(10_000 * MEGABYTE), size))
    honest = written(at / "honest.zip", zipped(images, deflated(1000 * MEGABYTE), 10**10))
    directory = written(at / "directory.zip", many_members(SIZE // 47))
    odd = {name: written(at / f"{name}.zip", zipped(images, b"\0" * SIZE, size, method))
           for name, method in (("bzip2", 12), ("lzma", 14))}  # fmt: skip
    packed = zipped("validation_index.npy", deflated(10_000 * MEGABYTE), SIZE)
    plain = trial(at / "npz", predictions_npz=packed)
    crowd = trial(at / "crowd", predictions_npz=many_members(SIZE // 47))
    return {
        "gzip that unpacks to 10 GB": lambda: read_idx(gz, size, sha256),
        "zip that claims 47 MB and unpacks to 10 GB": lambda: read_mnist(lying),
        "zip that says it unpacks to 10 GB": lambda: read_mnist(honest),
        "zip of 200,000 members": lambda: read_mnist(directory),
        "zip packed with bzip2": lambda: read_mnist(odd["bzip2"]),
        "zip packed with lzma": lambda: read_mnist(odd["lzma"]),
        "npz that is packed": lambda: plain.read_predictions("a", 0),
        "npz of 200,000 members": lambda: crowd.read_predictions("a", 0),
    }


def claims(at: Path) -> dict[str, Read]:
    """Return readers of headers that claim what does not follow."""
    forged = {
        shape: zipped("validation_index.npy", npy(shape), len(npy(shape)), method=0)
        for shape in ("(2500000000,)", "(9999999999, 9999999999, 9999999999)")
    }
    npz = {shape: trial(at / shape, predictions_npz=each) for shape, each in forged.items()}
    one = b'{"w":{"dtype":"F32","shape":[2500000000],"data_offsets":[0,10000000000]}}'
    overlap = (
        b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
        b'"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}'
    )
    twice = (
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
        b'"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    )
    crowd = b'{"a":[' + b"[]," * (SIZE // 3) + b"[]]}"
    wide = b'{"a":{"dtype":"F32","shape":[18446744073709551615,2],"data_offsets":[0,4]}}'
    headers = {
        "safetensors with a header of 2^60 bytes": tensors(b"{}", 2**60),
        "safetensors with a header of 2^64 - 1 bytes": tensors(b"{}", 2**64 - 1),
        "safetensors with a tensor of 10 GB": tensors(one, data=bytes(1000)),
        "safetensors with offsets that overlap": tensors(overlap, data=bytes(12)),
        "safetensors with a name twice": tensors(twice, data=bytes(4)),
        "safetensors with 3 million lists": tensors(crowd),
        "safetensors with a shape that overflows": tensors(wide, data=bytes(4)),
        "safetensors that nest 5 million deep": tensors(b"[" * (SIZE // 2)),
        "safetensors with half a header": tensors(one[:20]),
        "safetensors of zeros": bytes(SIZE),
        "safetensors of 3 bytes": b"abc",
    }
    cases: dict[str, Read] = {
        name: lambda content=content: from_safetensors(content, "w")  # type: ignore[misc]
        for name, content in headers.items()
    }
    return cases | {
        **{
            f"npy that claims {shape}": lambda folder=folder: folder.read_predictions("a", 0)  # type: ignore[misc]
            for shape, folder in npz.items()
        },
        "idx that claims 10 GB": lambda: parse_idx(
            b"\0\0\x08\x03" + struct.pack(">3L", 12_755_102, 28, 28) + bytes(1000), "i"
        ),
        "idx that claims 2^128 bytes": lambda: parse_idx(b"\0\0\x08\x04" + b"\xff" * 16, "i"),
        "idx of 255 dimensions": lambda: parse_idx(b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"x", "i"),
    }


def checkpoints(at: Path) -> dict[str, Read]:
    """Return readers of checkpoints, whose names are the digests that they have."""

    def metadata(text: str) -> bytes:
        return tensors(json.dumps({"__metadata__": {"bakeoff": text}}).encode())

    contents = {
        "checkpoint with a header of 2^60 bytes": tensors(b"{}", 2**60),
        "checkpoint with 3 million lists": tensors(b"[" + b"[]," * (SIZE // 3) + b"[]]"),
        "checkpoint with a million lists": tensors(b"[" + b"[]," * 1_000_000 + b"[]]"),
        "checkpoint that nests 4 million deep": tensors(b"[" * 3_900_000),
        "checkpoint whose text has a million lists": metadata(f"[{'[],' * 1_000_000}[]]"),
        "checkpoint whose text nests 4 million deep": metadata("[" * 3_900_000),
    }
    cases: dict[str, Read] = {}
    for number, (name, content) in enumerate(contents.items()):
        digest = hashlib.sha256(content).hexdigest()
        written(at / str(number) / f"epoch-0001-{digest}.safetensors", content)
        cases[name] = lambda folder=at / str(number): newest_checkpoint(folder)  # type: ignore[misc]
    sparse(at / "huge" / f"epoch-0001-{'0' * 64}.safetensors", 10_000 * MEGABYTE)
    return cases | {"checkpoint of 10 GB": lambda: newest_checkpoint(at / "huge")}


def newest_checkpoint(folder: Path) -> object:
    """Return it; raise what a run that goes on says of a damaged one."""
    said: list[str] = []
    found = Checkpoints(Place(folder), said.append).newest()
    if found is None:
        raise StoreError(*said)
    return found


def texts(at: Path) -> dict[str, Read]:
    """Return readers of JSON and TOML that take far more room, or time, than they have bytes."""
    documents = {
        "JSON of 3 million lists": b"[" + b"[]," * (SIZE // 3) + b"[]]",
        "JSON that nests 10 million deep": b"[" * SIZE,
        "JSON that nests 100,000 deep": b'{"a":' * 100_000,
        "JSON with an integer of 10 million digits": b"[" + b"9" * SIZE + b"]",
        "JSON with NaN": b'{"a": NaN}',
        "JSON with a number that is not finite": b"[1e999]",
        "JSON with a key twice": b'{"a": 1, "a": 2}',
        "JSON in UTF-16": '{"a": 1}'.encode("utf-16"),
        "JSON with half a character": b'{"a": "\xc3"}',
        "JSON of NUL bytes": bytes(SIZE),
    }
    cases: dict[str, Read] = {
        name: lambda content=content: parse_json(content, "j")  # type: ignore[misc]
        for name, content in documents.items()
    }
    head, one = 'name = "m"\n', '[[entrants]]\nname = "a"\narchitecture = "b"\n'
    studies = {
        "TOML with a key of 120,000 parts": ".".join("a" * 120_000) + "=1\n",
        "TOML with a table of 120,000 parts": f"[{'.'.join('a' * 120_000)}]\n",
        "TOML of 80,000 lists": f"{head}x=[{'[],' * 80_000}]\n{one}",
        "TOML that nests 240,000 deep": f"x={'[' * 240_000}",
        "TOML of tables in tables": f"x={'{a=' * 80_000}",
        "TOML with an integer of 240,000 digits": f"{head}seeds={'9' * 240_000}\n{one}",
        "TOML with a hexadecimal of 240,000 digits": f"{head}seeds=0x{'f' * 240_000}\n{one}",
        "TOML with a float of 240,000 digits": f"{head}seeds={'9' * 240_000}.5\n{one}",
        "TOML of 40,000 keys": head + "".join(f"a{n}=1\n" for n in range(25_000)) + one,
        "TOML of 5,000 entrants of one name": head + one * 5_000,
        "TOML with NUL": f'{head}title="\0"\n{one}',
        "TOML with 10^18 seeds": f"{head}seeds=1000000000000000000\n{one}",
    }
    for number, (name, text) in enumerate(studies.items()):
        file = written(at / f"{number}.toml", text.encode())
        cases[name] = lambda file=file: read_study(file)  # type: ignore[misc]
    deep = trial(at / "deep", record_json=b"[" * 3_900_000)
    crowd = trial(at / "crowd", record_json=b"[" + b"[]," * 1_300_000 + b"[]]")
    return cases | {
        "record that nests 4 million deep": lambda: deep.read_record("a", 0),
        "record of a million lists": lambda: crowd.read_record("a", 0),
    }


def peak() -> int:
    """Return the most memory that this process ever held, in bytes."""
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes if sys.platform == "darwin" else kilobytes * 1024


def measured(name: str, read: Read) -> str:
    """Return the line of one case."""
    before, started = peak(), time.process_time()
    try:
        read()
        refusal = None
    except BakeoffError as error:
        refusal = str(error)
    seconds = time.process_time() - started
    grown = peak() - before
    return json.dumps({"name": name, "refusal": refusal, "seconds": seconds, "bytes": grown})


def main(at: Path) -> None:
    """Measure each case in a process of its own, whose peak is its own."""
    families = (huge_files, bombs, claims, checkpoints, texts)
    cases = [case for family in families for case in family(at / family.__name__).items()]
    for name, read in cases:
        child = os.fork()
        if child == 0:
            print(measured(name, read), flush=True)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
