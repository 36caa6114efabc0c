"""The short version of benchmarks/mutate_files.py, and that it would notice a careless reader."""

from __future__ import annotations

import json
import random
from pathlib import Path

from bakeoff.errors import DataError
from benchmarks import mutate_files
from benchmarks.damaged_files import Kind


def test_500_damaged_files_are_refused_by_name_or_read_as_written(tmp_path: Path) -> None:
    tallies = list(mutate_files.tallies(tmp_path, 500, seed=1))
    assert sum(tally.mutations for tally in tallies) == 500
    for tally in tallies:
        assert tally.tracebacks == []
        assert tally.wrong == []
        assert tally.refused + tally.same == tally.mutations > 0


def test_every_mutation_changes_the_file() -> None:
    rng = random.Random(0)  # noqa: S311
    found = {mutate_files.damaged(b'{"a": 1}\n{"b": 2}\n', rng) for _ in range(2000)}
    assert {name for name, _ in found} == {
        mutation.__name__.lstrip("_") for mutation in mutate_files.MUTATIONS
    }
    assert b'{"a": 1}\n{"b": 2}\n' not in {content for _, content in found}


def test_a_careless_reader_would_be_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"value": 12345678, "other": [1, 2, 3, 4, 5, 6, 7, 8]}')
    careless = mutate_files.mutate(Kind("a", file, lambda: json.loads(file.read_text())), 200, 0)
    assert careless.wrong
    assert any("JSONDecodeError" in text for text in careless.tracebacks)
    assert (
        careless.mutations
        == 200
        == (careless.refused + careless.same + len(careless.wrong) + len(careless.tracebacks))
    )


def test_a_refusal_that_names_no_file_would_be_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"sound")

    def read() -> bytes:
        if file.read_bytes() != b"sound":
            raise DataError("something is damaged")
        return b"sound"

    tally = mutate_files.mutate(Kind("a", file, read), 5, 0)
    assert len(tally.tracebacks) == 5
    assert file.read_bytes() == b"sound"
