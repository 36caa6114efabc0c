"""A column of texts that repeat: each different text once, and a number for each row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Names:
    """Texts, int32 [rows] numbers into the different `values`."""

    codes: NDArray[np.int32]
    values: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Names:
        """Return the column of these texts."""
        known: dict[str, int] = {}
        codes = [known.setdefault(text, len(known)) for text in texts]
        return cls(np.array(codes, np.int32), tuple(known))

    @classmethod
    def constant(cls, text: str, rows: int) -> Names:
        """Return one text for all rows."""
        return cls(np.zeros(rows, np.int32), (text,))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, row: int) -> str:
        return self.values[int(self.codes[row])]

    def mapped(self, change: Callable[[str], str]) -> Names:
        """Return the column with `change` made to each text; equal ones become one."""
        changed = tuple(map(change, self.values))
        if changed == self.values:
            return self
        other = Names.of(changed)
        return Names(other.codes[self.codes], other.values)

    def some(self, rows: NDArray[np.integer]) -> Names:
        """Return these rows, without values that none of them has."""
        used, codes = np.unique(self.codes[rows], return_inverse=True)
        # In the order of first appearance, as people know it from the file.
        first = np.full(len(used), len(codes), np.int64)
        np.minimum.at(first, codes, np.arange(len(codes)))
        order = np.argsort(first, kind="stable")
        place = np.empty(len(used), np.int32)
        place[order] = np.arange(len(used), dtype=np.int32)
        return Names(place[codes], tuple(self.values[used[at]] for at in order.tolist()))

    def numbers_in(self, known: Sequence[str]) -> NDArray[np.int64]:
        """Return the place of each row's text in `known`, or -1."""
        place = {text: at for at, text in enumerate(known)}
        found = np.array([place.get(value, -1) for value in self.values], np.int64)
        return found[self.codes] if len(found) else np.zeros(0, np.int64)
