"""Folders and click logs of the user's own, given by their path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_iseg.click_log import pixel_checksum, read_log, write_log
from tests.training.datasets import miniatures as mini
from tests.training.datasets.drawing import GRID, box, grey, labels, photograph, write
from training.datasets import DATASETS, check, entry, open_dataset


def test_a_folder_is_a_data_set_by_its_path(tmp_path: Path) -> None:
    mini.plain_folder(tmp_path / "mine")

    by_path = open_dataset(tmp_path / "mine", Path("elsewhere"))
    below_root = open_dataset("mine", tmp_path)

    assert by_path.samples() == ("one/1", "one/2", "two/1", "two/2")
    assert below_root.samples() == by_path.samples()


@pytest.mark.parametrize("ending", ["png", "tif", "npy"])
def test_images_and_labels_may_differ_in_format(tmp_path: Path, ending: str) -> None:
    write(tmp_path / "images/cells.tif", grey())
    (tmp_path / "labels").mkdir()
    drawn = labels(1, 2, ignored=65535)
    if ending == "npy":
        np.save(tmp_path / "labels/cells.npy", drawn)
    elif ending == "tif":
        tifffile.imwrite(tmp_path / "labels/cells.tif", drawn, compression="lzw")
    else:
        write(tmp_path / "labels/cells.png", drawn)

    found = open_dataset(tmp_path, tmp_path).read("cells/2")

    np.testing.assert_array_equal(found.truth, box(2))
    np.testing.assert_array_equal(found.image, grey())
    assert found.ignored[36, 0]


def test_specks_are_no_samples_of_a_folder(tmp_path: Path) -> None:
    mini.plain_folder(tmp_path)

    assert "one/3" not in open_dataset(tmp_path, tmp_path).samples()


def test_two_images_of_one_name_are_not_chosen_between(tmp_path: Path) -> None:
    mini.plain_folder(tmp_path)
    write(tmp_path / "images/one.tif", grey())

    with pytest.raises(
        ValueError, match=r"one.png and one.tif in .* have the same name"
    ):
        open_dataset(tmp_path, tmp_path)


def test_a_click_log_is_a_data_set_of_what_was_accepted(tmp_path: Path) -> None:
    mini.click_log(tmp_path)

    data = open_dataset(tmp_path / "monday.iseg.json", tmp_path)

    assert data.samples() == ("monday/1", "monday/2")  # 3 was logged without its mask
    first, second = data.read("monday/1"), data.read("monday/2")
    np.testing.assert_array_equal(first.truth, box(1))
    assert first.start is None
    assert second.start is not None  # a mask that the user corrected
    np.testing.assert_array_equal(second.start, box(1))
    assert second.others is not None
    np.testing.assert_array_equal(second.others, box(1))


def test_a_folder_of_click_logs_is_a_data_set(tmp_path: Path) -> None:
    drawn = mini.click_log(tmp_path / "logs")

    assert set(open_dataset(tmp_path / "logs", tmp_path).samples()) == set(drawn.truths)


def test_the_image_of_a_log_may_lie_in_the_root(tmp_path: Path) -> None:
    mini.click_log(tmp_path / "logs")
    images = tmp_path / "images"
    images.mkdir()
    (tmp_path / "logs/others.png").rename(images / "others.png")

    data = open_dataset(tmp_path / "logs/tuesday.iseg.json", images)

    np.testing.assert_array_equal(data.read("tuesday/1").image, photograph())


def test_a_log_whose_image_is_gone_says_where_to_put_it(tmp_path: Path) -> None:
    mini.click_log(tmp_path)
    (tmp_path / "others.png").unlink()

    with pytest.raises(
        ValueError, match=r"tuesday.iseg.json is missing: there is no"
    ) as e:
        open_dataset(tmp_path / "tuesday.iseg.json", tmp_path)

    assert "'others.png'" in str(e.value)
    assert "put it beside the log" in str(e.value)


def test_a_log_without_a_name_finds_the_image_of_its_own_name(tmp_path: Path) -> None:
    mini.click_log(tmp_path)
    path = tmp_path / "monday.iseg.json"
    write_log(path, replace(read_log(path), image=None))
    with pytest.raises(ValueError, match=r"there is no 'monday.tif'"):
        open_dataset(path, tmp_path)

    write(tmp_path / "monday.png", photograph())

    assert open_dataset(path, tmp_path).read("monday/1").image.shape == (*GRID, 3)


def test_another_image_under_the_name_of_the_log_s_is_refused(tmp_path: Path) -> None:
    mini.click_log(tmp_path)
    path = tmp_path / "monday.iseg.json"
    data = open_dataset(path, tmp_path)
    write(tmp_path / "cells.png", photograph()[:30])
    with pytest.raises(
        ValueError, match=r"is of an image of 40 x 56 pixels, .* 30 x 56"
    ):
        data.read("monday/1")

    write_log(path, replace(read_log(path), sha256=pixel_checksum(photograph())))
    write(tmp_path / "cells.png", photograph(seed=9))

    with pytest.raises(ValueError, match=r"cells.png is not the image of .*monday"):
        open_dataset(path, tmp_path).read("monday/1")


def test_the_plane_and_channels_that_were_clicked_on_are_read(tmp_path: Path) -> None:
    mini.click_log(tmp_path)
    stack = np.stack([grey(1), grey(2), grey(3)])
    tifffile.imwrite(tmp_path / "cells.tif", stack, photometric="minisblack")
    (tmp_path / "cells.png").unlink()
    path = tmp_path / "monday.iseg.json"
    write_log(path, replace(read_log(path), plane=(1,)))

    found = open_dataset(path, tmp_path).read("monday/1")

    np.testing.assert_array_equal(found.image, grey(2))


def test_a_log_that_does_not_exist_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no click log at x.iseg.json"):
        open_dataset("x.iseg.json", tmp_path)
    assert "is missing" in check("click-log", tmp_path / "x.iseg.json")[0]


def test_a_file_that_is_no_log_is_no_data_set(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("cells")

    with pytest.raises(ValueError, match=r"notes.txt is no data set; give a folder"):
        open_dataset(tmp_path / "notes.txt", tmp_path)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [("grabcat", "did you mean 'grabcut'"), ("dsb2018", "did you mean 'dsb2018/val'")],
)
def test_a_misspelt_name_is_answered_with_the_right_one(wrong: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"no data set is called '{wrong}'; {hint}"):
        open_dataset(wrong, Path("nowhere"))


def test_a_name_like_no_other_is_answered_with_all_of_them() -> None:
    with pytest.raises(ValueError, match="there are dsb2018/val, ") as problem:
        entry("qqq")

    assert all(name in str(problem.value) for name in DATASETS)
