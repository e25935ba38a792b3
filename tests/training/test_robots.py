"""Robot users click where a person who knows the truth would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_iseg import Click, Clicks
from training.robots import ROBOTS, Ritm, RobotUser, depth_of

masks = arrays(bool, (12, 15))


@pytest.mark.parametrize("robot", ROBOTS.values(), ids=list(ROBOTS))
class TestEveryRobot:
    @given(truth=masks, predicted=masks, ignored=masks, seed=st.integers(0, 99))
    def test_clicks_a_wrong_pixel_with_its_true_sign(
        self,
        robot: RobotUser,
        truth: np.ndarray,
        predicted: np.ndarray,
        ignored: np.ndarray,
        seed: int,
    ) -> None:
        rng = np.random.default_rng(seed)

        click = robot.next_click(truth, predicted, Clicks(), rng, ignored)

        wrong = (truth != predicted) & ~ignored
        if click is None:
            assert not wrong.any()
        else:
            assert wrong[click.row, click.column]
            assert truth[click.row, click.column] == click.is_positive

    def test_is_content_with_a_perfect_mask(self, robot: RobotUser) -> None:
        truth = np.eye(9, dtype=bool)

        assert (
            robot.next_click(truth, truth, Clicks(), np.random.default_rng(0)) is None
        )

    def test_never_clicks_a_pixel_twice(self, robot: RobotUser) -> None:
        truth, empty = np.zeros((7, 7), bool), np.zeros((7, 7), bool)
        truth[3, 3] = True
        clicked = Clicks.at(positive=[(3, 3)])

        again = robot.next_click(truth, empty, clicked, np.random.default_rng(0))

        assert again is None


def test_the_first_click_is_the_middle_of_the_thickest_part() -> None:
    truth = np.zeros((30, 60), bool)
    truth[14:16, 2:40] = True
    truth[8:23, 40:55] = True

    click = Ritm().next_click(truth, np.zeros_like(truth), Clicks(), None)  # type: ignore[arg-type]

    assert click == Click(15, 47)


def test_of_equally_deep_errors_the_surplus_is_clicked_first() -> None:
    truth, predicted = np.zeros((9, 20), bool), np.zeros((9, 20), bool)
    truth[2:7, 2:7] = True
    predicted[2:7, 12:17] = True

    click = Ritm().next_click(truth, predicted, Clicks(), None)  # type: ignore[arg-type]

    assert click == Click(4, 14, is_positive=False)


@given(errors=masks)
def test_depth_is_the_exact_distance_and_the_image_s_border_is_a_border(
    errors: np.ndarray,
) -> None:
    padded = np.pad(errors, 1)
    expected = ndimage.distance_transform_edt(padded)[1:-1, 1:-1]

    np.testing.assert_allclose(depth_of(errors, Clicks()), expected, atol=1e-5)
