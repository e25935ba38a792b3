"""A desk on napari's viewer model: clicks, layers, planes; no window."""

from __future__ import annotations

import numpy as np
import pytest

from napari_iseg import Click, Overlap
from napari_iseg.gui.planes import ChannelChoice
from tests.gui.conftest import Bench, squares


def test_opening_an_image_makes_four_layers_with_the_positive_one_active(bench):
    names = [layer.name for layer in bench.viewer.layers]

    assert names == [
        "cells",
        "iseg objects",
        "iseg preview",
        "iseg negative",
        "iseg positive",
    ]
    assert bench.viewer.layers.selection.active == bench.positive
    assert bench.positive.mode == "add"


def test_a_click_shows_the_cell_in_a_small_preview(bench):
    bench.click(15, 15)

    preview = bench.layer("iseg preview")
    assert preview.data.shape == (10, 10)
    assert tuple(preview.translate) == (10, 10)
    assert preview.data.all()


def test_while_an_answer_is_missing_the_older_one_is_pale(bench):
    bench.click(15, 15)
    preview = bench.layer("iseg preview")
    fresh = preview.opacity

    bench.positive.add((40, 40))
    assert preview.opacity < fresh / 2
    assert preview.data.shape == (10, 10)
    bench.settle()

    assert preview.opacity == fresh
    assert preview.data.shape == (40, 40)


def test_the_preview_of_one_object_is_not_left_for_the_next(bench):
    bench.click(15, 15)
    bench.accept()

    bench.positive.add((40, 40))

    assert not bench.layer("iseg preview").data.any()


def test_accepting_writes_the_object_and_makes_room_for_the_next(bench):
    bench.click(15, 15)
    bench.accept()

    assert (bench.objects.data == 1).sum() == 100
    assert bench.session.label == 2
    assert len(bench.positive.data) == 0
    assert not bench.layer("iseg preview").data.any()


def test_undo_across_an_accepted_object_restores_labels_and_clicks(bench):
    bench.objects.data[15, 15] = 7
    bench.click(12, 12)
    bench.accept()
    bench.desk.controller.do(lambda s: s.undo())

    assert (bench.objects.data > 0).sum() == 1
    assert bench.objects.data[15, 15] == 7
    assert [tuple(p) for p in bench.positive.data] == [(12, 12)]


def test_labels_painted_by_hand_are_not_destroyed(bench):
    bench.objects.data[10:13, 10:20] = 7
    bench.click(15, 15)
    bench.accept()

    assert (bench.objects.data == 7).sum() == 30
    assert (bench.objects.data == 1).sum() == 70


def test_overwriting_is_a_choice(bench):
    bench.objects.data[10:13, 10:20] = 7
    bench.desk.choose_overlap(Overlap.OVERWRITE)
    bench.click(15, 15)
    bench.accept()

    assert (bench.objects.data == 1).sum() == 100


def test_moving_a_point_moves_the_click(bench):
    bench.click(15, 15)
    bench.positive.data = np.array([[40, 40]])
    bench.settle()

    assert bench.session.clicks.items == (Click(40, 40),)
    assert bench.layer("iseg preview").data.shape == (20, 20)


def test_deleting_a_point_deletes_the_click(bench):
    bench.click(15, 15)
    bench.click(40, 40)
    bench.positive.selected_data = {0}
    bench.positive.remove_selected()
    bench.settle()

    assert bench.session.clicks.items == (Click(40, 40),)


def test_a_click_outside_the_image_is_refused_in_one_sentence(bench):
    bench.click(15, 15)
    bench.click(-20, 400)

    assert len(bench.positive.data) == 1
    assert len(bench.heard.warnings) == 1
    assert "outside the image" in bench.heard.warnings[0]


def test_reopening_brings_clicks_and_mask_back(bench):
    bench.click(15, 15)
    bench.accept()
    bench.click(40, 40)
    bench.accept()
    bench.desk.reopen(1)
    bench.settle()

    assert bench.session.clicks.items == (Click(15, 15),)
    assert set(np.unique(bench.objects.data)) == {0, 2}
    bench.accept()
    assert set(np.unique(bench.objects.data)) == {0, 1, 2}


def test_stepping_through_objects_accepts_the_open_one(bench):
    bench.click(15, 15)
    bench.accept()
    bench.click(40, 40)
    bench.accept()

    bench.desk.step_object(-1)
    assert bench.session.label == 2
    bench.desk.step_object(-1)
    assert bench.session.label == 1
    assert set(bench.session.objects) == {2}
    bench.desk.step_object(1)
    assert bench.session.label == 2
    assert set(bench.session.objects) == {1}


def test_an_unsatisfied_click_is_ringed(bench):
    bench.click(15, 15)
    bench.click(0, 0)  # dark: the fake never includes it

    rings = bench.positive.border_color
    assert not np.allclose(rings[0], rings[1])


@pytest.mark.parametrize(
    "name", ["iseg positive", "iseg negative", "iseg preview", "iseg objects"]
)
def test_a_deleted_layer_comes_back_as_it_was(bench, name):
    bench.click(15, 15)
    bench.accept()
    bench.click(40, 40)
    bench.viewer.layers.remove(bench.layer(name))
    bench.settle()

    assert [tuple(p) for p in bench.positive.data] == [(40, 40)]
    assert (bench.objects.data == 1).sum() == 100
    assert bench.layer("iseg preview").data.shape == (20, 20)
    assert len(bench.heard.infos) == 1
    bench.click(15, 15)
    assert len(bench.session.clicks) == 2


def test_renamed_layers_are_still_ours(bench):
    for layer in list(bench.viewer.layers):
        layer.name = f"my {layer.name}"
    bench.layer("my iseg positive").add((15, 15))
    bench.settle()
    bench.accept()

    assert (bench.layer("my iseg objects").data == 1).sum() == 100
    assert len(bench.viewer.layers) == 5


def test_a_removed_image_ends_the_session_and_keeps_the_labels(bench):
    bench.click(15, 15)
    bench.accept()
    bench.viewer.layers.remove(bench.layer("cells"))
    bench.settle()

    assert [layer.name for layer in bench.viewer.layers] == ["iseg objects"]
    assert bench.session is None
    assert bench.heard.infos == [
        "The image was removed; its labels stay where they are"
    ]


def test_other_data_in_the_image_start_afresh_and_keep_the_labels(bench):
    bench.click(15, 15)
    bench.accept()
    bench.layer("cells").data = squares(80, 90)
    bench.settle()

    assert not bench.session.objects
    assert bench.session.grid == (80, 90)
    assert (bench.layer("iseg objects (before)").data == 1).sum() == 100
    assert bench.objects.data.shape == (80, 90)
    assert "afresh" in bench.heard.infos[0]


def test_removing_all_layers_is_survived(bench):
    bench.click(15, 15)
    bench.viewer.layers.clear()
    bench.settle()

    assert len(bench.viewer.layers) == 0
    assert not bench.heard.errors


def test_an_image_that_comes_later_is_opened():
    bench = Bench()
    bench.viewer.add_image(squares(60, 70), name="cells")
    bench.settle()

    bench.click(15, 15)

    assert bench.session.mask is not None


def test_going_back_to_an_image_finds_its_objects(bench):
    first = bench.layer("cells")
    bench.click(15, 15)
    bench.accept()
    second = bench.viewer.add_image(squares(80, 90), name="more")

    bench.desk.open_image(second)
    assert not bench.session.objects
    bench.desk.open_image(first)

    assert set(bench.session.objects) == {1}
    assert bench.desk.layers.objects.data.shape == (60, 70)


def test_clicks_belong_to_their_plane_and_labels_to_the_stack():
    bench = Bench(squares(3, 60, 70))
    bench.viewer.dims.point = (0, 0, 0)
    bench.click(0, 15, 15)
    bench.accept()
    bench.click(0, 40, 40)

    bench.viewer.dims.point = (2, 0, 0)
    bench.settle()
    assert len(bench.positive.data) == 0
    bench.click(2, 15, 15)
    bench.accept()
    bench.viewer.dims.point = (0, 0, 0)
    bench.settle()

    assert [tuple(p) for p in bench.positive.data] == [(0, 40, 40)]
    assert bench.objects.data.shape == (3, 60, 70)
    assert [np.count_nonzero(p) for p in bench.objects.data] == [100, 0, 100]


def test_labels_are_unique_in_the_whole_stack():
    bench = Bench(squares(3, 60, 70))
    for z in (0, 1, 0, 1):
        bench.viewer.dims.point = (z, 0, 0)
        bench.click(z, *((15, 15) if not bench.session.objects else (40, 40)))
        bench.accept()

    assert set(np.unique(bench.objects.data)) == {0, 1, 2, 3, 4}


def test_new_objects_number_on_from_labels_that_are_there_already():
    bench = Bench(squares(60, 70))
    mine = np.zeros((60, 70), int)
    mine[0, 0] = 41
    layer = bench.viewer.add_labels(mine, name="mine")

    bench.desk.choose_objects(layer)
    bench.click(15, 15)
    bench.accept()

    assert (layer.data == 42).sum() == 100
    assert layer.data[0, 0] == 41


def test_computed_labels_are_refused_with_a_way_out(bench):
    da = pytest.importorskip("dask.array")
    layer = bench.viewer.add_labels(da.zeros((60, 70), dtype=int), name="computed")

    bench.desk.choose_objects(layer)

    assert "choose a new objects layer" in bench.heard.warnings[0]
    assert bench.desk.layers.objects == bench.objects


@pytest.mark.parametrize(
    "place",
    [
        {"scale": (0.5, 0.25)},
        {"translate": (100, -30)},
        {"rotate": 30, "scale": (2, 3)},
        {"affine": [[0.9, 0.4, 3], [-0.4, 0.9, 4], [0, 0, 1]]},
    ],
)
def test_clicks_in_the_world_meet_the_pixel_below_them(place):
    bench = Bench(squares(60, 70), **place)
    world = bench.layer("cells").data_to_world((15.2, 14.8))

    bench.positive.add(bench.positive.world_to_data(world))
    bench.settle()
    bench.accept()

    image, objects = bench.layer("cells"), bench.objects
    assert (objects.data == 1).sum() == 100
    assert np.allclose(objects.data_to_world((9, 9)), image.data_to_world((9, 9)))


def test_layers_follow_an_image_that_is_moved(bench):
    bench.click(15, 15)
    bench.layer("cells").translate = (7, 8)

    assert tuple(bench.objects.translate) == (7, 8)
    assert tuple(bench.layer("iseg preview").translate) == (17, 18)


def test_a_mask_is_the_same_in_all_channels():
    image = np.stack([squares(60, 70), np.zeros((60, 70), np.uint8)])
    bench = Bench(image)
    bench.desk.choose_channels(ChannelChoice(0))
    bench.viewer.dims.point = (1, 0, 0)

    bench.click(1, 15, 15)
    bench.accept()

    assert bench.objects.data.shape == (1, 60, 70)
    assert (bench.objects.data == 1).sum() == 100
    assert round(bench.objects.world_to_data((1, 0, 0))[0]) == 0


def test_three_dimensions_are_explained_and_two_continue():
    bench = Bench(squares(3, 60, 70))
    bench.viewer.dims.point = (1, 0, 0)
    bench.click(1, 15, 15)

    bench.viewer.dims.ndisplay = 3
    bench.settle()
    assert "flat view" in bench.desk.problem
    bench.viewer.dims.ndisplay = 2
    bench.settle()

    assert bench.desk.problem is None
    assert len(bench.session.clicks) == 1


def test_two_desks_do_not_know_each_other():
    one, other = Bench(squares(60, 70)), Bench(squares(60, 70))

    one.click(15, 15)
    one.accept()

    assert not other.session.objects
    assert not other.objects.data.any()


def test_a_desk_that_is_shut_gives_the_viewer_back_and_the_next_continues(bench):
    bench.click(15, 15)
    bench.accept()
    bench.desk.shut_down()
    assert [layer.name for layer in bench.viewer.layers] == ["cells", "iseg objects"]

    again = Bench()
    again.viewer.layers.append(bench.layer("cells"))
    again.settle()

    assert set(again.session.objects) == {1}


def test_undo_on_the_labels_takes_back_strokes_before_objects(bench):
    bench.click(15, 15)
    bench.accept()
    bench.objects.paint((50, 60), 5)
    bench.viewer.layers.selection.active = bench.objects

    assert bench.desk.undo_by_hand()
    assert not (bench.objects.data == 5).any()
    assert not bench.desk.undo_by_hand()


def test_a_failure_is_told_and_nothing_is_lost(bench):
    bench.click(15, 15)
    bench.objects.data = np.zeros((5, 5), int)
    bench.accept()

    assert bench.heard.errors or bench.heard.warnings
    assert set(bench.session.objects) == {1}
