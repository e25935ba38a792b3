"""U-Net for cells as two methods: one that needs no click, one that obeys them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_iseg.catalog import load_automatic
from napari_iseg.clicks import Click, Clicks
from napari_iseg.image_files import read_image
from napari_iseg.nets.papers.description import Description
from napari_iseg.refine.unet import build, build_automatic
from training.datasets.table import open_dataset
from training.metrics.instances import instance_quality


def weights(folder: Path, **arguments) -> Path:
    """A U-Net that tells by brightness alone, as if it had learnt to."""
    arguments = {"width": 1 / 16, "padded": True, "normed": True, **arguments}
    description = Description("unet-brs", arguments)
    torch.manual_seed(0)
    net = description.build()
    path = folder / "unet.safetensors"
    save_file(told_to_see_brightness(net).state_dict(), path, description.metadata())
    return path


@torch.no_grad()
def told_to_see_brightness(net):
    """Along the upper path the image goes through to the answer; that is all."""
    for level in (net.down[0], net.merge[-1]):
        for convolution in (one for one in level if isinstance(one, torch.nn.Conv2d)):
            convolution.weight[0] = 0
            convolution.weight[0, 0, 1, 1] = 1
    net.score.weight[:] = 0
    net.score.weight[1, 0] = 20
    net.score.bias[:] = torch.tensor([0.0, -10.0, -9.0])[: net.score.out_channels]
    return net


def cells() -> np.ndarray:
    rows, columns = np.ogrid[:90, :120]
    discs = [np.hypot(rows - r, columns - c) < 14 for r, c in ((30, 30), (60, 80))]
    return (np.any(discs, axis=0) * 200 + 20).astype(np.uint8)


def test_it_finds_every_cell_by_itself(tmp_path):
    labels = build_automatic("cpu", weights(tmp_path)).segment(cells())

    assert labels.max() == 2
    assert np.mean((labels > 0) == (cells() > 100)) > 0.98


def test_one_click_is_one_cell_and_a_second_one_corrects_it(tmp_path):
    """Given a network that knows nothing of clicks,
    when the user clicks on a cell and then says that a part is none of it,
    then one cell is answered, and both clicks are right."""
    predictor = build("cpu", weights(tmp_path)).prepare(cells())
    first = Clicks.at(positive=[(30, 30)])

    mask = predictor.predict(first) > 0.5
    corrected = predictor.predict(first.adding(Click(30, 38, is_positive=False))) > 0.5

    assert mask[30, 30]
    assert not mask[60, 80]
    assert mask[30, 38]
    assert corrected[30, 30]
    assert not corrected[30, 38]


@pytest.mark.data
def test_its_weights_find_cells_that_training_held_out(data_root):
    """Given a field of phase-contrast cells, when U-Net has found all it can,
    then F1 of the cells is a quarter at least; this is a dense field."""
    found = open_dataset("usiigaci/val", data_root)
    name = found.samples()[0]
    one = found.read(name)
    field = name.partition("/")[0]
    truth = read_image(data_root / f"cells/usiigaci/train/labels/{field}.png")

    labels = load_automatic("unet-brs", device="cpu").segment(one.image)

    assert instance_quality(labels, truth).rq > 1 / 4


def test_weights_without_borders_cannot_tell_cells_from_cells(tmp_path):
    path = weights(tmp_path, classes=2)

    assert build("cpu", path) is not None
    with pytest.raises(ValueError, match="tell 2 classes apart; to tell cells from"):
        build_automatic("cpu", path)


def test_a_device_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no device 'tpu'"):
        build_automatic("tpu", weights(tmp_path))
