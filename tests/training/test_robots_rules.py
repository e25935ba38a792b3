"""What makes each robot another robot, on masks drawn for it."""

from __future__ import annotations

import numpy as np
import pytest

from napari_iseg import Click, Clicks
from training.robots import ROBOTS

GRID = (60, 70)
Array = np.ndarray
Corners = tuple[int, int, int, int]  # top, left, bottom, right; the last two excluded


def drawn(*rectangles: Corners, grid: tuple[int, int] = GRID) -> Array:
    mask = np.zeros(grid, bool)
    for top, left, bottom, right in rectangles:
        mask[top:bottom, left:right] = True
    return mask


NOTHING = drawn()


def asked(
    robot: str,
    truth: Array,
    predicted: Array = NOTHING,
    clicks: Clicks | None = None,
    ignored: Array | None = None,
    seed: int = 0,
) -> Click | None:
    rng = np.random.default_rng(seed)
    return ROBOTS[robot].next_click(truth, predicted, clicks or Clicks(), rng, ignored)


def negative(row: int, column: int) -> Click:
    return Click(row, column, is_positive=False)


# One picture, five opinions. Missing: a square of 11 x 11 and a strip of 15 x 7 that
# touches a surplus strip of 15 x 8. Surplus besides: a square of 9 x 9 and a bar of
# 3 x 61. So the deepest error is the missing square, most wrong pixels are surplus, the
# largest part of one kind is the bar, and the largest part of both kinds together are
# the touching strips: a square of 15 x 15.
MISSING = drawn((2, 2, 13, 13), (20, 2, 35, 9))
SURPLUS = drawn((2, 20, 11, 29), (20, 9, 35, 17), (45, 4, 48, 65))


@pytest.mark.parametrize(
    ("robot", "click"),
    [
        ("ritm", Click(7, 7)),  # the middle of the missing square
        ("brs-code", Click(7, 7)),
        ("brs-paper", negative(6, 24)),  # the middle of the surplus square
        ("fctsfn", negative(46, 5)),  # the first of the deepest pixels of the bar
        ("ris-net", negative(46, 34)),  # the middle of the bar
        ("itis", negative(27, 9)),  # the middle of both strips, in the surplus one
    ],
)
def test_on_one_picture_every_robot_has_its_own_opinion(
    robot: str, click: Click
) -> None:
    assert asked(robot, truth=MISSING, predicted=SURPLUS) == click


class TestRitm:
    def test_begins_in_the_middle_of_the_thickest_part(self) -> None:
        truth = drawn((14, 2, 16, 40), (8, 40, 23, 55))

        assert asked("ritm", truth) == Click(15, 47)

    @pytest.mark.parametrize("robot", ["ritm", "brs-code"])
    def test_of_equally_deep_errors_clicks_the_surplus_one(self, robot: str) -> None:
        missing, surplus = drawn((2, 2, 7, 7)), drawn((2, 12, 7, 17))

        assert asked(robot, missing, surplus) == negative(4, 14)

    def test_of_equally_deep_pixels_clicks_the_first(self) -> None:
        truth = drawn((20, 30, 25, 35), (20, 3, 25, 8), (40, 1, 45, 6))

        assert asked("ritm", truth) == Click(22, 5)

    def test_clicks_next_to_an_earlier_click_that_did_not_help(self) -> None:
        truth = drawn((0, 0, 21, 21))

        assert asked("ritm", truth, clicks=Clicks.at([(10, 10)])) == Click(9, 9)

    def test_the_image_s_border_is_a_border(self) -> None:
        assert asked("ritm", drawn((0, 0, 5, 5))) == Click(2, 2)

    def test_what_is_ignored_borders_an_error_too(self) -> None:
        truth, ignored = drawn((10, 10, 15, 30)), drawn((10, 15, 15, 30))

        assert asked("ritm", truth, ignored=ignored) == Click(12, 12)


class TestBrsAsWritten:
    def test_of_equally_frequent_errors_clicks_what_is_missing(self) -> None:
        missing, surplus = drawn((2, 2, 4, 10)), drawn((10, 10, 14, 14))

        click = asked("brs-paper", missing, surplus)

        assert click == Click(2, 2)

    def test_turns_to_the_other_kind_when_the_first_is_all_clicked(self) -> None:
        missing, surplus = drawn((2, 2, 3, 4)), drawn((10, 10, 11, 11))
        clicks = Clicks.at([(2, 2), (2, 3)])

        assert asked("brs-paper", missing, surplus, clicks) == negative(10, 10)


class TestRisNet:
    def test_begins_at_the_centre_of_the_whole_object(self) -> None:
        truth = drawn((10, 10, 21, 21), (10, 42, 21, 53), (14, 28, 17, 35))

        assert asked("ris-net", truth) == Click(15, 31)
        assert asked("fctsfn", truth) == Click(15, 15)

    def test_the_centre_of_a_ring_is_a_pixel_of_the_ring(self) -> None:
        truth = drawn((10, 10, 31, 31)) & ~drawn((13, 13, 28, 28))

        assert asked("ris-net", truth) == Click(12, 20)

    def test_corrects_a_mask_that_it_starts_from(self) -> None:
        truth, start = drawn((10, 10, 20, 40)), drawn((10, 10, 20, 31))

        assert asked("ris-net", truth, start) == Click(14, 35)

    def test_an_object_hidden_by_void_pixels_has_no_centre(self) -> None:
        truth = drawn((10, 10, 20, 20))

        assert asked("ris-net", truth, ignored=truth) is None


class TestFctsfn:
    def test_of_equally_large_parts_clicks_the_missing_one(self) -> None:
        missing, surplus = drawn((20, 20, 23, 23)), drawn((2, 2, 5, 5))

        assert asked("fctsfn", missing, surplus) == Click(21, 21)

    def test_of_equally_large_missing_parts_clicks_the_first(self) -> None:
        truth = drawn((21, 2, 24, 5), (20, 30, 23, 33))

        assert asked("fctsfn", truth) == Click(21, 31)

    def test_parts_that_touch_at_a_corner_are_one(self) -> None:
        corners, alone = drawn((0, 0, 5, 5), (5, 5, 10, 10)), drawn((20, 20, 26, 26))

        assert asked("fctsfn", corners | alone) == Click(2, 2)

    def test_a_part_whose_pixels_are_all_clicked_is_left(self) -> None:
        truth = drawn((5, 5, 6, 7), (20, 20, 21, 21))
        clicks = Clicks.at([(5, 5), (5, 6)])

        assert asked("fctsfn", truth, clicks=clicks) == Click(20, 20)


class TestItis:
    def test_keeps_away_from_an_earlier_click_in_the_cluster(self) -> None:
        truth = drawn((10, 10, 31, 31))  # 21 x 21, clicked in its middle
        clicks = Clicks.at([(20, 20)])

        found = {asked("itis", truth, clicks=clicks, seed=s) for s in range(200)}

        # a twelfth each: as far from the click as from the border, 6 pixels
        near_a_corner = [(15, 15), (15, 16), (16, 15)]
        places = {
            (r if up else 40 - r, c if left else 40 - c)
            for r, c in near_a_corner
            for up in (True, False)
            for left in (True, False)
        }
        assert found == {Click(*place) for place in places}

    def test_does_not_click_on_the_border_of_the_image(self) -> None:
        assert asked("itis", drawn((0, 0, 6, 6))) == Click(3, 3)
        assert asked("ritm", drawn((0, 0, 6, 6))) == Click(2, 2)

    def test_clicks_on_the_border_if_nothing_else_is_wrong(self) -> None:
        assert asked("itis", drawn((0, 10, 1, 11))) == Click(0, 10)

    def test_a_small_cluster_inside_goes_before_a_large_one_on_the_border(self) -> None:
        truth = drawn((0, 0, 1, 60), (30, 30, 31, 31))

        assert asked("itis", truth) == Click(30, 30)

    def test_earlier_clicks_do_not_divide_a_cluster_but_do_not_count_in_it(
        self,
    ) -> None:
        row, square = drawn((5, 1, 6, 11)), drawn((20, 20, 23, 23))  # 10 and 9 pixels
        clicks = Clicks.at([(5, 5), (5, 7)])

        assert asked("itis", row | square).row == 5  # type: ignore[union-attr]
        assert asked("itis", row | square, clicks=clicks) == Click(21, 21)

    def test_the_sign_is_the_truth_s_at_the_clicked_pixel(self) -> None:
        missing, surplus = drawn((10, 10, 21, 16)), drawn((10, 16, 21, 21))

        assert asked("itis", missing, surplus) == Click(15, 15)
        assert asked("itis", surplus, missing) == negative(15, 15)

    def test_cluster_sampling_draws_a_cluster_by_size_and_clicks_its_centre(
        self,
    ) -> None:
        truth = drawn((10, 10, 25, 25), (40, 40, 45, 45))  # 225 and 25 pixels

        found = [asked("itis-cluster-sample", truth, seed=s) for s in range(400)]

        assert set(found) == {Click(17, 17), Click(42, 42)}
        assert found.count(Click(42, 42)) == pytest.approx(40, abs=20)

    def test_random_sampling_clicks_any_wrong_pixel_as_often(self) -> None:
        missing, surplus = drawn((10, 10, 11, 13)), drawn((40, 40, 41, 41))

        found = [asked("itis-random", missing, surplus, seed=s) for s in range(400)]

        wrong = [Click(10, 10), Click(10, 11), Click(10, 12), negative(40, 40)]
        assert [found.count(click) for click in wrong] == pytest.approx(
            [100] * 4, abs=40
        )


class TestLatentDiversity:
    def test_clicks_in_proportion_to_the_distance_to_the_boundary(self) -> None:
        truth = drawn((10, 10, 13, 13))  # depths 1, and 2 in the middle: sum 10

        found = [asked("latent-diversity", truth, seed=s) for s in range(1000)]

        assert len(set(found)) == 9
        assert found.count(Click(11, 11)) == pytest.approx(200, abs=50)
        assert found.count(Click(10, 10)) == pytest.approx(100, abs=40)

    def test_missing_and_surplus_pixels_have_no_boundary_between_them(self) -> None:
        missing, surplus = drawn((10, 10, 13, 11)), drawn((10, 11, 13, 13))

        found = [
            asked("latent-diversity", missing, surplus, seed=s) for s in range(500)
        ]

        assert found.count(negative(11, 11)) == pytest.approx(100, abs=35)


class TestHasty:
    def test_stays_in_the_deeper_half_of_the_deepest_error(self) -> None:
        missing, surplus = drawn((10, 10, 21, 21)), drawn((40, 40, 43, 60))

        found = {asked("hasty", missing, surplus, seed=s) for s in range(300)}

        # depth 6 in the middle of 11 x 11; more than 3 are the inner 5 x 5
        inner = np.argwhere(drawn((13, 13, 18, 18)))
        assert found == {Click(int(row), int(column)) for row, column in inner}
