"""Networks for dense segmentation learn classes of pixels from labelled cells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_iseg.nets.papers.description import described, read_network
from napari_iseg.weights import read_card
from tests.training.tiny_data import write_sets
from training.__main__ import main
from training.cell_targets import (
    BACKGROUND,
    BORDER,
    CELL,
    cell_classes,
    nearest_two,
    seam_weight,
)
from training.class_files import kind_of
from training.dense import DenseTrainer, foreground, side_by_side
from training.early_stopping import Marks
from training.engine import save
from training.field_sets import field_sets, named_images, opened_fields
from training.fields import CellFields, Field, FieldSettings
from training.images import IGNORED, LabelledImage
from training.recipe import overridden
from training.recipes import recipe_of
from training.samples import SampleSettings
from training.sources import TrainingSet

CPU = torch.device("cpu")
SMALL = (
    "width=0.03125",
    "steps=3",
    "batch=2",
    "warm_up=1",
    "validate=3",
    "samples.side=32",
    "fields.shares=(('usiigaci', 0.5), ('dsb2018', 0.5))",
)


def two_cells(gap: int) -> np.ndarray:
    """Two squares of ten pixels, ``gap`` columns of background between them."""
    labels = np.zeros((20, 40), np.int32)
    labels[5:15, 5:15] = 1
    labels[5:15, 15 + gap : 25 + gap] = 2
    return labels


def classes_of(labels: np.ndarray, near: float = 2.0) -> np.ndarray:
    return cell_classes(labels, nearest_two(labels, 10)[1], near)


def test_where_cells_touch_two_pixels_of_each_are_border() -> None:
    """
    Given two cells side by side,
    when pixels get their classes,
    then two columns of each are border and the rest of both is cell.
    """
    classes = classes_of(two_cells(gap=0))

    assert (classes[10, 13:17] == BORDER).all()
    assert classes[10, 12] == classes[10, 17] == CELL
    assert classes[10, 4] == classes[2, 10] == BACKGROUND


def test_a_thin_seam_stays_background_and_makes_borders_thinner() -> None:
    """
    Given two cells with one column between them, and with two,
    when pixels get their classes,
    then one column of each cell is border, then none: a cell two pixels away is
    apart by itself.
    """
    one, two = classes_of(two_cells(gap=1)), classes_of(two_cells(gap=2))

    assert one[10, 13:18].tolist() == [CELL, BORDER, BACKGROUND, BORDER, CELL]
    assert BORDER not in two


labelled = st.integers(0, 2**32 - 1).map(
    lambda seed: cv2.resize(
        np.random.default_rng(seed).integers(0, 6, (6, 7)).astype(np.float32),
        (35, 30),
        interpolation=cv2.INTER_NEAREST,
    ).astype(np.int32)
)


@settings(max_examples=30, deadline=None)
@given(labels=labelled)
def test_cells_and_borders_are_the_foreground_and_cells_never_touch(labels) -> None:
    """
    Given any label image,
    when pixels get their classes,
    then those that are not background are exactly the objects, and no two pixels of
    class cell that touch are of different objects.
    """
    classes = classes_of(labels)

    assert np.array_equal(classes != BACKGROUND, labels > 0)
    for axis in (0, 1):
        one, other = (np.delete(labels, at, axis) for at in (0, -1))
        both = np.delete(classes, 0, axis) == CELL
        both &= np.delete(classes, -1, axis) == CELL
        assert np.array_equal(one[both], other[both])


@settings(max_examples=20, deadline=None)
@given(labels=labelled)
def test_distances_are_those_to_the_two_nearest_objects(labels) -> None:
    reach = 8.0
    first, second = nearest_two(labels, reach)

    away = [
        cv2.distanceTransform((labels != k).astype(np.uint8), cv2.DIST_L2, 0)
        for k in np.unique(labels[labels > 0])
    ]
    away += [np.full(labels.shape, reach, np.float32)] * 2
    expected = np.sort(np.minimum(away, reach), axis=0)
    np.testing.assert_allclose(first, expected[0], atol=1e-4)
    np.testing.assert_allclose(second, expected[1], atol=1e-4)


def test_seams_count_more_the_narrower_they_are() -> None:
    """
    Given two cells with a gap of one, three and seven pixels,
    when pixels are weighted as in equation 2,
    then the middle of the gap counts 1 + w0 exp(-(d1 + d2)^2 / 2 sigma^2).
    """
    for gap in (1, 3, 7):
        weight = seam_weight(*nearest_two(two_cells(gap), 15), most=10, width=5)
        both = gap + 1
        expected = 1 + 10 * np.exp(-(both**2) / 50)
        assert weight[10, 15 + gap // 2] == pytest.approx(expected, rel=1e-4)


def test_ignored_pixels_are_no_object_and_do_not_count(
    images: list[LabelledImage],
) -> None:
    """
    Given an image of which a half is labelled as ignored,
    when fields are cut from it,
    then nothing counts there, and other pixels do.
    """
    ignored = images[0].labels.copy()
    ignored[:, 80:] = IGNORED
    image = replace(images[0], labels=ignored)
    plain = SampleSettings(side=96, drawn=0, rendered=0, varied=0.0)
    fields = CellFields(
        {"one": TrainingSet([image], 1)}, FieldSettings(), plain, seed=0
    )

    found = [fields[i] for i in range(4)]

    assert all((one.counted == 0).any() and (one.counted > 0).any() for one in found)
    assert all((one.classes[one.counted == 0] == BACKGROUND).all() for one in found)


def test_a_field_is_a_function_of_its_number(images: list[LabelledImage]) -> None:
    sets = {"drawn": TrainingSet(images, 1.0)}
    chosen = FieldSettings(bent=4.0, contrast=0.5, scale=(0.5, 2.0))
    one, other = (
        CellFields(sets, chosen, SampleSettings(side=48), seed=3) for _ in range(2)
    )

    for number in (5, 1, 5):
        a, b = one[number], other[number]
        assert a.image.shape == (48, 48, 3)
        np.testing.assert_array_equal(a.image, b.image)
        np.testing.assert_array_equal(a.classes, b.classes)
        np.testing.assert_array_equal(a.counted, b.counted)


def test_of_a_network_without_padding_the_middle_is_learnt(
    images: list[LabelledImage],
) -> None:
    """
    Given a network that loses 20 rows and columns,
    when fields are cut for it,
    then the classes are those of the middle of the image.
    """
    sets, plain = {"drawn": TrainingSet(images, 1.0)}, SampleSettings(side=64)
    whole = CellFields(sets, FieldSettings(), plain, seed=1)[0]
    middle = CellFields(sets, FieldSettings(), plain, seed=1, lost=20)[0]

    assert middle.image.shape == (64, 64, 3)
    np.testing.assert_array_equal(middle.classes, whole.classes[10:-10, 10:-10])


def blank(*grid: int) -> Field:
    ones = np.ones(grid, np.float32)
    return Field(np.ones((*grid, 3), np.float32), ones.astype(np.uint8), ones)


def test_smaller_fields_are_filled_up_by_pixels_that_do_not_count() -> None:
    one, two = blank(4, 6), blank(8, 2)

    batch = side_by_side([one, two], torch.device("cpu"))

    assert batch.image.shape == (2, 3, 8, 6)
    assert batch.counted.sum() == 4 * 6 + 8 * 2


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_foreground_is_all_that_is_not_background(seed) -> None:
    logits = 3 * torch.randn(1, 4, 2, 2, generator=torch.Generator().manual_seed(seed))

    said = foreground(logits).sigmoid()

    assert torch.allclose(said[:, 0], 1 - logits.softmax(1)[:, 0], atol=1e-6)


def test_weights_are_kept_where_the_iou_was_best() -> None:
    marks = Marks().after_iou(0.4)
    assert marks.is_newest_best
    marks = marks.after_iou(0.3)
    assert not marks.is_newest_best
    assert marks.after_iou(0.5).is_newest_best


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_sets(tmp_path / "data")
    monkeypatch.setenv("ISEG_DATA", str(root))
    return root


def test_a_run_is_trained_looked_at_and_exported(data: Path, tmp_path: Path) -> None:
    """
    Given the recipe for cells with a tiny network,
    when it is trained from the command line and exported,
    then the held-out image was looked at, and the exported file says its network, its
    data sets and its limits.
    """
    run, output = tmp_path / "run", tmp_path / "unet-brs.safetensors"
    words = [word for one in SMALL for word in ("--set", one)]

    train = ["train", "unet-brs", "--workers", "0", "--out", str(run), *words]
    assert main(train) == 0
    assert main(["export", str(run / "best.pt"), "-o", str(output)]) == 0

    assert (run / "validation.csv").read_text().count("\n") == 2
    assert described(output).arguments["classes"] == 3
    with torch.no_grad():
        answer = read_network(output, "unet-brs")(torch.rand(1, 1, 20, 21))
    assert answer.shape == (1, 3, 20, 21)
    card = read_card(output.with_suffix(".json"))
    assert card.trained_on == ("usiigaci", "dsb2018")
    assert "phase contrast" in card.limits


def test_a_resumed_run_equals_the_uninterrupted_one(data: Path, tmp_path: Path) -> None:
    """
    Given a run that is killed after two steps,
    when it goes on for two more from its checkpoint,
    then its weights are those of a run of four steps, to the last bit.
    """
    words = (*SMALL, "steps=4", "precision='fp32'")
    recipe = overridden(recipe_of("unet-brs"), words)
    fields, recipe, _ = opened_fields(recipe)

    def trained(trainer: DenseTrainer, until: int) -> DenseTrainer:
        while trainer.step < until:
            first = 2 * trainer.step
            trainer.train_step([fields[first], fields[first + 1]])
        return trainer

    once = trained(DenseTrainer(recipe, CPU), 4)
    save(trained(DenseTrainer(recipe, CPU), 2), tmp_path / "checkpoint.pt")
    resumed = DenseTrainer(recipe, CPU)
    assert resumed.restore(tmp_path / "checkpoint.pt") == []
    trained(resumed, 4)

    pairs = zip(
        once.net.state_dict().items(), resumed.net.state_dict().items(), strict=True
    )
    assert all(torch.equal(a, b) for (_, a), (_, b) in pairs)


def test_what_ships_is_small_and_never_sees_what_is_held_out(data: Path) -> None:
    """
    Given the recipe of the network that ships,
    when its images are listed,
    then it has at most two million parameters and no image is trained on that is
    looked at.
    """
    recipe = recipe_of("unet-brs")
    small = overridden(recipe, SMALL)

    trained = field_sets(small, "", kept=False)["usiigaci"].images
    looked_at = field_sets(small, "", kept=True)["usiigaci"].images

    assert sum(p.numel() for p in recipe.trainable().build().parameters()) <= 2_000_000
    assert looked_at
    assert not {one.name for one in trained} & {one.name for one in looked_at}


def test_a_share_of_no_cell_set_is_refused(data: Path) -> None:
    recipe = overridden(recipe_of("unet-brs"), ["fields.shares=(('usigaci', 1.0),)"])

    with pytest.raises(ValueError, match=r"fields.shares=.*usigaci.* must name some"):
        opened_fields(recipe)


def test_the_papers_recipe_is_ronnebergers(tmp_path: Path, monkeypatch) -> None:
    """
    Given PhC-C2DH-U373 as the Cell Tracking Challenge hands it out, in miniature,
    when the paper's recipe opens it,
    then it trains on sequence 01, looks at 02, cuts tiles of 572 pixels for answers of
    388, and the network has two classes and no padding.
    """
    for sequence in ("01", "02"):
        for kind in (sequence, f"{sequence}_GT/SEG"):
            (tmp_path / "PhC-C2DH-U373" / kind).mkdir(parents=True)
        grey = np.full((60, 70), 90, np.uint8)
        cell = cv2.circle(np.zeros((60, 70), np.uint16), (30, 30), 12, 1, -1)
        base = tmp_path / "PhC-C2DH-U373"
        cv2.imwrite(str(base / sequence / "t003.tif"), grey + 40 * (cell > 0))
        cv2.imwrite(str(base / f"{sequence}_GT/SEG" / "man_seg003.tif"), cell)
    monkeypatch.setenv("ISEG_DATA", str(tmp_path))
    recipe = recipe_of("unet-brs", "paper")

    fields, _, broken = opened_fields(recipe)
    net = recipe.trainable().build()

    assert not broken
    assert {c.image.name for c in fields.choices} == {"01/t003"}
    assert fields[0].image.shape == (572, 572, 3)
    assert fields[0].classes.shape == (388, 388)
    assert BORDER not in fields[0].classes
    assert (net.score.out_channels, net.padded, recipe.momentum) == (2, False, 0.99)
    with pytest.raises(ValueError, match=r"no image of .* begins '03/'"):
        named_images("ctc/PhC-C2DH-U373", "03/")


def test_fcn_learns_kinds_and_is_exported(data: Path, tmp_path: Path) -> None:
    """
    Given two cell sets, each with one kind of object,
    when FCN's small recipe is run on them, tiny,
    then the classes of a sample are those of its set, and the exported network knows
    all kinds.
    """
    run, output = tmp_path / "run", tmp_path / "fcn-brs.safetensors"
    words = [word for one in SMALL for word in ("--set", one)]
    recipe = overridden(recipe_of("fcn-brs"), SMALL)
    fields, _, _ = opened_fields(recipe)

    seen = {int(one) for i in range(12) for one in np.unique(fields[i].classes)}
    assert main(["train", "fcn-brs", "--workers", "0", "--out", str(run), *words]) == 0
    assert main(["export", str(run / "checkpoint.pt"), "-o", str(output)]) == 0

    assert seen == {0, 1, 2}  # dsb2018 and usiigaci
    with torch.no_grad():
        answer = read_network(output, "fcn-brs")(torch.rand(1, 3, 20, 21))
    assert answer.shape == (1, 6, 20, 21)
    assert "five kinds" in read_card(output.with_suffix(".json")).limits


def test_an_image_of_no_kind_is_refused() -> None:
    with pytest.raises(ValueError, match=r"objects of 'cars' are none of \['dsb2018'"):
        kind_of("cars/1")
