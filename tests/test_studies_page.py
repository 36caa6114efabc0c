"""The page of keys is what the types say."""

from __future__ import annotations

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from bakeoff.study.toml import read_study

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


def test_the_study_on_the_page_is_one(tmp_path: Path) -> None:
    (written,) = re.findall(r"```toml\n(.*?)```", (DOCS / "studies.md").read_text(), re.DOTALL)
    (tmp_path / "width.toml").write_text(written)
    study = read_study(tmp_path / "width.toml")
    assert [each.name for each in study.entrants] == ["plain", "dropout"]
    assert {each.recipe.epochs for each in study.entrants} == {3}
