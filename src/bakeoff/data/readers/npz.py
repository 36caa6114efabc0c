"""Arrays of numpy: an npz, or a folder of npy files, under the names that people give them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from bakeoff.data.readers.array_stock import ArrayPart, stock_of_arrays
from bakeoff.data.readers.class_labels import labels_of, texts_of
from bakeoff.data.readers.stock import Stock
from bakeoff.data.readers.stored import Stored, refuse_bomb, stored_npy
from bakeoff.errors import DataError, UnreadableError
from bakeoff.files.reading import file_sha256, open_file
from bakeoff.files.unzipping import DAMAGE, refuse_endless_zip
from bakeoff.study.protocol import Protocol
from bakeoff.text import shortened

_PARTS = {
    "train": ("train", "training", "tr"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "te"),
    "": ("",),
}
_IMAGES = ("x", "images", "image", "imgs", "img", "data", "features")
_LABELS = ("y", "labels", "label", "targets", "target")
_CLASSES = ("classes", "classnames", "labelnames", "targetnames")
_WANTED = (
    "x_train, y_train, x_test, y_test, or train_images, train_labels, test_images, test_labels, "
    "or x and y, from which a test part is taken"
)
_Roles = dict[str, str]
"""`images`, `labels`, `groups` -> the key of that array."""
_MOST_CLASSES = 1_000_000


def read_npz(path: Path, protocol: Protocol) -> Stock:
    """Return the images of an npz, or of a folder with an npy file for each array.

    Arrays go by the names of Keras, of MedMNIST and their like. Nothing is unpickled. Raises
    DataError, naming file and array, where something is missing, damaged or ambiguous.
    """
    try:
        if path.is_dir():
            found = array_files(path)
            files = list(found.values())
            arrays = {key: array_of_npy(file) for key, file in found.items()}
        else:
            files = [path]
            arrays = arrays_of_archive(path)
        digest = hashlib.sha256(
            json.dumps([(file.name, file_sha256(file)) for file in files]).encode()
        )
    except UnreadableError as error:
        raise DataError(f"{error}; give a file that can be read") from error
    roles = _roles(path, arrays, protocol.group)
    _refuse_missing_part(path, roles)
    used = {key for keys in roles.values() for key in keys.values()}
    classes, key_of_classes = _class_names(path, arrays)
    passed_over = sorted(arrays.keys() - used - {key_of_classes})
    return stock_of_arrays(
        str(path),
        digest.hexdigest(),
        [_part(part, keys, arrays, classes) for part, keys in roles.items()],
        protocol,
        [f"passed over: {_listed(passed_over)}"] if passed_over else [],
    )


def array_files(folder: Path) -> dict[str, Path]:
    """Return the files of a folder that may hold an array each, by what they are called.

    Without what all begin with: `kmnist-train-imgs.npz` is `train-imgs`.
    """
    files = sorted(
        file
        for file in folder.iterdir()
        if file.suffix.lower() in (".npy", ".npz") and not file.name.startswith(".")
    )
    stems = [file.stem for file in files]
    shared = os.path.commonprefix(stems) if len(files) > 1 else ""  # noqa: RUF071  Of letters.
    start = max(map(shared.rfind, "-_. ")) + 1
    return {file.stem[start:]: file for file in files}


def has_images(keys: Sequence[str]) -> bool:
    """Return whether arrays of these names are images with labels."""
    names = {_plain(key) for key in keys}
    return any(_spellings(_IMAGES, part) & names for part in _PARTS)


def _plain(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())


def _spellings(kinds: Sequence[str], part: str) -> set[str]:
    return {name for kind in kinds for word in _PARTS[part] for name in (kind + word, word + kind)}


def _roles(path: Path, arrays: Mapping[str, Stored], group: str | None) -> dict[str, _Roles]:
    """Return, for each part, the keys of its `images`, `labels` and, where asked, `groups`."""
    kinds = {"images": _IMAGES, "labels": _LABELS} | ({"groups": (_plain(group),)} if group else {})
    roles: dict[str, _Roles] = {}
    for part in _PARTS:
        for role, words in kinds.items():
            found = [key for key in arrays if _plain(key) in _spellings(words, part)]
            if len(found) > 1:
                raise DataError(f"{path}: {' and '.join(found)} may both be {role}; keep one")
            if found:
                roles.setdefault(part, {})[role] = found[0]
    if roles.keys() > {""}:
        roles.pop("")  # What has no part beside what has one is something else.
    if not any("images" in keys for keys in roles.values()):
        raise DataError(f"{path}: holds {_listed(sorted(arrays))}; wanted are {_WANTED}")
    for part, keys in roles.items():
        for role in kinds:
            if role not in keys:
                missing = _name(role, part, next(iter(keys.values())), group)
                raise DataError(f"{path}: {missing} is missing; add it")
    return roles


def _refuse_missing_part(path: Path, roles: Mapping[str, _Roles]) -> None:
    for part, others in (("train", {"", "train"}), ("test", {"", "test", "validation"})):
        if not others & roles.keys():
            beside = next(iter(roles.values()))["images"]
            raise DataError(
                f"{path}: {_name('images', part, beside)} is missing; add it, or call the arrays x "
                "and y, from which a test part is taken"
            )


def _name(role: str, part: str, beside: str, group: str | None = None) -> str:
    """Return what an array that is missing would be called, in the style of one that is there."""
    if re.match("train|val|dev|test", beside, re.IGNORECASE):
        return f"{part}_{group if role == 'groups' else role}"
    kind = {"images": "x", "labels": "y"}.get(role, group)
    return f"{kind}_{part}" if part else str(kind)


def _part(
    part: str, keys: _Roles, arrays: Mapping[str, Stored], classes: list[str] | None
) -> ArrayPart:
    images = arrays[keys["images"]]
    labels = labels_of(arrays[keys["labels"]], images, classes)
    groups = None
    if "groups" in keys:
        groups = labels_of(arrays[keys["groups"]], images)
    names = [f"{keys['images']}[{row}]" for row in range(len(labels))]
    return ArrayPart(part, images, labels, names, groups)


def _class_names(path: Path, arrays: Mapping[str, Stored]) -> tuple[list[str] | None, str]:
    """Return the names of the classes and the key that they stand under, where they are given."""
    for key, array in arrays.items():
        if _plain(key) in _CLASSES and len(array.shape) == 1 and array.dtype.kind in "US":
            if array.shape[0] > _MOST_CLASSES:
                raise DataError(f"{array.where}: {array.shape[0]:,} classes; give fewer")
            names = texts_of(array.whole(), array.where)
            if len(set(names)) < len(names):
                raise DataError(f"{array.where}: two classes have one name; give each its own")
            return names, key
    return None, ""


def _listed(keys: Sequence[str]) -> str:
    return shortened(", ".join(keys), 200) or "nothing"


def array_of_npy(file: Path) -> Stored:
    """Return the array of a file that holds one."""
    if file.suffix.lower() == ".npz":
        arrays = list(arrays_of_archive(file).values())
        if len(arrays) != 1:
            raise DataError(f"{file}: {len(arrays)} arrays, and others beside it; name one file")
        return arrays[0]
    with open_file(file) as stream:
        length = stream.seek(0, os.SEEK_END)
    return stored_npy(str(file), length, partial(open_file, file))


def arrays_of_archive(path: Path) -> dict[str, Stored]:
    """Return the arrays of an npz whose header can be read; nothing is unpacked beyond it."""
    try:
        with open_file(path) as stream:
            refuse_endless_zip(stream, str(path))
            with zipfile.ZipFile(stream) as archive:
                members = [each for each in archive.infolist() if each.filename.endswith(".npy")]
    except (OSError, *DAMAGE) as error:
        raise DataError(f"{path}: not an npz, or damaged; get the file again") from error
    names = [member.filename.removesuffix(".npy") for member in members]
    wanted = dict(zip(names, members, strict=True))
    if len(wanted) < len(members):
        raise DataError(f"{path}: two arrays have one name; save it again")
    return {name: _of_member(path, name, member) for name, member in wanted.items()}


def _of_member(path: Path, name: str, member: zipfile.ZipInfo) -> Stored:
    where = f"{path}: {name}"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{where}: packed in a way that numpy does not; save it with numpy")
    refuse_bomb(where, member.compress_size, member.file_size)
    return stored_npy(where, member.file_size, partial(_opened_member, path, member))


@contextmanager
def _opened_member(path: Path, member: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
    with (
        open_file(path) as file,
        zipfile.ZipFile(file) as archive,
        archive.open(member) as stream,
    ):
        yield stream
