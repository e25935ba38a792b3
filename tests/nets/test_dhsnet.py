"""DHSNet is built as published: one coarse look at the whole, four steps finer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from napari_iseg.nets import dhsnet
from napari_iseg.nets.dhsnet import (
    TIMES,
    DHSNet,
    RecurrentLayer,
    Refinement,
    ResponseNorm,
    Square,
)
from napari_iseg.nets.papers.vgg import VGG
from tests.nets.papers.measures import awake, disc, iou, parameter_count

NARROW = 1 / 16

# By hand: squashing 1x1, feeding and repeating 3x3, scoring 3x3.
REFINEMENTS = {
    channels: (channels + 1) * 64 + (9 * 65 + 1) * 64 + 9 * 64 * 64 + 9 * 64 + 1
    for channels in (512, 256, 128, 64)
}


@pytest.mark.parametrize(
    ("part", "parameters"),
    [
        ("trunk", 14_714_688),  # VGG-16 without its linear layers
        ("overview", (14 * 14 * 512 + 1) * 784),
        ("refine", sum(REFINEMENTS.values())),
    ],
)
def test_each_part_has_as_many_parameters_as_published(part, parameters) -> None:
    assert parameter_count(lambda: DHSNet().get_submodule(part)) == parameters


def test_a_repeating_layer_shares_its_weights_over_time() -> None:
    """
    Given a recurrent layer,
    when it runs by the equation: z(t) = f * u + r * x(t - 1) + b, x = LRN(ReLU(z)),
    then its answer after three repetitions is that of the layer, and it has the
    weights of two convolutions, not of four.
    """
    layer = RecurrentLayer(5, 8)
    given = torch.randn(1, 5, 9, 9)
    fed = F.conv2d(given, layer.feed.weight, layer.feed.bias, padding=1)
    state = layer.norm(F.relu(fed))
    for _ in range(3):
        again = F.conv2d(state, layer.again.weight, padding=1)
        state = layer.norm(F.relu(fed + again))

    assert TIMES == 3
    assert torch.equal(layer(given), state)
    assert sum(p.numel() for p in layer.parameters()) == 9 * 5 * 8 + 8 + 9 * 8 * 8


def test_the_normalisation_is_torchs() -> None:
    features = 30 * torch.rand(2, 12, 5, 6)
    theirs = nn.LocalResponseNorm(9, 1e-3, 0.75, 1.0)

    assert torch.allclose(ResponseNorm(12)(features), theirs(features), rtol=1e-5)


def test_maps_become_finer_from_28_to_224_pixels() -> None:
    """
    Given a narrow network of the published form,
    when it sees an image of another size,
    then its five maps have 28, 28, 56, 112 and 224 pixels a side, and the last one is
    given back in the size of the image.
    """
    net = DHSNet(NARROW).eval()
    finest = []
    net.refine[-1].register_forward_hook(lambda _net, _in, out: finest.append(out))

    with torch.no_grad():
        answer = net(torch.rand(2, 3, 60, 90))

    assert [one.shape[-1] for one in answer.coarser] == [28, 28, 56, 112]
    assert finest[0].shape == (2, 1, 224, 224)
    assert answer.logits.shape == (2, 1, 60, 90)


def test_each_step_sees_vggs_features_of_its_own_size() -> None:
    steps = DHSNet(NARROW).refine

    assert all(isinstance(one, Refinement) for one in steps)
    assert [one.squash.in_channels for one in steps] == [32, 16, 8, 4]


def test_it_finds_what_stands_out() -> None:
    """
    Given a small version and one bright disc,
    when it is trained on it for a few steps with all maps supervised,
    then the disc is found.
    """
    torch.manual_seed(0)
    net = DHSNet(1 / 8, side=64)
    image, truth = disc(64)
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(40):
        answer = net(image)
        maps = (answer.logits, *answer.coarser)
        loss = sum(
            F.binary_cross_entropy_with_logits(
                one, F.adaptive_avg_pool2d(truth, one.shape[-2:])
            )
            for one in maps
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    assert iou(net(image).logits, truth) > 0.8


def test_it_may_begin_with_vggs_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Given weights of VGG-16,
    when a network of the paper's size begins with them,
    then its trunk is VGG-16; a narrow one is refused.
    """
    tensors = {}
    number = 0
    for stage in VGG(16).stages:
        for layer in stage.layers:
            tensors[f"features.{number}.weight"] = layer.weight.detach() * 0 + 0.5
            tensors[f"features.{number}.bias"] = layer.bias.detach()
            number += 2
    monkeypatch.setattr(dhsnet, "vgg_tensors", lambda depth: tensors)

    net = DHSNet(side=32, pretrained=True)

    assert all((one.weight == 0.5).all() for one in net.trunk.convolutions())
    with pytest.raises(ValueError, match=r"fit only width=1.0"):
        DHSNet(0.5, pretrained=True)


def test_a_side_that_poolings_do_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 16 pixels, got 100"):
        DHSNet(NARROW, side=100)


@pytest.mark.parametrize("grid", [(1, 1), (30, 90), (90, 31)])
def test_a_narrow_image_is_squeezed_evenly(grid: tuple[int, int]) -> None:
    """
    Given an image that is no square,
    when it is shown as one,
    then the answer is the network's to the image with its mirror image, cut back.
    """
    net = awake(DHSNet(NARROW, side=32)).eval()
    height, width = grid
    image = torch.rand(1, 3, *grid)
    side = max(grid)
    mirrored = np.pad(
        image.numpy(),
        ((0, 0), (0, 0), (0, side - height), (0, side - width)),
        "reflect",
    )

    with torch.no_grad():
        answer = Square(net)(image)
        expected = net(torch.from_numpy(mirrored)).logits[..., :height, :width]

    assert torch.equal(answer, expected)
