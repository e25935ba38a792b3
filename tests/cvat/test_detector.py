"""Automatic annotation in CVAT: each cell comes as a mask and as a polygon."""

from __future__ import annotations

import base64
import io
import json
from contextlib import suppress
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from nuclio_sdk import Event
from nuclio_sdk.test import Platform
from PIL import Image
from skimage.draw import polygon2mask

from napari_iseg.cvat.detector import LABELS, Detector
from napari_iseg.cvat.polygons import outline
from napari_iseg.cvat.problems import (
    MalformedRequestError,
    RequestError,
    TooLargeRequestError,
)
from napari_iseg.cvat.settings import Settings

FOLDERS = Path(__file__).parents[2] / "cvat_functions"
FOLDER = FOLDERS / "watershed" / "nuclio"
CENTRES = [(20, 20), (20, 60), (64, 30), (70, 74)]


def cells(dtype=np.uint8, radius: int = 10) -> np.ndarray:
    rows, columns = np.ogrid[:90, :100]
    near = [(rows - r) ** 2 + (columns - c) ** 2 <= radius**2 for r, c in CENTRES]
    return (np.any(near, axis=0) * np.iinfo(dtype).max * 0.8).astype(dtype)


def body_of(pixels: np.ndarray, kind: str = "PNG") -> dict:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, kind)
    return {"image": base64.b64encode(content.getvalue()).decode()}


def drawn(annotation: dict, grid: tuple[int, int]) -> np.ndarray:
    """The mask that CVAT's server stores."""
    *pixels, left, top, right, bottom = annotation["mask"]
    mask = np.zeros(grid, bool)
    shape = bottom - top + 1, right - left + 1
    mask[top : bottom + 1, left : right + 1] = np.reshape(pixels, shape)
    return mask


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.from_environment({})


def asked(body, folder: Path = FOLDER) -> object:
    """The response of the folder's own main.py through nuclio's test platform."""
    spec = spec_from_file_location("its_main", folder / "main.py")
    main = module_from_spec(spec)
    spec.loader.exec_module(main)
    event = Event(body=body, content_type="application/json")
    platform = Platform()
    # The platform looks for init_context beside the handler.
    return platform.call_handler(main.handler, event)


@pytest.mark.parametrize(
    ("dtype", "kind"), [(np.uint8, "PNG"), (np.uint8, "JPEG"), (np.uint16, "TIFF")]
)
def test_each_cell_is_one_mask(detector: Detector, dtype, kind: str):
    image = cells(dtype)

    found = detector.answer(body_of(image, kind), {})

    assert len(found) == 4
    union = np.any([drawn(one, image.shape) for one in found], axis=0)
    assert np.mean(union == (image > 0)) > 0.98
    assert {one["label"] for one in found} == {"cell"}


def test_a_polygon_covers_what_its_mask_covers(detector: Detector):
    image = cells()

    for one in detector.answer(body_of(image), {}):
        mask = drawn(one, image.shape)
        corners = np.reshape(one["points"], (-1, 2))[:, ::-1] - 0.5
        inside = polygon2mask(image.shape, corners)
        assert (mask & inside).sum() / (mask | inside).sum() > 0.95


@pytest.mark.parametrize("mask", [[[1]], [[1, 1, 1]], [[1, 0], [0, 1]]])
def test_the_smallest_objects_have_an_outline(mask):
    points = outline(np.array(mask, bool), (5, 7))

    assert len(points) >= 6
    assert len(points) % 2 == 0
    assert min(points[::2]) >= 7
    assert min(points[1::2]) >= 5


def test_nothing_has_no_outline():
    assert outline(np.zeros((3, 3), bool)) == []


def test_an_empty_image_has_no_annotation(detector: Detector):
    remarks: dict = {}

    assert detector.answer(body_of(np.zeros((30, 40), np.uint8)), remarks) == []
    assert remarks == {"size": "40 x 30", "objects": 0}


def test_a_threshold_is_named_in_the_log_as_left_out(detector: Detector):
    remarks: dict = {}

    detector.answer({**body_of(cells()), "threshold": 0.4}, remarks)

    assert "no confidence" in remarks["threshold"]


def test_small_parts_are_left_out_where_asked():
    picky = Detector.from_environment({"ISEG_MIN_AREA": "400"})

    assert picky.answer(body_of(cells()), {}) == []


def test_a_method_that_needs_clicks_is_refused():
    with pytest.raises(
        ValueError, match=r"no method is called 'cells'; there are: .*wat"
    ):
        Detector.from_environment({"ISEG_METHOD": "cells"})


def test_what_is_no_request_is_refused(detector: Detector):
    with pytest.raises(MalformedRequestError, match="image must be an image file"):
        detector.answer({}, {})
    with pytest.raises(MalformedRequestError, match="threshold must"):
        detector.answer({**body_of(cells()), "threshold": "high"}, {})
    small = Detector(detector.segmenter, Settings(most_pixels=100))
    with pytest.raises(TooLargeRequestError):
        small.answer(body_of(cells()), {})


def test_the_folder_answers_json_through_nuclios_platform():
    response = asked(body_of(cells()))

    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert len(json.loads(response.body)) == 4


@settings(max_examples=40, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
        max_leaves=8,
    )
    | st.fixed_dictionaries({"image": st.text() | st.binary().map(base64.b64encode)})
)
def test_whatever_is_asked_is_answered_or_refused(detector: Detector, body):
    with suppress(RequestError):  # becomes 400 or 413
        assert isinstance(detector.answer(body, {}), list)


pictures = arrays(
    st.sampled_from([np.uint8, np.uint16]),
    array_shapes(min_dims=2, max_dims=2, max_side=24),
    elements=st.sampled_from([0, 20, 200]),
)


@settings(deadline=None)
@given(pictures, st.none() | st.floats(0, 1))
def test_whatever_is_shown_comes_back_as_cvat_reads_it(
    detector: Detector, image: np.ndarray, threshold: float | None
):
    found = detector.answer({**body_of(image), "threshold": threshold}, {})

    for one in json.loads(json.dumps(found, allow_nan=False)):
        assert (one["label"], one["type"]) == ("cell", "mask")
        assert drawn(one, image.shape).any()
        assert len(one["points"]) >= 6
        assert len(one["points"]) % 2 == 0
        across, down = one["points"][::2], one["points"][1::2]
        assert 0 <= min(across) <= max(across) <= image.shape[1]
        assert 0 <= min(down) <= max(down) <= image.shape[0]


def test_the_network_s_folder_answers_through_nuclios_platform(monkeypatch):
    """Given the environment of its yaml, when an image is sent,
    then a U-Net has looked at it."""
    config = yaml.safe_load((FOLDERS / "unet-brs/nuclio/function.yaml").read_text())
    for one in config["spec"]["env"]:
        monkeypatch.setenv(one["name"], one["value"])

    response = asked(body_of(cells()), FOLDERS / "unet-brs" / "nuclio")

    assert response.status_code == 200
    assert isinstance(json.loads(response.body), list)


@pytest.mark.parametrize(
    "file",
    [
        "watershed/nuclio/function.yaml",
        "unet-brs/nuclio/function.yaml",
        "unet-brs/nuclio/function-gpu.yaml",
    ],
)
def test_the_yaml_names_the_labels_of_the_code(file: str):
    config = yaml.safe_load((FOLDERS / file).read_text())

    spec = json.loads(config["metadata"]["annotations"]["spec"])

    assert [(one["id"], one["name"]) for one in spec] == [
        (label.id, label.name) for label in LABELS
    ]
    assert all(one["type"] == "mask" for one in spec)
