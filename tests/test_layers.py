"""The layers hold at run time, too, and the documents know every module."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import napari_iseg

ROOT = Path(__file__).parents[1]
PACKAGE = Path(napari_iseg.__file__).parent


def _loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(answer.stdout.split())


def test_using_a_network_needs_no_window():
    loaded = _loaded_by("import napari_iseg.refine.cells")

    assert "torch" in loaded
    assert not loaded & {"napari", "qtpy"}


@pytest.mark.parametrize(
    "page",
    ["docs/architecture.md", "docs/decisions/0001-one-package-enforced-layers.md"],
)
def test_every_module_has_its_place_in_the_documents(page: str):
    text = (ROOT / page).read_text(encoding="utf-8")
    modules = [path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__"]
    folders = [path.parent.name for path in PACKAGE.glob("*/__init__.py")]

    missing = [m for m in modules + folders if not re.search(rf"\b{m}\b", text)]

    assert missing == []
