"""Cuts are the best of all labellings, and stars are really stars."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_iseg.classical.banded_cut import BandedCut, Energy, closed, whole_cut
from napari_iseg.classical.euclidean_star import Rays
from napari_iseg.classical.geodesic_star import Geodesics
from napari_iseg.classical.graph_cut import GraphCut, contrast_weights
from napari_iseg.classical.min_cut import Links, minimum_cut
from napari_iseg.classical.scene import Scene
from napari_iseg.classical.star_cut import StarCut
from tests.classical.brute_force import cost_of, costs, neighbours
from tests.classical.conftest import disc, drawn, iou, tiny_scene

STARS = {"euclidean": Rays(), "geodesic": Geodesics()}


def weights_by_hand(scene: Scene, boundary: float) -> dict[tuple[int, int], float]:
    """Eq. 4 of Boykov and Jolly, pair by pair."""
    pixels = scene.image.reshape(-1, 3).astype(float)
    pairs = list(neighbours(*scene.grid))
    squared = {(i, j): np.square(pixels[i] - pixels[j]).sum() for i, j, _ in pairs}
    sigma = np.mean(list(squared.values()))
    return {
        (i, j): boundary * np.exp(-squared[i, j] / (2 * sigma)) / distance
        for i, j, distance in pairs
    }


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_graph_cut_is_the_best_of_all_labellings(seed: int):
    scene = tiny_scene(seed)
    method = GraphCut(boundary=1.5)
    evidence = np.random.default_rng(seed).normal(0, 2, scene.grid).astype(np.float32)

    mask = method.cut(scene, evidence, method.energy)

    table = costs(Energy(scene, evidence, None), weights_by_hand(scene, 1.5))
    assert cost_of(mask, table) == pytest.approx(table.min(), abs=0.02)


@pytest.mark.parametrize("kind", STARS)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_star_cut_is_the_best_of_all_stars(kind: str, seed: int):
    scene, paths = tiny_scene(seed), STARS[kind]
    method = StarCut(paths, boundary=1.5)
    evidence = np.random.default_rng(seed).normal(0, 2, scene.grid).astype(np.float32)

    mask = method.cut(scene, evidence, method.energy)

    energy = Energy(scene, evidence, None, paths(scene))
    table = costs(energy, weights_by_hand(scene, 1.5))
    assert cost_of(mask, table) == pytest.approx(table.min(), abs=0.02)


@pytest.mark.parametrize("kind", STARS)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), exact=st.sampled_from([60, 10_000]))
def test_every_path_from_the_object_to_its_centre_stays_in_it(
    kind: str, seed: int, exact: int
):
    scene, paths = tiny_scene(seed, 17, 23), STARS[kind]
    method = StarCut(paths, boundary=0.5, cut=BandedCut(exact=exact))

    mask = method(scene).ravel() > 0.5

    parents = paths(scene)
    for pixel in np.flatnonzero(mask):
        at, steps = int(pixel), 0
        while parents[at] != at:
            at, steps = int(parents[at]), steps + 1
            assert mask[at]
            assert steps < mask.size
        assert scene.seeds.ravel()[at] > 0


def test_rays_are_straight_and_end_in_the_nearest_centre():
    seeds = np.zeros((21, 31), np.int8)
    seeds[5, 4] = seeds[16, 25] = 1
    scene = Scene(np.zeros((21, 31, 3), np.float32), seeds)

    parents = Rays()(scene)

    for row, column in [(0, 0), (20, 4), (9, 30), (3, 12)]:
        away = [np.hypot(row - r, column - c) for r, c in [(5, 4), (16, 25)]]
        centre = np.array([(5, 4), (16, 25)][int(np.argmin(away))])
        start, at = np.array([row, column]), row * 31 + column
        while parents[at] != at:
            offset = np.array(divmod(int(at), 31)) - start
            line = (centre - start) / np.linalg.norm(centre - start)
            assert abs(offset[0] * line[1] - offset[1] * line[0]) < 2
            at = parents[at]
        assert divmod(int(at), 31) == tuple(centre)


def test_what_lies_behind_a_click_on_the_background_is_background_for_a_star():
    grid = (41, 41)
    mask = disc(grid, (20, 20), 16)
    seeds = disc(grid, (20, 10), 1).astype(np.int8)
    seeds[0] = -1
    seeds[18:23, 20] = -1
    scene = Scene(drawn(mask), seeds)

    star, any_shape = (m(scene) > 0.5 for m in (StarCut(Rays()), GraphCut()))

    assert any_shape[20, 26]
    assert not star[20, 22:].any()


def test_a_long_ray_is_straight_too():
    seeds = np.zeros((201, 501), np.int8)
    seeds[0, 0] = 1
    parents = Rays()(Scene(np.zeros((201, 501, 3), np.float32), seeds))

    at, furthest = 200 * 501 + 500, 0.0
    while parents[at] != at:
        row, column = divmod(int(at), 501)
        furthest = max(furthest, abs(row - 0.4 * column))
        at = parents[at]

    assert furthest < 4


def test_a_geodesic_star_reaches_around_the_corner(horseshoe):
    scene, mask = horseshoe

    straight, bent = (StarCut(p)(scene) > 0.5 for p in (Rays(), Geodesics()))

    assert iou(straight, mask) < 0.85
    assert iou(bent, mask) > 0.95


def test_graph_cut_finds_what_is_bright(horseshoe):
    scene, mask = horseshoe

    assert iou(GraphCut()(scene) > 0.5, mask) > 0.97


# Geodesics that turn with the object: with less of contrast in their length, the best
# star of the large image cuts across its bend, where a small image says little.
@pytest.mark.parametrize("method", [GraphCut(), StarCut(Geodesics(0.9))])
def test_along_the_outline_a_large_cut_equals_the_exact_one(method, horseshoe):
    small, _ = horseshoe
    image = np.repeat(np.repeat(small.image, 3, 0), 3, 1)
    seeds = np.repeat(np.repeat(small.seeds, 3, 0), 3, 1)
    scene = Scene(image, seeds)

    exact = method.energy(scene, method.colours.log_ratio(scene))
    banded = BandedCut(exact=2_000)(scene, exact.evidence, method.energy)

    assert iou(banded, whole_cut(exact)) > 0.99


def test_a_band_keeps_the_label_of_every_seed():
    grid = (60, 60)
    mask = disc(grid, (30, 30), 20)
    seeds = np.zeros(grid, np.int8)
    seeds[30, 30], seeds[2, 2] = 1, -1
    seeds[5, 50] = 1  # far from everything that looks like the object
    seeds[30, 36] = -1
    scene = Scene(drawn(mask), seeds)

    found = GraphCut(cut=BandedCut(exact=100))(scene) > 0.5

    assert found[5, 50]
    assert not found[30, 36]


def test_of_equal_cuts_the_smallest_object_is_taken():
    links = Links(np.array([0, 1]), np.array([1, 2]), np.array([1.0, 1.0]))

    label = minimum_cut(np.array([np.inf, 0, -np.inf]), links)

    np.testing.assert_array_equal(label, [True, False, False])


def test_contrast_makes_a_boundary_cheap():
    image = np.zeros((1, 4, 3), np.float32)
    image[:, 2:] = 1

    weights = contrast_weights(Scene(image, np.zeros((1, 4), np.int8)), 10.0)

    # sigma**2 = 3 / 3 for the three pairs: exp(-3 / 2) where the step is
    np.testing.assert_allclose(weights, [10, 10 * np.exp(-1.5), 10], rtol=1e-5)


def test_closing_drops_what_hangs_on_a_missing_pixel():
    parents = np.array([0, 0, 1, 2, 0, 4])
    mask = np.array([True, True, False, True, True, True])

    np.testing.assert_array_equal(
        closed(mask, parents), [True, True, False, False, True, True]
    )
