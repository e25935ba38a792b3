"""Only the surroundings of the clicks are read, and every click is obeyed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_iseg import Click, Clicks, load_segmenter
from napari_iseg.classical.graph_cut import GraphCut
from napari_iseg.classical.regions import CONSTANT, Regional, RegionRules
from napari_iseg.intensities import ScaledImage
from napari_iseg.segmenter import Patch
from tests.classical.conftest import disc, drawn, iou

METHODS = (
    "graph-cut",
    "grab-cut",
    "random-walk",
    "geodesic-matting",
    "euclidean-star",
    "geodesic-star",
    "grow-cut",
)
GRID = (32, 40)
MASK = disc(GRID, (16, 20), 9)
IMAGE = (drawn(MASK) * 255).astype(np.uint8)


class Recorded:
    """A huge image with one ellipse, that exists only where it is read."""

    shape = (20_000, 30_000)
    dtype = np.dtype(np.uint16)

    def __init__(self, *, down: int, across: int) -> None:
        self.down, self.across = down, across
        self.read: list[int] = []

    def __getitem__(self, key):
        rows, columns = (np.arange(*part.indices(30_000)) for part in key)
        self.read.append(rows.size * columns.size)
        away = ((rows[:, None] - 9_000) / self.down) ** 2
        away = away + ((columns - 8_000) / self.across) ** 2
        noise = (rows[:, None] * 31 + columns * 17) % 97
        return (900 * (away < 1) + noise).astype(np.uint16)


@pytest.fixture(params=METHODS)
def name(request) -> str:
    return request.param


@settings(max_examples=12, deadline=None)
@given(
    items=st.lists(
        st.builds(Click, st.integers(0, 31), st.integers(0, 39), st.booleans()),
        min_size=1,
        max_size=6,
    )
)
@pytest.mark.parametrize("name_", METHODS)
def test_every_click_is_obeyed_and_the_answer_is_one_of_the_clicks_alone(
    name_: str, items: list[Click]
):
    clicks = Clicks(tuple({(c.row, c.column): c for c in items}.values()))
    predictor = load_segmenter(name_).prepare(IMAGE)

    probability = predictor.predict(clicks)

    if clicks.positive:
        for click in clicks:
            assert (probability[click.row, click.column] > 0.5) == click.is_positive
    else:
        assert not (probability > 0.5).any()
    fresh = load_segmenter(name_).prepare(IMAGE).predict(clicks)
    np.testing.assert_array_equal(probability, fresh)


def test_of_a_huge_image_only_the_surroundings_are_read(name: str):
    image = Recorded(down=25, across=25)
    predictor = load_segmenter(name).prepare(image)

    patch = predictor.predict_patch(Clicks.at([(9_000, 8_000)]))

    assert image.read == [513 * 513]
    assert patch.at(9_000, 8_000) > 0.5
    assert patch.mask().sum() == pytest.approx(np.pi * 25**2, rel=0.15)


@pytest.mark.parametrize(
    "name_", ["graph-cut", "grab-cut", "euclidean-star", "geodesic-star"]
)
def test_a_region_grows_until_the_object_fits(name_: str):
    segmenter = load_segmenter(name_)
    small = replace(segmenter, rules=RegionRules(margin=40))
    image = Recorded(down=16, across=90)

    patch = small.prepare(image).predict_patch(Clicks.at([(9_000, 8_000)]))

    assert len(image.read) > 1
    assert patch.mask().sum() == pytest.approx(np.pi * 16 * 90, rel=0.15)


def test_an_object_larger_than_a_region_is_seen_in_coarser_pixels():
    image = Recorded(down=100, across=700)
    predictor = load_segmenter("graph-cut").prepare(image)
    clicks = Clicks.at([(9_000, 8_000)], [(9_000, 8_702)])

    patch = predictor.predict_patch(clicks)

    assert patch.mask().sum() == pytest.approx(np.pi * 100 * 700, rel=0.03)
    assert patch.at(9_000, 8_000) > 0.5
    assert patch.at(9_000, 8_702) <= 0.5
    assert max(image.read) <= 640 * 640


def test_of_two_equal_objects_only_the_clicked_one_is_taken():
    one, other = disc(GRID, (16, 10), 6), disc(GRID, (16, 30), 6)
    image = (drawn(one | other) * 255).astype(np.uint8)

    found = load_segmenter("graph-cut").prepare(image).predict(Clicks.at([(16, 10)]))

    assert iou(found > 0.5, one) > 0.9


def test_accepted_objects_are_background_except_where_clicked():
    others = disc(GRID, (16, 28), 5)
    predictor = load_segmenter("graph-cut").prepare(IMAGE, others=others)

    found = predictor.predict(Clicks.at([(16, 14), (16, 25)])) > 0.5

    assert found[16, 25]
    assert (found & others).sum() == 1


def test_an_image_may_come_scaled_and_lazy(name: str):
    lazy = ScaledImage(da.from_array(IMAGE, chunks=(8, 8, 3)))
    clicks = Clicks.at([(16, 20)])

    found = load_segmenter(name).prepare(lazy).predict(clicks)

    plain = load_segmenter(name).prepare(IMAGE).predict(clicks)
    np.testing.assert_array_equal(found, plain)


def test_a_prior_may_come_as_a_patch():
    prior = MASK[4:28, 8:32].astype(np.float32)
    segmenter = load_segmenter("graph-cut")
    clicks = Clicks.at([(16, 20)])

    whole = segmenter.prepare(IMAGE, prior=MASK.astype(np.float32)).predict(clicks)
    patch = segmenter.prepare(IMAGE, prior=Patch(prior, (4, 8))).predict(clicks)

    np.testing.assert_array_equal(whole, patch)


def test_a_negative_click_corrects_a_prior_without_any_positive_one(name: str):
    prior = MASK | disc(GRID, (16, 33), 5) | np.zeros(GRID, bool)
    prior[14:19, 20:33] = True
    predictor = load_segmenter(name).prepare(IMAGE, prior=prior.astype(np.float32))

    found = predictor.predict(Clicks.at([], [(16, 34)])) > 0.5

    assert not found[16, 34]
    assert iou(found, MASK) > iou(prior, MASK)


def test_where_the_image_is_constant_it_says_so(name: str):
    predictor = load_segmenter(name).prepare(np.full(GRID, 7, np.uint8))

    patch = predictor.predict_patch(Clicks.at([(3, 3)]))

    assert not patch.mask().any()
    assert predictor.remark == CONSTANT


@pytest.mark.parametrize("grid", [(1, 2), (2, 2), (3, 3), (1, 40), (40, 2)])
def test_the_smallest_images_are_answered(name: str, grid: tuple[int, int]):
    image = np.arange(grid[0] * grid[1]).reshape(grid).astype(np.uint8)

    found = load_segmenter(name).prepare(image).predict(Clicks.at([(0, 0)])) > 0.5

    assert found[0, 0]


def test_there_is_one_answer_without_a_score(name: str):
    found = (
        load_segmenter(name).prepare(IMAGE).alternative_patches(Clicks.at([(16, 20)]))
    )

    assert [score for _, score in found] == [0.0]


def test_a_graphics_card_is_of_no_use(name: str):
    with pytest.raises(ValueError, match=r"not on 'cuda'; choose 'auto' or 'cpu'"):
        load_segmenter(name, device="cuda")


def test_a_prior_of_another_shape_is_refused(name: str):
    with pytest.raises(ValueError, match="prior must have the image's shape"):
        load_segmenter(name).prepare(IMAGE, prior=MASK[1:].astype(np.float32))


def test_no_network_is_loaded():
    code = (
        "import sys, numpy as np, napari_iseg as iseg\n"
        f"for name in {METHODS}:\n"
        "    predictor = iseg.load_segmenter(name).prepare(np.eye(9))\n"
        "    predictor.predict(iseg.Clicks.at([(2, 2)]))\n"
        "print('torch' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "False"


def test_the_region_is_a_function_of_the_clicks():
    first, later = (
        Clicks.at([(9_000, 8_000)]),
        Clicks.at([(9_000, 8_000), (8_990, 8_040)]),
    )
    segmenter = Regional(GraphCut(), rules=RegionRules(margin=40))
    image = Recorded(down=16, across=90)
    one, other = segmenter.prepare(image), segmenter.prepare(image)
    one.predict_patch(first)

    box = one.state(later).box

    assert box == other.state(later).box
    assert one.state(first).box.union(box) == box
