"""DenseNet-121 as an encoder of more than colours."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import densenet121
from torchvision.models.densenet import DenseNet as Official

from napari_iseg.nets.papers import densenet
from napari_iseg.nets.papers.densenet import DenseNet, today
from tests.nets.papers.measures import parameter_count, receptive_field


def shapes(net: nn.Module) -> list[tuple[int, ...]]:
    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    return [(m.in_channels, m.out_channels, m.kernel_size[0]) for m in layers]


def test_its_layers_are_torchvision_s_with_more_channels_in() -> None:
    with torch.device("meta"):
        official, net = densenet121(weights=None), DenseNet(channels=5)

    assert shapes(net)[0] == (5, 64, 7)
    assert shapes(net)[1:] == shapes(official)[1:]
    assert len(shapes(net)) == 120  # and the classifier


def test_last_norm_and_classifier_are_left_out() -> None:
    official = 7_978_856
    classifier, last_norm, maps = 1024 * 1000 + 1000, 2 * 1024, 2 * 64 * 49

    ours = parameter_count(lambda: DenseNet(channels=5))

    assert ours == official - classifier - last_norm + maps == 6_958_080


@pytest.mark.parametrize("width", [1, 0.5, 1 / 32])
def test_widths_are_what_comes_out(width: float) -> None:
    net = DenseNet(width).eval()

    scales = net(torch.rand(1, 3, 64, 96))

    assert tuple(one.shape[1] for one in scales) == net.widths
    assert [one.shape[2:] for one in scales] == [(16, 24), (8, 12), (4, 6), (2, 3)]
    if width == 1:
        assert net.widths == (256, 512, 1024, 1024)


def test_every_block_sees_as_far_as_its_kernels_add_up_to() -> None:
    net = DenseNet(1 / 64, 1).eval().double()
    # Stem 7, pooling 3, two poolings of 2; then layers of 3 at strides 4, 8, 16.
    fields = {0: 11 + 6 * 8, 1: 63 + 12 * 16, 2: 263 + 24 * 32}

    for block, field in fields.items():
        see = lambda image, block=block: net(image)[block][:, -1:]  # noqa: E731
        assert receptive_field(see, (1, 32, 2560 if block == 2 else 640)) == field


def file_of(official: nn.Module) -> dict[str, Tensor]:
    """A state dict with the names of torchvision's old file."""
    return {
        name.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): tensor
        for name, tensor in official.state_dict().items()
    }


def test_names_of_the_old_file_are_those_of_today() -> None:
    official = Official(2, (1, 1, 1, 1), 4, num_classes=1)

    names = {today(name) for name in file_of(official)}

    assert names == set(official.state_dict())


def test_pretrained_it_sees_colours_as_torchvision_s_and_nothing_else(
    monkeypatch,
) -> None:
    torch.manual_seed(0)
    net = DenseNet(1 / 32, 5).eval()
    official = Official(1, densenet.LAYERS, 2, num_classes=3).eval()
    for norm in official.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.normal_(0, 0.1)
    monkeypatch.setattr(densenet, "imagenet_tensors", lambda _: file_of(official))

    net.initialise()

    image, maps = torch.rand(1, 3, 64, 64), torch.rand(1, 2, 64, 64)
    deepest = net(torch.cat([image, maps], 1))[-1]
    assert torch.allclose(
        official.features.norm5(deepest), official.features(image), atol=1e-5
    )
