"""A JSON document of a run folder under a seal: read and written by one form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from bakeoff.errors import StoreError, UnreadableError
from bakeoff.files.place import Place
from bakeoff.files.reading import sealed, unsealed

Content = TypeVar("Content")


@dataclass(frozen=True)
class SealedFile(Generic[Content]):
    """What such a document is called, how large it may be, and what to do where it is damaged."""

    name: str
    form: TypeAdapter[Content]
    """All that it holds beside the seal."""
    most: int
    """Bytes."""
    mend: str
    nothing: Content
    """What is read where there is no such file yet."""

    def read(self, folder: Place) -> Content:
        """Return what was written; raise StoreError where it is damaged."""
        file = folder / self.name
        if not file.is_there():
            return self.nothing
        try:
            return self._content(file.read(self.most), file)
        except (UnreadableError, ValueError) as error:
            raise StoreError(f"{file}: damaged; {self.mend}") from error

    def write(self, folder: Place, content: Content) -> None:
        """Write it, if it can be read back; raise StoreError otherwise.

        Only for the holder of the lock that the file stands under.
        """
        file = folder / self.name
        try:
            document = sealed(self.form.dump_python(content, mode="json"))
            self._content(document, file)
        except ValidationError as error:
            place = ".".join(map(str, error.errors()[0]["loc"]))
            raise StoreError(f"{file}: not written: {place}: {error.errors()[0]['msg']}") from error
        except ValueError as error:
            raise StoreError(f"{file}: not written: {error}") from error
        if len(document) > self.most:
            raise StoreError(f"{file}: {len(document):,} bytes, at most {self.most:,} are read")
        file.remove_leftovers()
        file.write(document)

    def _content(self, document: bytes, file: Place) -> Content:
        found = unsealed(document, str(file))
        return self.form.validate_json(json.dumps(found), strict=True)
