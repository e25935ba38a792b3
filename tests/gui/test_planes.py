"""Which plane of a layer is shown, and that only it is read."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_iseg.gui.planes import (
    ChannelChoice,
    PlaneIndex,
    layer_shape,
    plane_image,
    shown_plane,
)


class Watched:
    """An array that tells how much of it was read."""

    def __init__(self, array):
        self._array = array
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim
        self.read = 0

    def __getitem__(self, index):
        window = self._array[index]
        self.read += window.size
        return window


def numbered(*shape):
    return np.arange(np.prod(shape)).reshape(shape)


NO_CHANNELS = ChannelChoice()


def shown(layer_data, point=None, choice=NO_CHANNELS, **layer):
    viewer = ViewerModel()
    layer = viewer.add_image(layer_data, **layer)
    if point is not None:
        viewer.dims.point = point
    plane = shown_plane(viewer, layer)
    return viewer, layer, plane, plane_image(layer, plane, choice)


def test_the_slider_chooses_the_plane():
    stack = numbered(4, 5, 6)

    _, _, plane, image = shown(stack, (2, 0, 0))

    assert plane == PlaneIndex((2, None, None))
    assert np.array_equal(image[:, :], stack[2])


def test_the_slider_of_a_scaled_stack_chooses_the_plane_in_pixels():
    stack = numbered(4, 5, 6)

    _, _, plane, _ = shown(stack, (5.0, 0, 0), scale=(2.5, 1, 1))

    assert plane.index[0] == 2


def test_time_and_depth_are_both_chosen():
    movie = numbered(3, 4, 5, 6)

    _, _, plane, image = shown(movie, (1, 3, 0, 0))

    assert plane.hidden == (1, 3)
    assert np.array_equal(image[:, :], movie[1, 3])


def test_transposed_views_are_read_as_they_are_shown():
    stack = numbered(4, 5, 6)
    viewer = ViewerModel()
    layer = viewer.add_image(stack)
    viewer.dims.order = (0, 2, 1)
    viewer.dims.point = (1, 0, 0)

    plane = shown_plane(viewer, layer)

    assert plane.is_transposed
    assert np.array_equal(plane_image(layer, plane, ChannelChoice())[:, :], stack[1].T)
    assert plane.position_of((3, 2)) == (1, 2, 3)


def test_red_green_and_blue_are_channels_not_an_axis():
    picture = numbered(5, 6, 3).astype(np.uint8)

    _, layer, plane, image = shown(picture, rgb=True)

    assert layer_shape(layer) == (5, 6)
    assert plane.index == (None, None)
    assert np.array_equal(image[1:3, 2:5], picture[1:3, 2:5])


def test_chosen_channels_come_last_and_in_the_chosen_order():
    stack = numbered(2, 3, 5, 6)  # z, channel, y, x

    choice = ChannelChoice(1, (2, 0))
    _, _, _, image = shown(stack, (1, 0, 0, 0), choice)

    assert image.shape == (5, 6, 2)
    assert np.array_equal(image[:, :], stack[1][[2, 0]].transpose(1, 2, 0))


def test_only_the_window_is_read():
    data = Watched(numbered(3, 100, 100))
    plane = PlaneIndex((1, None, None))

    from napari_iseg.gui.planes import LayerPlane

    window = LayerPlane(data, plane, ChannelChoice(), is_rgb=False)[10:14, 20:30]

    assert window.shape == (4, 10)
    assert data.read == 40


def test_a_dask_stack_is_read_where_it_is_looked_at():
    da = pytest.importorskip("dask.array")
    stack = numbered(4, 50, 60)

    _, _, _, image = shown(da.from_array(stack, chunks=(1, 10, 10)), (3, 0, 0))

    assert np.array_equal(image[5:9, 7:9], stack[3, 5:9, 7:9])


def test_of_a_multiscale_image_the_finest_level_is_seen():
    fine = numbered(64, 64)

    _, layer, _, image = shown([fine, fine[::2, ::2]], multiscale=True)

    assert layer_shape(layer) == (64, 64)
    assert np.array_equal(image[:, :], fine)


def test_three_dimensions_cannot_be_clicked_on():
    viewer = ViewerModel()
    layer = viewer.add_image(numbered(4, 5, 6))
    viewer.dims.ndisplay = 3

    with pytest.raises(ValueError, match=r"flat view.*Ctrl\+Y"):
        shown_plane(viewer, layer)


def test_a_channel_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="no channel 5; the layer has channels 0 to 2"):
        shown(numbered(3, 5, 6), (0, 0, 0), ChannelChoice(0, (5,)))


def test_a_shown_axis_cannot_hold_channels():
    with pytest.raises(ValueError, match="axis 1 holds the channels"):
        shown(numbered(3, 5, 6), (0, 0, 0), ChannelChoice(1))
