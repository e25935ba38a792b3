"""GrowCut by shortest paths is the cellular automaton of the paper."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_iseg.classical.grow_cut import GrowCut
from napari_iseg.classical.scene import Scene
from tests.classical.brute_force import neighbours
from tests.classical.conftest import iou, tiny_scene


def automaton(scene: Scene, width: float) -> np.ndarray:
    """Section 3 of the paper, step by step until nothing changes: the labels."""
    label = scene.seeds.ravel().astype(int)
    strength = np.abs(label).astype(float)
    flat = scene.image.reshape(-1, 3).astype(float)
    pairs = [(i, j) for i, j, _ in neighbours(*scene.grid)]
    squared = {(i, j): np.square(flat[i] - flat[j]).sum() for i, j in pairs}
    scale = width**2 * np.mean(list(squared.values()))
    alike = {pair: np.exp(-value / scale) for pair, value in squared.items()}
    while True:
        new_label, new_strength = label.copy(), strength.copy()
        for one, other in [*pairs, *((j, i) for i, j in pairs)]:
            pair = min(one, other), max(one, other)
            attack = alike[pair] * strength[other]
            if attack > new_strength[one] + 1e-12:
                new_label[one], new_strength[one] = label[other], attack
        if np.array_equal(new_strength, strength):
            return label.reshape(scene.grid)
        label, strength = new_label, new_strength


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_automaton_ends_where_the_paths_say(seed: int):
    scene = tiny_scene(seed, 5, 6)
    method = GrowCut()

    label = automaton(scene, method.width)

    np.testing.assert_array_equal(method(scene) > 0.5, label > 0)


def test_a_cell_is_conquered(cell):
    scene, mask = cell

    assert iou(GrowCut()(scene) > 0.5, mask) > 0.9
