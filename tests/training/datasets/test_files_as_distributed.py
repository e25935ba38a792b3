"""What the formats mean, pixel by pixel, and what is said of files that break them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from pycocotools import mask as coco_mask
from scipy.io import savemat

from tests.training.datasets import miniatures as mini
from tests.training.datasets.drawing import (
    GRID,
    box,
    labels,
    photograph,
    void,
    write,
    write_palette,
    write_text,
)
from training.datasets import DATASETS, open_dataset
from training.datasets.coco import Outline
from training.datasets.label_files import read_three_level
from training.datasets.pictures import read_labels, read_palette
from training.datasets.sbd import read_instances


@pytest.mark.parametrize("name", ["voc2012", "grabcut", "msra10k", "coco", "bbbc038"])
def test_samples_are_listed_without_looking_at_an_image(
    name: str, tmp_path: Path
) -> None:
    drawn = mini.MINIATURES[name][0](tmp_path)
    for path in [*tmp_path.rglob("*.jpg"), *tmp_path.rglob("images/*.png")]:
        path.write_text("no image")

    data = open_dataset(name, tmp_path)

    assert set(data.samples()) == set(drawn.truths)
    with pytest.raises(ValueError, match="cannot be read as an image"):
        data.read(data.samples()[0])


def test_an_image_is_read_once_for_all_of_its_objects(tmp_path: Path) -> None:
    mini.voc(tmp_path)
    data = open_dataset("voc2012", tmp_path)
    first = data.read("2007_000033/1")
    (tmp_path / "VOCdevkit/VOC2012/JPEGImages/2007_000033.jpg").unlink()

    second = data.read("2007_000033/2")

    assert second.image is first.image


def test_grabcut_s_band_is_neither_object_nor_background(tmp_path: Path) -> None:
    levels = np.array([[0, 128, 255], [0, 0, 128]], np.uint8)
    write(tmp_path / "mask.bmp", levels)

    assert read_three_level(tmp_path / "mask.bmp").tolist() == [[0, -1, 1], [0, 0, -1]]


def test_a_mask_of_other_levels_is_not_guessed_at(tmp_path: Path) -> None:
    write(tmp_path / "lasso.bmp", np.array([[0, 64, 255]], np.uint8))

    with pytest.raises(
        ValueError, match=r"lasso.bmp holds the values \[64\]; expected"
    ):
        read_three_level(tmp_path / "lasso.bmp")


def test_the_frames_of_davis_show_one_object(tmp_path: Path) -> None:
    mini.davis_2017(tmp_path, 2017, "val")

    data = open_dataset("davis-2017/val", tmp_path)

    found = data.read("bear/00000/1")
    assert found.truth[6, 8]  # of object 1
    assert found.truth[25, 30]  # of object 2
    assert found.ignored[36, 0]
    assert "goat/00001/1" not in data.samples()  # no object is in sight there


def test_davis_2017_holds_the_splits_of_2016(tmp_path: Path) -> None:
    mini.davis_2017(tmp_path, 2016, "val")

    assert open_dataset("davis-2016/val", tmp_path).samples() == (
        "bear/00000/1",
        "goat/00000/1",
    )


def test_a_sequence_that_is_not_there_is_named(tmp_path: Path) -> None:
    mini.davis_2017(tmp_path, 2017, "val")
    write_text(tmp_path / "DAVIS/ImageSets/2017/val.txt", ["bear", "camel"])

    said = DATASETS["davis-2017/val"].missing(tmp_path)

    assert any("camel" in sentence for sentence in said)


def test_davis_585_gives_the_mask_to_start_from(tmp_path: Path) -> None:
    mini.davis585(tmp_path, "sp")

    spoilt = open_dataset("davis-585", tmp_path).read("bear/00009/object2")
    tracked = open_dataset("davis-585/tracked", tmp_path).read("bear/00009/object2")

    assert spoilt.start is not None
    assert tracked.start is not None
    np.testing.assert_array_equal(spoilt.truth, box(2))
    np.testing.assert_array_equal(spoilt.start, box(1))
    np.testing.assert_array_equal(tracked.start, box(2))


def test_voc_s_outlines_are_void_and_neighbours_are_others(tmp_path: Path) -> None:
    mini.voc(tmp_path)

    found = open_dataset("voc2012", tmp_path).read("2007_000033/2")

    assert found.others is not None
    np.testing.assert_array_equal(found.others, box(1))
    np.testing.assert_array_equal(found.ignored, void())


def test_a_palette_that_a_program_turned_into_colours_is_refused(
    tmp_path: Path,
) -> None:
    write(tmp_path / "colours.png", photograph())

    with pytest.raises(
        ValueError, match=r"colours.png has no palette \(its mode is RGB"
    ):
        read_palette(tmp_path / "colours.png")
    with pytest.raises(ValueError, match="there is no image at"):
        read_palette(tmp_path / "nothing.png")


def test_a_palette_s_indices_are_read_not_its_colours(tmp_path: Path) -> None:
    write_palette(tmp_path / "p.png", labels(1, 2, ignored=255))

    np.testing.assert_array_equal(
        read_palette(tmp_path / "p.png"), labels(1, 2, ignored=255)
    )


def test_label_images_are_not_guessed_from_colours_or_fractions(tmp_path: Path) -> None:
    write(tmp_path / "colours.png", photograph())
    tifffile.imwrite(tmp_path / "fractions.tif", np.full(GRID, 0.5, np.float32))

    with pytest.raises(ValueError, match=r"colours.png is a picture in colours"):
        read_labels(tmp_path / "colours.png")
    with pytest.raises(ValueError, match="labels are whole numbers: save it as uint16"):
        read_labels(tmp_path / "fractions.tif")


def test_a_mat_file_without_instances_is_refused(tmp_path: Path) -> None:
    savemat(tmp_path / "other.mat", {"GTcls": {"Segmentation": labels(1)}})
    (tmp_path / "text.mat").write_text(
        "not found: 404, and more of it than a header" * 9
    )

    for name in ("other.mat", "text.mat"):
        with pytest.raises(ValueError, match=f"{name} holds no GTinst.Segmentation"):
            read_instances(tmp_path / name)


@pytest.mark.parametrize(
    ("label", "how"), [(1, "polygon"), (2, "polygon"), (1, "numbers"), (2, "text")]
)
def test_coco_s_outlines_fill_the_boxes_that_they_were_made_of(
    label: int, how: str
) -> None:
    shapes = {
        "polygon": mini.polygon(label),
        "numbers": mini.runs(box(label)),
        "text": coco_mask.encode(np.asfortranarray(box(label).astype(np.uint8))),
    }
    if how == "text":
        shapes["text"]["counts"] = shapes["text"]["counts"].decode()  # as in JSON

    found = Outline("1", 3, 80.0, is_crowd=False, segmentation=shapes[how])

    np.testing.assert_array_equal(found.mask(GRID), box(label))


def test_an_object_of_two_polygons_is_both_of_them() -> None:
    both = mini.polygon(1) + mini.polygon(2)

    found = Outline("1", 3, 80.0, is_crowd=False, segmentation=both)

    np.testing.assert_array_equal(found.mask(GRID), box(1) | box(2))


def test_a_crowd_of_coco_is_no_sample_and_counts_for_none(tmp_path: Path) -> None:
    mini.coco(tmp_path)

    data = open_dataset("coco", tmp_path)

    assert "000000000139/13" not in data.samples()
    assert data.read("000000000139/11").ignored[36, 5]


def test_objects_of_coco_may_share_pixels(tmp_path: Path) -> None:
    mini.coco(tmp_path)
    place = tmp_path / "coco/annotations/instances_val2017.json"
    content = json.loads(place.read_text())
    content["annotations"].append(mini.outline(99, 1, 24, mini.runs(box(1) | box(2))))
    write_text(place, [json.dumps(content)])

    data = open_dataset("coco", tmp_path)

    np.testing.assert_array_equal(data.read("000000000139/99").truth, box(1) | box(2))
    np.testing.assert_array_equal(data.read("000000000139/11").truth, box(1))
    others = data.read("000000000139/11").others
    assert others is not None
    np.testing.assert_array_equal(others, box(2))


def test_the_draw_of_coco_takes_as_many_images_of_each_category(tmp_path: Path) -> None:
    names = [f"{k:012d}" for k in range(30)]
    content = mini.annotations(f"{name}.jpg" for name in names)
    for name in names:
        write(tmp_path / "coco/val2017" / f"{name}.jpg", photograph())
    write_text(
        tmp_path / "coco/annotations/instances_val2017.json", [json.dumps(content)]
    )

    drawn = {
        name: open_dataset(f"coco/{name}", tmp_path).samples()
        for name in ("10-per-category", "20-per-category", "seen", "unseen")
    }

    assert {name: len(samples) for name, samples in drawn.items()} == {
        "10-per-category": 20,
        "20-per-category": 40,
        "seen": 10,
        "unseen": 10,
    }
    assert {*drawn["seen"], *drawn["unseen"]} == {*drawn["10-per-category"]}
    assert {sample[-1] for sample in drawn["seen"]} == {"1"}  # cars


def test_a_damaged_annotation_file_is_named(tmp_path: Path) -> None:
    mini.coco(tmp_path)
    place = tmp_path / "coco/annotations/instances_val2017.json"

    for content in ("{}", "[1]", "<html>"):
        place.write_text(content)
        with pytest.raises(ValueError, match=r"val2017.json is no annotation file"):
            open_dataset("coco", tmp_path)


def test_an_annotation_file_that_changed_is_read_again(tmp_path: Path) -> None:
    mini.coco(tmp_path)
    before = open_dataset("coco", tmp_path).samples()
    place = tmp_path / "coco/annotations/instances_val2017.json"
    content = json.loads(place.read_text())
    content["annotations"] = content["annotations"][1:]
    write_text(place, [json.dumps(content)])

    assert open_dataset("coco", tmp_path).samples() == before[1:]


def test_livecell_s_annotations_may_be_numbered_instead_of_listed(
    tmp_path: Path,
) -> None:
    drawn = mini.livecell(tmp_path, "test")
    folder = tmp_path / "LIVECell_dataset_2021"
    place = folder / "annotations/LIVECell/livecell_coco_test.json"
    content = json.loads(place.read_text())
    by_number = {str(one["id"]): one for one in content["annotations"]}
    moved = folder / "livecell_coco_test.json"
    write_text(moved, [json.dumps({**content, "annotations": by_number})])
    place.unlink()

    assert sorted(open_dataset("livecell/test", tmp_path).samples()) == sorted(
        drawn.truths
    )


def test_cars_that_nobody_told_apart_are_void(tmp_path: Path) -> None:
    mini.kitti_instances(tmp_path)

    found = open_dataset("kitti-instances", tmp_path).read("000000_10/1")

    assert found.ignored[36, 0]
    assert not found.ignored[0, 0]  # a person is background of a car


def test_nuclei_of_one_colour_that_do_not_touch_are_two(tmp_path: Path) -> None:
    mini.u2os(tmp_path, "test")

    data = open_dataset("bbbc039/test", tmp_path)

    assert len(data.samples()) == 4


def test_frames_without_segmentation_are_no_samples(tmp_path: Path) -> None:
    mini.cell_tracking(tmp_path, "PhC-C2DH-U373", "GT")

    samples = open_dataset("ctc/PhC-C2DH-U373", tmp_path).samples()

    assert not any("t001" in sample for sample in samples)


def test_one_sequence_of_the_challenge_is_enough(tmp_path: Path) -> None:
    mini.cell_tracking(tmp_path, "DIC-C2DH-HeLa", "GT")
    for path in sorted((tmp_path / "DIC-C2DH-HeLa").glob("02*/**/*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()

    samples = open_dataset("ctc/DIC-C2DH-HeLa", tmp_path).samples()

    assert samples == ("01/t000/1", "01/t000/2")


def test_a_truth_of_another_size_than_its_image_is_refused(tmp_path: Path) -> None:
    mini.voc(tmp_path)
    mini.voc_subset(tmp_path)
    small = box(1)[:30, :40]
    folder = tmp_path / "VOCdevkit/VOC2012/SegmentationObject"
    write_palette(folder / "2007_000033.png", small.astype(np.uint8))
    mask = tmp_path / "natural/voc_subset/masks/2007_000033_1.png"
    write(mask, 255 * small.astype(np.uint8))

    for name in ("voc2012", "voc-subset"):
        with pytest.raises(
            ValueError, match=r"40 x 56 pixels and .* 30 x 40; take both"
        ):
            open_dataset(name, tmp_path).read("2007_000033/1")


def test_an_empty_mask_is_said_to_be_empty(tmp_path: Path) -> None:
    mini.bowl(tmp_path)
    mask = tmp_path / "stage1_train/00ae65/masks/nucleus1.png"
    write(mask, np.zeros(GRID, np.uint8))

    with pytest.raises(ValueError, match="mask of '00ae65/nucleus1' is empty"):
        open_dataset("bbbc038", tmp_path).read("00ae65/nucleus1")


def test_an_image_without_a_nucleus_is_noticed(tmp_path: Path) -> None:
    mini.bowl(tmp_path)
    (tmp_path / "stage1_train/00ae65/masks/nucleus1.png").unlink()

    said = DATASETS["bbbc038"].missing(tmp_path)

    assert "There is no mask in" in said[0]
    assert "00ae65" in said[0]


def test_a_picture_of_voc_s_subset_without_mask_is_noticed(tmp_path: Path) -> None:
    mini.voc_subset(tmp_path)
    (tmp_path / "natural/voc_subset/masks/2007_000042_2.png").unlink()

    assert (
        "2007_000042_<k>.png is missing" in DATASETS["voc-subset"].missing(tmp_path)[0]
    )


def test_many_missing_files_are_counted_not_all_listed(tmp_path: Path) -> None:
    mini.sbd(tmp_path, "val")
    names = [f"2010_{k:06d}" for k in range(200)]
    write_text(tmp_path / "benchmark_RELEASE/dataset/val.txt", names)

    said = DATASETS["sbd"].missing(tmp_path)

    assert len(said) == 22
    assert said[20] == "And 380 more."
