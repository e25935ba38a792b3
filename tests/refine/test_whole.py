"""A network that is shown the whole image, whatever its size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_iseg.clicks import Click, Clicks
from napari_iseg.refine.whole import MULTIPLE, Whole, window_on
from napari_iseg.windows import Window
from tests.refine.test_windowed import Brightness, iou, squares

CLICKS = Clicks.at(positive=[(400, 350)]).adding(Click(120, 220, is_positive=False))
LARGE = np.zeros((600, 600), bool)
LARGE[300:500, 250:450] = True


class Noting(Brightness):
    """Remembers which sizes it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.sides: list[int] = []

    def look(self, image):
        self.sides.append(image.shape[1])
        return super().look(image)


@given(
    grid=st.tuples(st.integers(1, 1000), st.integers(1, 1000)),
    longest=st.integers(16, 512),
)
def test_the_window_holds_the_image_and_is_no_larger_than_allowed(grid, longest):
    window = window_on(grid, longest)
    box = window.box

    assert box.top <= 0
    assert box.left <= 0
    assert box.bottom >= grid[0]
    assert box.right >= grid[1]
    assert window.side % MULTIPLE == 0
    assert window.side < min(max(grid), longest) + MULTIPLE


def test_a_small_image_is_shown_in_its_own_pixels():
    assert window_on((100, 75), 480) == Window(-6, -18, 112, 112)


def test_the_image_is_looked_at_once_for_all_clicks():
    model = Noting()
    predictor = Whole(model, longest=320).prepare(squares())

    patch = predictor.predict_patch(CLICKS)

    assert model.sides == [320]
    assert patch.probability.shape == (600, 600)
    assert iou(patch, LARGE) > 0.95
    assert patch.at(120, 220) < 0.5


def test_the_answer_is_a_function_of_the_clicks_alone():
    used, fresh = (Whole(Brightness()).prepare(squares()) for _ in range(2))
    used.predict(CLICKS.prefix(1))

    np.testing.assert_array_equal(used.predict(CLICKS), fresh.predict(CLICKS))


def test_a_constant_image_gives_an_empty_mask_and_a_sentence():
    predictor = Whole(Brightness()).prepare(np.full((90, 70), 7, np.uint8))

    assert not (predictor.predict(Clicks.at([(3, 3)])) > 0.5).any()
    assert "constant" in str(predictor.remark)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="others must have the image's shape"):
        Whole(Brightness()).prepare(squares(), others=np.zeros((5, 5), bool))
