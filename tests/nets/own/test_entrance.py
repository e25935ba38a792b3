"""Maps beside the image, with the first convolution's weights: section 3.3 of BRS."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg.nets.own.entrance import (
    AT_INPUT,
    AtConvolution,
    AtInput,
    first_convolution,
)
from tests.own_networks import tiny_unet

IMAGE = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(0))
MAPS = torch.randn(1, 3, 32, 48, generator=torch.Generator().manual_seed(1))


class ReadsTwice(nn.Module):
    """Its last layer sees the image again."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.last = nn.Conv2d(7, 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.last(torch.cat([image, self.first(image).relu()], 1))


def operated(net: nn.Module, name: str) -> nn.Module:
    """Figure 6 to the letter: the convolution gets twice the channels, weights copied.

    It reads what lies in ``maps`` beside what the network gives it.
    """
    net = deepcopy(net)
    old = net.get_submodule(name)
    assert isinstance(old, nn.Conv2d)

    class Wide(nn.Conv2d):
        maps = torch.zeros(0)

        def forward(self, image: Tensor) -> Tensor:
            return super().forward(torch.cat([image, self.maps], 1))

    wide = Wide(
        2 * old.in_channels,
        old.out_channels,
        old.kernel_size,
        old.stride,
        old.padding,
        old.dilation,
        bias=old.bias is not None,
        padding_mode=old.padding_mode,
    )
    wide.weight.data = old.weight.data.repeat(1, 2, 1, 1)
    if old.bias is not None:
        wide.bias.data = old.bias.data
    parent, _, leaf = name.rpartition(".")
    setattr(net.get_submodule(parent), leaf, wide)
    return net


def answer_of_operated(net: nn.Module, name: str, maps: Tensor) -> Tensor:
    made = operated(net, name)
    made.get_submodule(name).maps = maps
    return made(IMAGE)


def first_layers() -> list[nn.Conv2d]:
    return [
        nn.Conv2d(3, 8, 3, padding=1),
        nn.Conv2d(3, 8, 7, 2, 3, bias=False),
        nn.Conv2d(3, 8, 3, padding=2, dilation=2, padding_mode="reflect"),
        nn.Conv2d(3, 8, 5, padding=0),
    ]


@pytest.mark.parametrize("which", range(4))
def test_adding_the_maps_is_what_more_channels_with_the_same_weights_do(which: int):
    """For any first convolution: it is linear, and adds its bias once."""
    torch.manual_seed(which)
    net = nn.Sequential(first_layers()[which], nn.Tanh(), nn.Conv2d(8, 1, 1))
    expected = answer_of_operated(net, "0", MAPS)

    beside = AtConvolution.of(net, "0").run(net, IMAGE, MAPS)
    over = AtInput().run(net, IMAGE, MAPS)

    torch.testing.assert_close(beside, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(over, expected, atol=1e-5, rtol=1e-5)


def test_zeros_change_no_bit():
    net = tiny_unet(3).eval()
    usual = net(IMAGE)
    zeros = torch.zeros_like(IMAGE)

    entrance = AtConvolution.of(net, "fine.0")

    assert torch.equal(entrance.run(net, IMAGE, zeros), usual)
    assert torch.equal(AtInput().run(net, IMAGE, zeros), usual)
    assert torch.equal(net(IMAGE), usual)


def test_a_network_that_reads_its_image_twice_sees_the_maps_once():
    """As in figure 6; laid over the input they would be seen everywhere."""
    torch.manual_seed(0)
    net = ReadsTwice()
    expected = answer_of_operated(net, "first", MAPS)

    beside = AtConvolution.of(net, "first").run(net, IMAGE, MAPS)

    torch.testing.assert_close(beside, expected, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(AtInput().run(net, IMAGE, MAPS), expected, atol=1e-2)


def test_the_maps_are_differentiable():
    net = tiny_unet(3).eval()
    maps = torch.zeros_like(IMAGE).requires_grad_()

    answer = AtConvolution.of(net, "fine.0").run(net, IMAGE, maps)
    (slope,) = torch.autograd.grad(answer.sum(), maps)

    assert slope.abs().max() > 0


def test_the_first_convolution_is_the_one_that_runs_first():
    """Not the one that was made first."""
    net = tiny_unet(3)

    assert next(name for name, _ in net.named_modules() if name) == "score"
    assert first_convolution(net, IMAGE) == "fine.0"


def test_a_network_without_a_convolution_is_told_what_it_can_do():
    class ByPixel(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return F.conv2d(image, torch.ones(1, 3, 1, 1))

    with pytest.raises(
        ValueError,
        match="found no first convolution: ByPixel runs no Conv2d on its image; "
        "say first_conv='input' to lay the maps over",
    ):
        first_convolution(ByPixel(), IMAGE)


@pytest.mark.parametrize("name", ["first", "fine", ""])
def test_a_name_that_is_no_convolution_is_answered_with_those_there_are(name: str):
    with pytest.raises(
        ValueError, match=f"no convolution '{name}'; it has score, fine.0, coarse.0; or"
    ):
        AtConvolution.of(tiny_unet(), name)


def test_a_long_list_of_convolutions_is_cut():
    net = nn.Sequential(*(nn.Conv2d(1, 1, 1) for _ in range(11)))

    with pytest.raises(ValueError, match=r"it has 0, 1, 2, 3, 4, 5, 6, 7 and 3 more"):
        AtConvolution.of(net, "stem")


def test_a_convolution_that_reads_another_size_than_the_image_is_refused():
    class Enlarging(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 1, 1)

        def forward(self, image: Tensor) -> Tensor:
            return self.conv(F.interpolate(image, scale_factor=2.0))

    net = Enlarging()
    entrance = AtConvolution.of(net, "conv")

    with pytest.raises(
        ValueError,
        match="reads 3 x 64 x 96 where the network is given 3 x 32 x 48; say "
        f"first_conv='{AT_INPUT}'",
    ):
        entrance.run(net, IMAGE, MAPS)
