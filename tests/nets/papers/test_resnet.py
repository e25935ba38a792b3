"""ResNets at output stride 16 as encoders of more than colours."""

from __future__ import annotations

import pytest
import torch
from torchvision.models import resnet50, resnet101

from napari_iseg.nets.papers import resnet
from napari_iseg.nets.papers.resnet import ResNet
from tests.nets.papers.measures import parameter_count

DILATED = [False, False, True]  # torchvision's way to output stride 16


@pytest.mark.parametrize(
    ("depth", "official"), [(50, resnet50), (101, resnet101)], ids=[50, 101]
)
def test_its_tensors_are_torchvision_s_with_more_channels_in(depth, official) -> None:
    with torch.device("meta"):
        theirs = official(replace_stride_with_dilation=DILATED).state_dict()
        ours = ResNet(channels=5, depth=depth).state_dict()

    del theirs["fc.weight"], theirs["fc.bias"]
    assert list(ours) == list(theirs)
    assert ours["conv1.weight"].shape == (64, 5, 7, 7)
    differing = [name for name in ours if ours[name].shape != theirs[name].shape]
    assert differing == ["conv1.weight"]


def test_it_has_the_parameters_of_torchvision_s_without_the_classifier() -> None:
    official, classifier, clicks = 25_557_032, 2048 * 1000 + 1000, 2 * 64 * 49

    ours = parameter_count(lambda: ResNet(channels=5))

    assert ours == official - classifier + clicks


@pytest.mark.parametrize("size", [(1, 1), (33, 65), (40, 50)])
def test_cells_lie_on_every_fourth_and_every_sixteenth_pixel(size) -> None:
    net = ResNet(1 / 32, 4).eval()

    fine, deep = net(torch.rand(1, 4, *size))

    assert (fine.shape[1], deep.shape[1]) == net.widths
    assert fine.shape[2:] == tuple(-(-side // 4) for side in size)
    assert deep.shape[2:] == tuple(-(-side // 16) for side in size)


def test_pretrained_it_keeps_its_own_filters_for_clicks(monkeypatch) -> None:
    torch.manual_seed(0)
    tensors = {**ResNet(1 / 32, 3).state_dict(), "fc.weight": torch.rand(3, 2)}
    net = ResNet(1 / 32, 5)
    own = net.conv1.weight.detach().clone()
    monkeypatch.setattr(resnet, "imagenet_tensors", lambda _: tensors)

    net.initialise()

    assert torch.equal(net.conv1.weight[:, :3], tensors["conv1.weight"])
    assert torch.equal(net.conv1.weight[:, 3:], own[:, 3:])
    deepest = "layer4.2.conv3.weight"
    assert torch.equal(net.state_dict()[deepest], tensors[deepest])


def test_there_is_no_resnet_of_any_depth() -> None:
    with pytest.raises(ValueError, match="50 or 101 layers, not 18"):
        ResNet(depth=18)
