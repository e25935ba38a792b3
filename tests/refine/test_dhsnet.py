"""DHSNet as a method: it squeezes what it is shown, so it is shown windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from napari_iseg import Click, Clicks
from napari_iseg.nets.dhsnet import Answer, DHSNet, resized
from napari_iseg.nets.papers.description import Description
from napari_iseg.refine.dhsnet import LARGEST, build, one_object
from tests.nets.papers.measures import awake

SIDE = 32
ROWS, COLUMNS = np.indices((300, 400))


class Bright(DHSNet):
    """What is bright is salient, on the grid that the network squeezes images to."""

    def __init__(self) -> None:
        super().__init__(1 / 16, side=SIDE)
        self.see = nn.Conv2d(3, 1, 1)
        with torch.no_grad():
            self.see.weight.fill_(10)
            self.see.bias.fill_(-15)

    def forward(self, image: Tensor) -> Answer:
        height, width = image.shape[-2:]
        logits = self.see(resized(image, (SIDE, SIDE)))
        return Answer(resized(logits, (height, width)), ())


def cell(radius: int) -> np.ndarray:
    return np.hypot(ROWS - 150, COLUMNS - 220) < radius


def picture(radius: int) -> np.ndarray:
    return (cell(radius) * 200 + 20).astype(np.uint8)


@pytest.mark.parametrize(("radius", "extent"), [(8, SIDE), (40, LARGEST * SIDE)])
def test_a_window_is_as_large_as_the_object_needs(radius: int, extent: int) -> None:
    """
    Given a network that squeezes every image to 32 pixels a side,
    when an object of a large image is clicked,
    then the window around it is no larger than it must be, and the object is found.
    """
    predictor = one_object(Bright(), "cpu").prepare(picture(radius))
    clicks = Clicks.at([(150, 220)])

    mask = predictor.predict(clicks) > 0.5

    truth = cell(radius)
    assert predictor.network.state(clicks).window.extent == extent
    assert (mask & truth).sum() / (mask | truth).sum() > 0.8


def test_a_click_that_contradicts_is_obeyed() -> None:
    clicks = Clicks.at([(150, 220)]).adding(Click(150, 226, is_positive=False))

    mask = one_object(Bright(), "cpu").prepare(picture(8)).predict(clicks) > 0.5

    assert mask[150, 220]
    assert not mask[150, 226]


def test_its_weights_are_read_from_a_file_and_those_of_others_are_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "weights.safetensors"
    for name, arguments in (
        ("dhsnet-brs", {"width": 1 / 16, "side": SIDE}),
        ("fcn-brs", {"width": 1 / 32, "classes": 3}),
    ):
        kind = Description(name, arguments)
        save_file(awake(kind.build()).state_dict(), path, metadata=kind.metadata())
        if name == "dhsnet-brs":
            predictor = build("cpu", path).prepare(picture(8))
            assert predictor.predict(Clicks.at([(150, 220)])).shape == (300, 400)

    with pytest.raises(ValueError, match="weights of 'fcn-brs', not of 'dhsnet-brs'"):
        build("cpu", path)
