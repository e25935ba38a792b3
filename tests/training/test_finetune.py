"""``python -m training finetune``: a user's own cells from the command line."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_iseg.click_log import ClickLog, pixel_checksum, write_log
from napari_iseg.nets.cells_net import CellsNet
from napari_iseg.segmented_objects import objects_of
from napari_iseg.session import Session
from napari_iseg.teaching.lesson import VOID, lesson_of
from napari_iseg.weights import read_card
from tests.training.tiny_data import write_images
from training.__main__ import main
from training.finetune_curve import examples_of, nested, spread
from training.finetune_sources import (
    annotated,
    plane_of,
    planes_in,
    planes_of_logs,
    without_void,
)
from training.images import LabelledImage
from training.sources import CELL_SETS


@pytest.fixture(autouse=True)
def taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NAPARI_ISEG_TAUGHT", str(tmp_path / "taught"))
    monkeypatch.setattr(
        "napari_iseg.own_data.MOST", 2
    )  # clicks: the network knows none
    return tmp_path / "taught"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    state = CellsNet(width=4).state_dict()
    kept = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    path = tmp_path / "tiny.safetensors"
    save_file(kept, path)
    return path


def finetune(*arguments: object) -> int:
    return main(["finetune", "cells", "--steps", "1", *map(str, arguments)])


def folders(folder: Path) -> tuple[object, ...]:
    return "--images", folder / "images", "--labels", folder / "labels"


def test_a_folder_of_labels_is_taught_and_the_result_is_said(
    folder: Path, weights: Path, capsys: pytest.CaptureFixture[str]
):
    new = folder / "new.safetensors"

    code = finetune(*folders(folder), "--weights", weights, "-o", new)

    said = capsys.readouterr().out.splitlines()
    assert code == (0 if new.exists() else 1)
    assert "on 4 objects that were held out a robot needs" in said[0]
    if new.exists():
        assert said[1] == str(new)
        assert read_card(new.with_suffix(".json")).size == new.stat().st_size


def test_click_logs_are_read_with_their_images(
    tmp_path: Path, images: list[LabelledImage]
):
    """Given logs beside their images, then what was accepted is what is learnt."""
    (image, _) = images
    cv2.imwrite(str(tmp_path / "one.png"), image.image)
    session = Session(image.labels.shape)
    session.adopt(objects_of(image.labels.astype(np.int32)))
    log = ClickLog.of(session, image="one.png", sha256=pixel_checksum(image.image))
    write_log(tmp_path / "one.iseg.json", log)

    (plane,) = planes_of_logs([tmp_path])

    assert (plane.labels == image.labels).all()
    assert (plane.image.image == image.image).all()
    assert len(plane.objects) == 6


def test_ignored_pixels_are_neither_object_nor_background():
    labels = np.array([[0, 7], [65535, 8]], np.uint16)

    assert without_void(labels).tolist() == [[0, 7], [VOID, 8]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "there is nothing to learn from; give --images DIR --labels DIR, or"),
        (("--images", "somewhere"), "--images and --labels belong together"),
        (("--images", "no", "--labels", "no"), "there is no image in no; check"),
        (("--name", "a", "-o", "b"), "give --name or --output, not both"),
        (("--name", "../a"), "'../a' is no name for taught weights"),
        (("--weights", "no.safetensors"), "there is no weights file at no.safetensors"),
        (("--curve", "usigaci"), "no set of cells is called 'usigaci'; did you mean"),
    ],
)
def test_what_cannot_be_is_one_sentence(arguments, said, capsys):
    assert finetune(*arguments) == 2
    assert capsys.readouterr().err.startswith(f"training: {said}")


def test_a_method_without_a_network_is_told(capsys):
    assert main(["finetune", "graph-cut", "--images", "a", "--labels", "b"]) == 2
    assert "'Graph cut' has no network that can be taught" in capsys.readouterr().err


def test_a_label_image_without_an_image_is_told(folder: Path, capsys):
    (folder / "images" / "two.png").unlink()

    assert finetune(*folders(folder)) == 2
    assert "two.png has no image: two.* is missing" in capsys.readouterr().err


def test_a_label_image_of_another_size_is_told(folder: Path, capsys):
    cv2.imwrite(str(folder / "labels" / "two.png"), np.zeros((3, 4), np.uint16))

    assert finetune(*folders(folder)) == 2
    assert "two.png is (160, 160), its labels" in capsys.readouterr().err


def test_too_few_objects_are_told(folder: Path, capsys):
    for name in ("one", "two"):
        labels = np.zeros((160, 160), np.uint16)
        labels[20:40, 20:40] = 1
        cv2.imwrite(str(folder / "labels" / f"{name}.png"), labels)

    assert finetune(*folders(folder)) == 2
    assert "there are 2 of the 6 objects" in capsys.readouterr().err


def test_ctrl_c_leaves_nothing(folder: Path, weights: Path, capsys, monkeypatch):
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_iseg.teaching.course.learnt", stopped)
    new = folder / "new.safetensors"

    assert finetune(*folders(folder), "--weights", weights, "-o", new) == 130
    assert "stopped; nothing was written" in capsys.readouterr().err
    assert not new.exists()


# ---------------------------------------------------------------- the learning curve


def test_the_curve_is_one_command_and_goes_on_where_it_stopped(
    tmp_path: Path, weights: Path, capsys, monkeypatch
):
    write_images(tmp_path / "cells/usiigaci/train", CELL_SETS["usiigaci"][1])
    monkeypatch.setenv("ISEG_DATA", str(tmp_path))
    results, document = tmp_path / "curve.csv", tmp_path / "page.md"
    document.write_text("<!-- table:begin -->\n<!-- table:end -->\n")
    how = ("--curve", "usiigaci", "--weights", weights, "--limit", 2)
    more = ("--counts", 3, 6, "--draws", 2, "--results", results)

    assert finetune(*how, *more) == 0
    table = capsys.readouterr().out
    rows = results.read_text()
    assert finetune(*how, *more, "--into", document) == 0

    assert capsys.readouterr().out == table
    assert table in document.read_text()
    assert results.read_text() == rows
    assert len(rows.splitlines()) == 1 + 1 + 2 * 2
    starts = [line.split(" | ")[:2] for line in table.splitlines()[4:]]
    assert starts == [["| 0", "1"], ["| 3", "2"], ["| 6", "2"]]
    assert "on 2 objects of `usiigaci` in images that nothing was learnt" in table


def test_more_cells_than_there_are_is_told(tmp_path, weights, capsys, monkeypatch):
    write_images(tmp_path / "cells/usiigaci/train", CELL_SETS["usiigaci"][1])
    monkeypatch.setenv("ISEG_DATA", str(tmp_path))

    code = finetune("--curve", "usiigaci", "--weights", weights, "--counts", 31)

    assert code == 2
    assert "'usiigaci' has 30 cells to learn from, not 31" in capsys.readouterr().err


def test_more_cells_hold_the_fewer_ones_image_by_image(images: list[LabelledImage]):
    pool = examples_of([plane_of(image) for image in images])

    order = nested(pool, draw=3)

    assert len(order) == len(pool)
    assert {one.plane.name for one in order[:6]} in ({"one"}, {"two"})
    assert [id(one) for one in order] == [id(one) for one in nested(pool, draw=3)]


def test_cells_that_were_not_annotated_are_not_known(images: list[LabelledImage]):
    plane = plane_of(images[0])
    chosen = [one for one in examples_of([plane]) if one.found.label in (2, 5)]

    found = annotated(chosen)

    assert {one.plane for one in found} == {found[0].plane}
    assert set(np.unique(found[0].plane.labels)) == {0, 2, 5}


def test_a_mean_is_told_with_its_standard_error():
    assert spread([2.0, 4.0], 2) == "3.00 ± 1.00"
    assert spread([2.0], 1) == "2.0"


def test_a_folder_s_planes_are_named_by_their_files(folder: Path):
    planes = planes_in(folder / "images", folder / "labels")

    assert [one.name for one in planes] == ["one", "two"]
    assert lesson_of(planes).planes == ["one", "two"]
