"""The demo's robot and its honesty."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.draw import polygon2mask

from napari_iseg import Click
from napari_iseg.gui import demo


def block(top, left, bottom, right):
    mask = np.zeros((40, 40), bool)
    mask[top:bottom, left:right] = True
    return mask


def test_the_robot_clicks_where_the_error_is_deepest():
    truth = block(10, 10, 21, 21)

    assert demo.deepest_error(truth, block(0, 0, 0, 0)) == Click(15, 15)
    assert demo.deepest_error(truth, truth | block(0, 0, 9, 9)) == Click(
        4, 4, is_positive=False
    )
    assert demo.deepest_error(truth, truth) is None


@pytest.mark.parametrize("scene", demo.bundled_scenes(), ids=lambda one: one.image)
def test_every_outline_is_an_object_in_the_bundled_image(scene):
    import skimage.data

    image = getattr(skimage.data, scene.image)()
    masks = [polygon2mask(image.shape[:2], o) for o in scene.outlines.values()]

    assert 5 <= len(masks) <= 10
    assert all(mask.sum() > 30 for mask in masks)
    assert np.sum(masks, axis=0).max() == 1


def test_without_any_display_the_demo_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("shutil.which", lambda _: None)

    with pytest.raises(ValueError, match="install xvfb"):
        demo.run(tmp_path)
