"""Random walk, geodesic matting and GrabCut: known answers and their own equations."""

from __future__ import annotations

import numpy as np
import pytest

from napari_iseg.classical.colours import ColourModel
from napari_iseg.classical.geodesic_matting import GeodesicMatting
from napari_iseg.classical.grab_cut import GrabCut
from napari_iseg.classical.random_walk import RandomWalk
from napari_iseg.classical.scene import Scene
from tests.classical.conftest import disc, drawn, iou, seeded, tiny_scene

# ---------------------------------------------------------------------- random walk


def test_a_walker_is_a_mean_of_its_neighbours():
    scene = tiny_scene(3, 6, 7)
    method = RandomWalk()

    found = method(scene).astype(float)

    image = scene.image.astype(float)
    scale = method.beta / (10 * image.std()) / np.sqrt(3)
    for row, column in zip(*np.nonzero(scene.seeds == 0), strict=True):
        means, total = 0.0, 0.0
        for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            r, c = row + down, column + right
            if 0 <= r < 6 and 0 <= c < 7:
                squared = np.square(image[row, column] - image[r, c]).sum()
                weight = np.exp(-scale * squared) + 1e-10
                means, total = means + weight * found[r, c], total + weight
        assert found[row, column] == pytest.approx(means / total, abs=1e-4)


def test_a_walker_finds_a_cell(cell):
    scene, mask = cell

    assert iou(RandomWalk()(scene) > 0.5, mask) > 0.9


def test_a_walk_in_small_is_nearly_the_walk_in_full(cell):
    scene, _ = cell

    coarse, fine = RandomWalk(exact=800)(scene), RandomWalk()(scene)

    assert coarse.shape == fine.shape
    assert iou(coarse > 0.5, fine > 0.5) > 0.9


def test_where_all_is_known_there_is_nothing_to_walk():
    mask = disc((9, 9), (4, 4), 2)
    scene = Scene(drawn(mask), np.where(mask, 1, -1).astype(np.int8))

    np.testing.assert_array_equal(RandomWalk()(scene) > 0.5, mask)


# ------------------------------------------------------------------ geodesic matting


def test_between_two_seeds_the_step_in_colours_is_the_border():
    image = np.zeros((1, 9, 3), np.float32)
    image[:, 6:] = 1  # much nearer to the second seed
    seeds = np.zeros((1, 9), np.int8)
    seeds[0, 0], seeds[0, 8] = 1, -1

    found = GeodesicMatting()(Scene(image, seeds))

    np.testing.assert_array_equal(found[0] > 0.5, np.arange(9) < 6)


def test_geodesic_matting_finds_a_cell(cell):
    scene, mask = cell

    assert iou(GeodesicMatting()(scene) > 0.5, mask) > 0.9


def test_an_equal_object_behind_the_background_is_not_reached(cell):
    mask = disc((48, 96), (24, 24), 12)
    twin = disc((48, 96), (24, 70), 12)
    scene = seeded(mask | twin, disc((48, 96), (24, 24), 3))

    found = GeodesicMatting()(scene) > 0.5

    assert iou(found, mask) > 0.85


# -------------------------------------------------------------------------- GrabCut


def test_grab_cut_finds_a_cell_and_says_the_same_twice(cell):
    scene, mask = cell

    found, again = GrabCut()(scene), GrabCut()(scene)

    assert iou(found > 0.5, mask) > 0.95
    np.testing.assert_array_equal(found, again)


def test_grab_cut_in_small_ends_in_full(cell):
    small, mask = cell
    mask = np.repeat(np.repeat(mask, 4, 0), 4, 1)
    seeds = np.repeat(np.repeat(small.seeds, 4, 0), 4, 1)
    image = np.repeat(np.repeat(small.image, 4, 0), 4, 1)

    found = GrabCut(exact=4_000)(Scene(image, seeds)) > 0.5

    assert iou(found, mask) > 0.95
    assert (found[seeds != 0] == (seeds[seeds != 0] > 0)).all()


def test_grab_cut_learns_a_second_colour_of_the_object():
    grid = (60, 60)
    mask = disc(grid, (30, 30), 20)
    scene = seeded(mask, disc(grid, (30, 22), 3))
    image = scene.image.copy()
    image[mask] = np.where(
        np.indices(grid)[1][mask][:, None] < 34, (0.9, 0.2, 0.2), 0.9
    )
    noise = np.random.default_rng(0).normal(0, 0.03, image.shape)

    found = GrabCut()(Scene((image + noise).clip(0, 1).astype(np.float32), scene.seeds))

    assert (found > 0.5)[30, 22]
    assert iou(found > 0.5, mask) > 0.5


def test_a_handful_of_pixels_is_too_little_to_learn_from():
    seeds = np.array([[1, -1], [-1, -1]], np.int8)
    scene = Scene(np.random.default_rng(0).random((2, 2, 3)).astype(np.float32), seeds)

    np.testing.assert_array_equal(GrabCut()(scene) > 0.5, seeds > 0)


# -------------------------------------------------------------------------- colours


def test_colours_of_the_object_speak_for_it_and_new_ones_for_nothing():
    image = np.zeros((1, 30, 3), np.float32)
    image[:, 10:20], image[:, 20:] = (0.5, 0.5, 0.5), (1, 0, 0)
    seeds = np.zeros((1, 30), np.int8)
    seeds[0, :10], seeds[0, 10:20] = 1, -1

    ratio = ColourModel().log_ratio(Scene(image, seeds))[0]

    assert (ratio[:10] > 3).all()
    assert (ratio[10:20] < -3).all()
    np.testing.assert_allclose(ratio[20:], 0, atol=0.01)


def test_a_density_has_mean_one():
    density = ColourModel().density(np.array([0, 5, 1000, 32_767]))

    assert density.mean() == pytest.approx(1)
    assert density.min() >= 0.05
