"""The tables of BRS' training-free conversion come from one command each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from napari_iseg import Click
from napari_iseg.intensities import DtypeRange
from napari_iseg.nets.papers.description import Description
from napari_iseg.refine.class_clicks import ByClass, ClassClick
from napari_iseg.refine.conversion import AllAtOnce, Reads, Softmax, make_interactive
from tests.nets.papers.measures import awake
from tests.training.conftest import drawn_image
from tests.training.datasets.miniatures import MINIATURES
from tests.training.tiny_data import SETS, write_sets
from training import class_files, sources
from training.__main__ import main
from training.conversion.cells import Cells, Truth, table_4
from training.conversion.journal import Journal
from training.conversion.networks import weights_of
from training.conversion.saliency import f_measure, precision_recall
from training.conversion.semantic import Semantic, next_click, table_3
from training.conversion.series import Robot
from training.images import IGNORED, LabelledImage
from training.metrics.confusion import (
    class_ious,
    confusion,
    mean_accuracy,
    mean_iou,
    pixel_accuracy,
)
from training.sources import CELL_SETS


class Bright(nn.Module):
    """Says that what is brighter than the middle is cell."""

    def __init__(self, level: float = 0.5) -> None:
        super().__init__()
        self.level, self.see = level, nn.Conv2d(1, 1, 3, padding=1, bias=False)
        with torch.no_grad():
            self.see.weight.fill_(1 / 9)

    def forward(self, image: Tensor) -> Tensor:
        return 12 * (self.see(image) - self.level)


def two_cells() -> LabelledImage:
    """A bright cell, and a dim one that a threshold misses."""
    labels = np.zeros((48, 64), np.uint16)
    labels[8:24, 8:24], labels[20:40, 40:56] = 1, 2
    image = np.full(labels.shape, 20, np.uint8)
    image[labels == 1], image[labels == 2] = 230, 110
    return LabelledImage("two", image, labels)


def test_a_click_on_the_missed_cell_gains_that_cell_alone() -> None:
    """
    Given a network that sees one of two cells,
    when the paper's robot clicks once,
    then the click is about the missed cell, its clicked pixel carries its label, and
    the gain is that of its own zone: the other cell is as it was.
    """
    image = two_cells()
    segmenter = make_interactive(Bright(), whole=True)

    row = Cells(segmenter, Robot("brs-paper", 1)).measured(image)
    steps = Robot("brs-paper", 1).series(
        segmenter, image.image, image.labels > 0, np.zeros(image.labels.shape, bool)
    )

    assert row["right"] == [True]
    assert row["cells"] == 2
    assert steps[1].click is not None
    assert image.labels[steps[1].click.row, steps[1].click.column] == 2
    assert row["gains"][0] > 0
    assert row["ious"][1] > row["ious"][0]


def test_every_pixel_belongs_to_the_cell_that_is_nearest_to_it() -> None:
    """
    Given two cells,
    when IoU is asked for at a click far outside of both,
    then it is that of the nearest one, among the pixels nearest to it.
    """
    image = two_cells()
    truth = Truth.of(image)
    only_first = image.labels == 1

    assert truth.zones[0, 0] == 1
    assert truth.zones[47, 63] == 2
    assert truth.iou_at(Click(0, 0, is_positive=False), only_first) == 1
    assert truth.iou_at(Click(47, 63, is_positive=True), only_first) == 0
    assert truth.iou(only_first) == pytest.approx(256 / (256 + 320))


def test_ignored_pixels_are_neither_right_nor_wrong() -> None:
    image = two_cells()
    image.labels[20:40, 40:56] = IGNORED
    truth = Truth.of(image)

    assert truth.iou(image.labels == 1) == 1
    assert set(np.unique(truth.zones)) == {1}


def test_an_image_without_a_cell_has_a_truth_too() -> None:
    empty = LabelledImage("", np.zeros((5, 5), np.uint8), np.zeros((5, 5), np.uint16))

    assert Truth.of(empty).iou(empty.labels > 0) == 1


def test_where_nothing_is_wrong_there_is_no_click_and_no_gain() -> None:
    """
    Given a network that is right everywhere,
    when the robot has nothing to click,
    then IoU stays 1, and no gain is counted.
    """
    image = two_cells()

    class Knows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.see = nn.Conv2d(1, 1, 1, bias=False)
            nn.init.ones_(self.see.weight)

        def forward(self, shown: Tensor) -> Tensor:
            return 40 * (self.see(shown) - 0.25)

    segmenter = make_interactive(Knows(), whole=True)
    row = Cells(segmenter, Robot("brs-paper", 2)).measured(image)

    assert row == {
        "ious": [1.0, 1.0, 1.0],
        "gains": [None, None],
        "right": [True, True],
        "cells": 2,
    }
    table = table_4([row], Robot("brs-paper", 2), "drawn")
    assert "| gain of clicked cells, % |  |  |  |" in table


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_sets(tmp_path / "data")
    monkeypatch.setenv("ISEG_DATA", str(root))
    return root


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Of a tiny U-Net that nobody trained."""
    torch.manual_seed(0)
    kind = Description("unet-brs", {"width": 1 / 32, "padded": True, "normed": True})
    path = tmp_path / "unet.safetensors"
    save_file(kind.build().state_dict(), path, metadata=kind.metadata())
    return path


def test_one_command_prints_table_4_and_writes_it_into_a_document(
    data: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Given weights and a document that has a place for table 4,
    when the command is run twice,
    then the paper's rows stand beneath ours, the document holds the table, and the
    second time nothing was measured again.
    """
    document, results = tmp_path / "page.md", tmp_path / "results.jsonl"
    document.write_text("Before\n<!-- table-4:begin -->\n<!-- table-4:end -->\nAfter\n")
    command = ["conversion", "unet-brs", "--weights", str(weights), "--clicks", "2"]
    command += ["-o", str(results), "--into", str(document), "--device", "cpu"]

    assert main(command) == 0
    table = capsys.readouterr().out
    before = results.read_text()
    assert main(command) == 0

    assert "| ... paper, PhC-U373 | 88.2 | 88.9 | 89.1 |" in table
    assert "| ... paper |  | 3.6 | 1.8 |" in table
    assert table in document.read_text()
    assert document.read_text().startswith("Before")
    assert results.read_text() == before
    assert len(before.splitlines()) == 1  # the only image that is held out


def test_weights_have_to_be_named_where_none_come_with_the_method(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "none.safetensors"

    assert main(["conversion", "unet-brs", "--weights", str(missing)]) == 2
    assert "there is no weights file" in capsys.readouterr().err
    assert main(["conversion", "unet-brs", "--robot", "nobody"]) == 2
    assert "--robot='nobody' is not one of" in capsys.readouterr().err


def test_a_line_that_is_no_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    journal = Journal(path, {"data": "one"})
    assert journal.rows(["a"], lambda name: {"name": name}) == [{"name": "a"}]
    path.write_text(path.read_text() + "{}\n")

    with pytest.raises(ValueError, match=r"line 2 of .* is no row of a table"):
        journal.rows(["a"], lambda name: {})


def test_rows_of_another_question_are_left_alone(tmp_path: Path) -> None:
    """
    Given a file with a row for three clicks,
    when the same image is asked about with five,
    then it is measured, and both rows are kept.
    """
    path = tmp_path / "results.jsonl"
    three, five = (Journal(path, {"clicks": n, "pair": (1, 2)}) for n in (3, 5))
    three.rows(["a"], lambda name: {"iou": 3})

    assert five.rows(["a"], lambda name: {"iou": 5}) == [{"iou": 5}]
    assert three.rows(["a"], lambda name: {"iou": 0}) == [{"iou": 3}]
    assert len([json.loads(one) for one in path.read_text().splitlines()]) == 2


def test_drawn_cells_can_be_measured(tmp_path: Path) -> None:
    row = Cells(make_interactive(Bright(), whole=True), Robot("ritm", 1)).measured(
        drawn_image("one", 1)
    )

    assert len(row["ious"]) == 2


class Bands(nn.Module):
    """Three classes: dark, middling, bright."""

    def __init__(self) -> None:
        super().__init__()
        self.see = nn.Conv2d(3, 3, 1)
        with torch.no_grad():
            self.see.weight.copy_(torch.tensor([-8.0, 0, 8])[:, None, None, None] / 3)
            self.see.bias.copy_(torch.tensor([2.0, 0, -5.5]))

    def forward(self, image: Tensor) -> Tensor:
        return self.see(image)


def test_the_semantic_robot_names_the_class_that_most_pixels_lack() -> None:
    """
    Given an answer that misses four pixels of class 1 and nine of class 2,
    when the robot clicks, and clicks again,
    then it names class 2 in the middle of the nine, and does not click there again;
    where all is right or not known, it does not click.
    """
    truth = np.zeros((12, 12), np.int64)
    truth[1:3, 1:3], truth[6:9, 6:9] = 1, 2
    truth[11] = -1
    said = np.zeros_like(truth)

    click = next_click(truth, said, [])
    other = next_click(truth, said, [ClassClick(7, 7, 2)])

    assert click == ClassClick(7, 7, 2)
    assert other is not None
    assert (other.label, (other.row, other.column) != (7, 7)) == (2, True)
    assert next_click(truth, np.where(truth < 0, 1, truth), []) is None


def test_clicks_that_name_classes_are_counted_in_one_confusion() -> None:
    """
    Given a network with three classes and an image of which it takes a part wrongly,
    when a robot names the class of a wrong pixel,
    then the clicked pixel has it, and the confusions hold every known pixel.
    """
    truth = np.zeros((32, 32), np.int64)
    truth[8:24, 8:24] = 2
    truth[0] = -1
    image = np.full((32, 32, 3), 30, np.uint8)
    image[8:24, 8:24] = 150  # looks like class 1
    reads = Reads(intensities=DtypeRange())
    converted = make_interactive(
        Bands(), output=Softmax(), reads=reads, view=AllAtOnce(), whole=True
    )

    row = Semantic(ByClass(converted), clicks=1).measured(image, truth, 3)
    table = table_3([row, row], 1, "bands")

    assert np.sum(row["confusions"][0]) == 31 * 32
    assert np.array(row["confusions"][0])[2, 1] == 16 * 16
    assert row["right"] == [True]
    assert np.array(row["confusions"][1])[2, 2] > 0
    assert "| ... paper, VOC 2012 validation | 65.4 | 70.9 |" in table
    assert "2 images, 3 classes" in table


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_accuracies_are_those_of_counting(seed: int) -> None:
    """
    Given a truth with unknown pixels and an answer,
    when both are counted class by class,
    then IoU and accuracies are those of the confusion.
    """
    rng = np.random.default_rng(seed)
    truth, said = rng.integers(-1, 4, (9, 9)), rng.integers(0, 4, (9, 9))
    known = truth >= 0

    found = confusion(truth, said, 4)

    ious = class_ious(found)
    for label in range(4):
        inside, taken = truth[known] == label, said[known] == label
        if (inside | taken).any():
            both = np.count_nonzero(inside & taken)
            assert ious[label] == both / np.count_nonzero(inside | taken)
    assert mean_iou(found) == pytest.approx(np.nanmean(ious))
    assert pixel_accuracy(found) == pytest.approx(np.mean((truth == said)[known]))
    shares = [np.mean((said == n)[truth == n]) for n in range(4) if (truth == n).any()]
    assert mean_accuracy(found) == pytest.approx(np.mean(shares))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_precision_and_recall_are_those_of_each_threshold(seed: int) -> None:
    """
    Given a saliency map with unknown pixels,
    when it is cut at every fifth of 255 grey levels,
    then precision and recall are those of each mask, and recall never rises.
    """
    rng = np.random.default_rng(seed)
    truth, ignored = rng.random((2, 8, 9)) < 0.3
    chance = (
        (rng.integers(0, 52, (8, 9)) * 5 / 255 + 1e-4).astype(np.float32).clip(0, 1)
    )

    precision, recall = precision_recall(truth & ~ignored, chance, ignored)

    for level in (0, 13, 51):
        mask = (chance >= level * 5 / 255) & ~ignored
        right = np.count_nonzero(mask & truth)
        wanted = np.count_nonzero(truth & ~ignored)
        assert precision[level] == pytest.approx(
            right / mask.sum() if mask.any() else 1
        )
        assert recall[level] == pytest.approx(right / wanted if wanted else 1)
    assert (np.diff(recall) <= 0).all()


def test_the_f_measure_weighs_precision_more() -> None:
    half, whole = np.array([0.5]), np.array([1.0])

    assert f_measure(whole, half) > f_measure(half, whole)
    assert f_measure(whole, whole) == 1
    assert f_measure(np.zeros(1), np.zeros(1)) == 0


def test_one_command_each_prints_table_3_and_figure_11(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Given weights of a tiny FCN and a tiny DHSNet, and ECSSD and our cells in miniature,
    when each command is run,
    then the table is printed, and the curves are drawn.
    """
    write_sets(tmp_path)
    MINIATURES["ecssd"][0](tmp_path)
    monkeypatch.setenv("ISEG_DATA", str(tmp_path))
    for module in (class_files, sources):
        monkeypatch.setattr(module, "CELL_SETS", {n: CELL_SETS[n] for n in SETS})
    fcn, dhsnet = tmp_path / "fcn.safetensors", tmp_path / "dhsnet.safetensors"
    narrow = {"width": 1 / 16}
    kinds = {
        fcn: Description("fcn-brs", {**narrow, "classes": 6, "padded": False}),
        dhsnet: Description("dhsnet-brs", {**narrow, "side": 32}),
    }
    for path, kind in kinds.items():
        save_file(awake(kind.build()).state_dict(), path, metadata=kind.metadata())
    common = ["--clicks", "1", "--limit", "1", "-o", str(tmp_path / "results.jsonl")]

    classes = ["fcn-brs", "--weights", str(fcn), "--data", "cell-kinds"]
    assert main(["conversion", *classes, *common]) == 0
    table_3 = capsys.readouterr().out
    salient = ["dhsnet-brs", "--weights", str(dhsnet)]
    salient += ["--figure", str(tmp_path / "curves.png")]
    assert main(["conversion", *salient, *common]) == 0
    figure_11 = capsys.readouterr().out
    assert main(["conversion", *salient, *common, "--data", "cell-windows"]) == 0
    on_cells = capsys.readouterr().out

    assert "On cell-kinds: 1 images, 6 classes." in table_3
    assert "Robot brs-paper on ecssd: 1 images." in figure_11
    assert "Robot brs-paper on cell-windows: 1 images." in on_cells
    assert "| largest F | 0." in figure_11
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_weights_of_another_network_and_missing_ones_are_refused(
    weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Given weights of a U-Net,
    when they are given as an FCN's, or none are given for a network without any,
    then a sentence says what is wrong.
    """
    assert main(["conversion", "fcn-brs", "--weights", str(weights)]) == 2
    assert "holds weights of 'unet-brs', not of an FCN" in capsys.readouterr().err
    with pytest.raises(ValueError, match="no weights come with 'dhs'; train some"):
        weights_of("dhs", None)
