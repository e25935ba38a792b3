"""Robot users click where a person who knows the truth would: laws for all of them."""

from __future__ import annotations

import pickle
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_iseg import Click, Clicks
from training.robots import ROBOTS, RobotUser, depth_of, exact_distance

GRID = (9, 11)
masks = arrays(bool, GRID)
pixels = st.tuples(st.integers(0, GRID[0] - 1), st.integers(0, GRID[1] - 1))
histories = st.builds(
    Clicks.at,
    positive=st.lists(pixels, max_size=3),
    negative=st.lists(pixels, max_size=3),
)
seeds = st.integers(0, 99)
every_robot = pytest.mark.parametrize("robot", ROBOTS.values(), ids=list(ROBOTS))
a_few = settings(max_examples=30, deadline=None)

Array = np.ndarray


def unclicked(mask: Array, clicks: Clicks) -> Array:
    return mask & ~np.isin(
        np.arange(mask.size).reshape(mask.shape),
        [c.row * mask.shape[1] + c.column for c in clicks],
    )


@every_robot
class TestEveryRobot:
    @a_few
    @given(truth=masks, predicted=masks, ignored=masks, clicks=histories, seed=seeds)
    def test_clicks_a_new_pixel_that_counts_and_stops_when_no_wrong_one_is_left(
        self,
        robot: RobotUser,
        truth: Array,
        predicted: Array,
        ignored: Array,
        clicks: Clicks,
        seed: int,
    ) -> None:
        rng = np.random.default_rng(seed)

        click = robot.next_click(truth, predicted, clicks, rng, ignored)

        left = unclicked((truth != predicted) & ~ignored, clicks)
        assert (click is None) == (not left.any())
        if click is not None:
            Clicks((click,)).check_inside(GRID)
            assert not ignored[click.row, click.column]
            assert (click.row, click.column) not in {(c.row, c.column) for c in clicks}

    @a_few
    @given(truth=masks, predicted=masks, ignored=masks, clicks=histories, seed=seeds)
    def test_clicks_alike_for_the_same_seed_wherever_the_masks_lie_in_memory(
        self,
        robot: RobotUser,
        truth: Array,
        predicted: Array,
        ignored: Array,
        clicks: Clicks,
        seed: int,
    ) -> None:
        there = [
            np.pad(m, seed % 5)[seed % 5 :, seed % 5 :][: GRID[0], : GRID[1]]
            for m in (truth, predicted, ignored)
        ]

        one = robot.next_click(
            truth, predicted, clicks, np.random.default_rng(seed), ignored
        )
        other = robot.next_click(
            there[0], there[1], clicks, np.random.default_rng(seed), there[2]
        )

        assert one == other

    @a_few
    @given(a=masks, b=masks, ignored=masks, noise=masks, seed=seeds)
    def test_does_not_look_at_ignored_pixels(
        self,
        robot: RobotUser,
        a: Array,
        b: Array,
        ignored: Array,
        noise: Array,
        seed: int,
    ) -> None:
        clean = [mask & ~ignored for mask in (a, b)]
        noisy = [mask | (ignored & noise) for mask in clean]

        answers = [
            robot.next_click(
                truth, predicted, Clicks(), np.random.default_rng(seed), ignored
            )
            for truth, predicted in [clean, noisy, noisy[::-1], clean[::-1]]
        ]

        assert answers[0] == answers[1]
        assert answers[2] == answers[3]

    @a_few
    @given(truth=masks, predicted=masks, clicks=histories, seed=seeds)
    def test_leaves_its_arguments_alone(
        self,
        robot: RobotUser,
        truth: Array,
        predicted: Array,
        clicks: Clicks,
        seed: int,
    ) -> None:
        for mask in (truth, predicted):
            mask.flags.writeable = False

        robot.next_click(
            truth, predicted, clicks, np.random.default_rng(seed), truth & predicted
        )

    def test_is_content_with_a_perfect_mask(self, robot: RobotUser) -> None:
        truth = np.eye(9, dtype=bool)

        click = robot.next_click(truth, truth, Clicks(), np.random.default_rng(0))

        assert click is None

    def test_clicks_all_that_is_wrong_once_if_nobody_listens(
        self, robot: RobotUser
    ) -> None:
        truth, predicted = np.zeros((6, 7), bool), np.zeros((6, 7), bool)
        truth[:3, :4], predicted[2:, 3:] = True, True
        rng, clicks = np.random.default_rng(0), Clicks()

        for _ in range(60):
            click = robot.next_click(truth, predicted, clicks, rng)
            if click is None:
                break
            clicks = clicks.adding(click)

        places = [(c.row, c.column) for c in clicks]
        assert len(places) == len(set(places))
        assert {tuple(p) for p in np.argwhere(truth != predicted)} <= set(places)

    def test_can_be_sent_to_another_process(self, robot: RobotUser) -> None:
        assert pickle.loads(pickle.dumps(robot)) == robot

    def test_takes_a_few_milliseconds(self, robot: RobotUser) -> None:
        rows, columns = np.indices((512, 512))
        truth = (rows - 250) ** 2 + (columns - 250) ** 2 < 180**2
        predicted = (rows - 270) ** 2 + (columns - 240) ** 2 < 170**2

        spent = []
        for seed in range(5):
            began = time.process_time()
            robot.next_click(truth, predicted, Clicks(), np.random.default_rng(seed))
            spent.append(time.process_time() - began)

        assert np.median(spent) < 0.03  # 2 to 5 ms on an idle core


@pytest.mark.parametrize("robot", [n for n in ROBOTS if n != "human"])
@a_few
@given(truth=masks, predicted=masks, ignored=masks, clicks=histories, seed=seeds)
def test_every_robot_but_the_human_clicks_a_wrong_pixel_with_its_true_sign(
    robot: str,
    truth: Array,
    predicted: Array,
    ignored: Array,
    clicks: Clicks,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)

    click = ROBOTS[robot].next_click(truth, predicted, clicks, rng, ignored)

    if isinstance(click, Click):
        assert predicted[click.row, click.column] != click.is_positive
        assert truth[click.row, click.column] == click.is_positive


@given(errors=masks)
def test_depth_is_the_exact_distance_and_the_image_s_border_is_a_border(
    errors: Array,
) -> None:
    expected = ndimage.distance_transform_edt(np.pad(errors, 1))[1:-1, 1:-1]

    np.testing.assert_allclose(depth_of(errors, Clicks()), expected, rtol=1e-6)


def test_equal_depths_are_equal_wherever_they_lie() -> None:
    rows, columns = np.indices((300, 300))
    mask = ((rows - 97) ** 2 + (columns - 97) ** 2 < 81**2) | (
        (rows - 222) ** 2 + (columns - 209) ** 2 < 70**2
    )

    squares = exact_distance(mask).astype(float) ** 2

    np.testing.assert_array_equal(exact_distance(mask), exact_distance(mask.T).T)
    np.testing.assert_allclose(squares, np.rint(squares), atol=2e-3)
    assert len(np.unique(exact_distance(mask))) == len(np.unique(np.rint(squares)))


def test_a_distance_is_exact_even_across_a_slide() -> None:
    mask = np.ones((3, 4100), bool)
    mask[:, 0] = False

    distance = exact_distance(mask)

    np.testing.assert_array_equal(distance, np.arange(4100)[None].repeat(3, axis=0))
