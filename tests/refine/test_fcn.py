"""FCN as a method: kinds of cells in windows, VOC's classes in whole photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_iseg import Clicks, load_segmenter
from napari_iseg.nets import semantic
from napari_iseg.nets.papers.description import Description
from napari_iseg.nets.semantic import FCNResNet50
from napari_iseg.refine.conversion import AllAtOnce, InWindows
from napari_iseg.refine.fcn import build
from tests.nets.papers.measures import awake

NARROW = {"width": 1 / 32, "padded": False}


def weights(folder: Path, name: str = "fcn-brs", **arguments: Any) -> Path:
    """A network with random weights."""
    description = Description(name, arguments)
    path = folder / "weights.safetensors"
    net = awake(description.build())
    save_file(net.state_dict(), path, metadata=description.metadata())
    return path


@pytest.mark.parametrize(("classes", "view"), [(6, InWindows), (21, AllAtOnce)])
def test_what_is_looked_at_follows_from_the_classes(
    tmp_path: Path, classes: int, view: type
) -> None:
    """
    Given weights for kinds of cells, or for the classes of VOC,
    when a click is answered,
    then cells are looked at in windows, photographs as a whole, and there is a
    probability for each pixel.
    """
    image = np.random.default_rng(0).integers(0, 255, (40, 48, 3), np.uint8)

    segmenter = build("cpu", weights(tmp_path, **NARROW, classes=classes))
    answer = segmenter.prepare(image).predict(Clicks.at([(20, 30)]))

    assert isinstance(segmenter.segmenter.segmenter.view, view)
    assert answer.shape == (40, 48)
    assert np.isfinite(answer).all()
    assert segmenter.device == "cpu"


def test_a_network_with_a_frame_is_asked_as_well(tmp_path: Path) -> None:
    path = weights(tmp_path, width=1 / 32, padded=True, classes=3)
    image = np.random.default_rng(0).integers(0, 255, (40, 48), np.uint8)

    assert build("cpu", path).prepare(image).predict(Clicks()).shape == (40, 48)


def test_torchvisions_network_is_had_by_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Given the file that torchvision publishes,
    when the method is asked for with weights="torchvision",
    then it is torchvision's network, and whole photographs are looked at.
    """
    torch.manual_seed(0)
    theirs = FCNResNet50().net.state_dict()
    monkeypatch.setattr(semantic, "imagenet_tensors", lambda kind: theirs)

    segmenter = load_segmenter("fcn-brs", weights="torchvision", device="cpu")

    net = segmenter.segmenter.segmenter.model.net.net
    assert isinstance(net, FCNResNet50)
    assert torch.equal(net.net.state_dict()["classifier.4.bias"],
                       theirs["classifier.4.bias"])  # fmt: skip
    assert isinstance(segmenter.segmenter.segmenter.view, AllAtOnce)


def test_without_a_network_a_sentence_says_which_file_to_put_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise URLError("no route")

    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))

    with pytest.raises(ValueError, match=r"download https.*fcn_resnet50_coco.* put it"):
        load_segmenter("fcn-brs", weights="torchvision", device="cpu")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = weights(tmp_path, "unet-brs", width=1 / 32)

    with pytest.raises(ValueError, match="holds weights of 'unet-brs', not of an FCN"):
        build("cpu", path)
