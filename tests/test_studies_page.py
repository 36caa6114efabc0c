"""The page of keys is what the types say."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def test_docs_studies_is_written_from_the_types() -> None:
    spec = spec_from_file_location("docs_studies", DOCS / "studies.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / "studies.md").read_text(encoding="utf-8") == module.page(), (
        "run: python docs/studies.py"
    )
