"""The public names: all there, and light to import."""

from __future__ import annotations

import subprocess
import sys

import pytest

import napari_iseg as iseg

BASE_MODULES = {"arrays", "clicks", "history", "segmenter", "session"}
NETWORKS_AND_WINDOWS = {
    "cv2",
    "dask",
    "napari",
    "nuclio_sdk",
    "pooch",
    "PyQt6",
    "qtpy",
    "scipy",
    "skimage",
    "tifffile",
    "torch",
    "torchvision",
}


@pytest.mark.parametrize("name", iseg.__all__)
def test_every_public_name_is_there(name: str):
    value = getattr(iseg, name)

    assert value is not None
    assert name in dir(iseg)


def test_the_version_is_that_of_the_installed_package():
    version = iseg.__version__

    assert version[0].isdigit()


def test_a_name_that_is_not_there_is_said_so():
    with pytest.raises(AttributeError, match="no attribute 'load_segmentor'"):
        _ = iseg.load_segmentor


def test_importing_the_package_imports_nothing_but_itself():
    loaded = _loaded_after("import napari_iseg")

    assert {name for name in loaded if name.startswith("napari_iseg.")} == set()
    assert not loaded & ({"numpy"} | NETWORKS_AND_WINDOWS)


def test_a_whole_session_needs_numpy_only():
    loaded = _loaded_after(
        "import napari_iseg as iseg; s = iseg.Session((9, 9)); "
        "s.click(iseg.Click(1, 1)); s.labels(); iseg.ENTRIES; iseg.__version__"
    )

    assert {f"napari_iseg.{name}" for name in BASE_MODULES} <= loaded
    assert not loaded & NETWORKS_AND_WINDOWS


def _loaded_after(statement: str) -> set[str]:
    return set(_run(f"import sys; {statement}; print(*sys.modules)").split())


def _run(code: str) -> str:
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return answer.stdout
