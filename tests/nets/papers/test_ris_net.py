"""RIS-Net: the whole image, and a closer look between clicks."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from napari_iseg.arrays import Box
from napari_iseg.clicks import Clicks
from napari_iseg.nets.papers import ris_net
from napari_iseg.nets.papers.deeplab import LargeFOV, on_pixels
from napari_iseg.nets.papers.pyramid import PyramidPooling
from napari_iseg.nets.papers.region_features import features_of
from napari_iseg.nets.papers.ris_net import (
    FUSIONS,
    LocalHead,
    RISNet,
    drawn,
    placed,
)
from tests.nets.papers.measures import (
    awake,
    disc,
    iou,
    learn,
    maps_of,
    middle_click,
    parameter_count,
    receptive_field,
    unreached,
)

PAIR = Clicks.at(positive=[(24, 24)], negative=[(24, 44)])
LARGE = 0.25  # of the width: the largest quarter-step that a laptop's budget allows

# The spec sheet: channels out and in, kernel, dilation.
LAYERS = {
    "trunk.vgg.stages.0.layers.0": (64, 5, 3, 1),
    "trunk.vgg.stages.0.layers.1": (64, 64, 3, 1),
    "trunk.vgg.stages.1.layers.0": (128, 64, 3, 1),
    "trunk.vgg.stages.1.layers.1": (128, 128, 3, 1),
    "trunk.vgg.stages.2.layers.0": (256, 128, 3, 1),
    "trunk.vgg.stages.2.layers.1": (256, 256, 3, 1),
    "trunk.vgg.stages.2.layers.2": (256, 256, 3, 1),
    "trunk.vgg.stages.3.layers.0": (512, 256, 3, 1),
    "trunk.vgg.stages.3.layers.1": (512, 512, 3, 1),
    "trunk.vgg.stages.3.layers.2": (512, 512, 3, 1),
    "trunk.vgg.stages.4.layers.0": (512, 512, 3, 2),
    "trunk.vgg.stages.4.layers.1": (512, 512, 3, 2),
    "trunk.vgg.stages.4.layers.2": (512, 512, 3, 2),
    "trunk.conv6": (1024, 512, 3, 12),
    "trunk.conv7": (1024, 1024, 1, 1),
    "context.reduce.0": (256, 1024, 1, 1),
    "context.reduce.1": (256, 1024, 1, 1),
    "context.reduce.2": (256, 1024, 1, 1),
    "context.reduce.3": (256, 1024, 1, 1),
    "conv8": (2, 1024, 1, 1),
    "local.conv7": (1024, 2048, 1, 1),
    "local.conv8": (2, 1024, 1, 1),
}


@pytest.fixture
def net() -> RISNet:
    torch.manual_seed(0)
    return awake(RISNet(width=1 / 16)).eval()


def asked(net: RISNet, clicks: Clicks, side: int = 48, **how) -> ris_net.Answer:
    image, _ = disc(side)
    return net(image, maps_of(net, side, clicks), [clicks], **how)


def test_the_layers_are_those_of_the_spec_sheet() -> None:
    with torch.device("meta"):
        net = RISNet()

    layers = {
        name: (m.out_channels, m.in_channels, m.kernel_size[0], m.dilation[0])
        for name, m in net.named_modules()
        if isinstance(m, nn.Conv2d)
    }

    assert layers == LAYERS


def test_parameters_are_those_of_the_layers() -> None:
    largefov = 14_715_840 + 512 * 1024 * 9 + 1024 + 1024**2 + 1024
    pyramid = 4 * (1024 * 256 + 256)
    scores = 2 * 1024 + 2
    local = 2048 * 1024 + 1024 + scores

    assert (largefov, pyramid, local) == (20_485_056, 1_049_600, 2_100_226)
    assert parameter_count(RISNet) == largefov + scores + pyramid + local == 23_636_932
    assert parameter_count(lambda: RISNet(local=False, context=False)) == (
        largefov + scores
    )


def test_a_quarter_of_the_width_is_a_laptop_s_size() -> None:
    count = parameter_count(lambda: RISNet(LARGE))

    assert count == 1_480_180
    assert count <= 1_500_000


def test_a_cell_of_conv7_sees_as_far_as_large_fov_does() -> None:
    """Poolings of three pixels add 1, 2, 4, 8, 8 and 8 times two of them to VGG's."""
    convolutions = 2 * (2 + 2 * 2 + 4 * 3 + 8 * 3 + 8 * 2 * 3)  # a radius of 1 each
    poolings = 2 * (1 + 2 + 4 + 8 + 8 + 8)
    conv6 = 2 * 8 * 12
    field = 1 + convolutions + poolings + conv6

    trunk = LargeFOV(1 / 512).double().eval()

    assert field == 435
    assert receptive_field(trunk, (3, 9, 1009)) == field


def test_conv6_may_look_less_far_where_windows_are_small() -> None:
    trunk = LargeFOV(1 / 512, reach=4).double().eval()

    assert receptive_field(trunk, (3, 9, 1009)) == 435 - 2 * 8 * (12 - 4)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_network_without_dropout_answers_alike_in_training(dropout: float) -> None:
    torch.manual_seed(0)
    trunk = LargeFOV(1 / 16, dropout=dropout)
    image = torch.rand(1, 3, 33, 33)

    is_alike = torch.equal(trunk(image), trunk(image))

    assert is_alike == (dropout == 0)


@pytest.mark.parametrize(("side", "cells"), [(1, 1), (9, 2), (321, 41), (322, 42)])
def test_cells_lie_on_every_eighth_pixel(side: int, cells: int) -> None:
    features = LargeFOV(1 / 64).eval()(torch.rand(1, 3, side, side))

    assert features.shape[-2:] == (cells, cells)
    assert on_pixels(features, (side, side)).shape[-2:] == (side, side)


def test_enlarged_cells_are_exact_where_they_lie() -> None:
    cells = torch.rand(1, 2, 4, 5)

    whole = on_pixels(cells, (20, 30))

    assert torch.allclose(whole[..., ::8, ::8], cells[..., :3, :4])


def test_pooled_levels_hold_means_of_the_image() -> None:
    pyramid = PyramidPooling(3, 1, side=6)
    nn.init.ones_(pyramid.reduce[0].weight)
    nn.init.zeros_(pyramid.reduce[0].bias)
    features = torch.rand(1, 3, 12, 12)

    levels = pyramid(features)[0]

    assert levels.shape == (4, 6, 6)
    assert torch.allclose(levels[0], features.mean((2, 3)).sum())
    finest = F.relu(pyramid.reduce[3](F.avg_pool2d(features, 2)))
    assert torch.allclose(levels[3], finest[0, 0])  # six cells, a side of six


def test_what_is_taken_from_a_region_is_put_back_where_it_was() -> None:
    """A ramp over the image is a ramp in the region, to the pixel."""
    rows, columns = torch.meshgrid(
        torch.arange(13.0), torch.arange(13.0), indexing="ij"
    )
    cells = 8 * torch.stack([rows, columns])  # as conv7 of 97 pixels sees them
    box = Box(20, 30, 61, 71)

    seen = features_of(cells, [box], 41)
    back = [placed(seen[:, n : n + 1], [box], (97, 97))[0] for n in (0, 1)]

    inside = drawn([box], cells.new_zeros(97, 97))[0] > 0
    for found, axis in zip(back, (0, 1), strict=True):
        truth = torch.arange(97.0).expand(97, 97)
        truth = truth.T if axis == 0 else truth
        assert torch.allclose(found[inside], truth[inside], atol=1e-3)
        assert not found[~inside].any()


def test_context_stands_beside_the_features_of_every_region() -> None:
    """As if it were repeated and concatenated (figure 2)."""
    head = LocalHead(3 + 2, 4).eval()
    features, context = torch.rand(2, 3, 41, 41), torch.rand(2, 41, 41)

    found = head(features, context)

    both = torch.cat([features, context.expand(2, -1, -1, -1)], 1)
    assert torch.allclose(found, head.conv8(F.relu(head.conv7(both))), atol=1e-6)


def test_regions_say_nothing_outside_of_themselves(net: RISNet) -> None:
    answer = asked(net, PAIR)

    (part,), (region,) = answer.parts[0], answer.regions[0]
    assert region.sum() == 21 * 21  # columns 24 to 44
    assert part[region > 0].any()
    assert not part[region == 0].any()
    outside = region == 0
    assert torch.equal(answer.logits[0, 0][outside], answer.whole[0, 0][outside])
    assert not torch.allclose(answer.logits, answer.whole)


def test_one_positive_click_alone_is_a_region_of_the_whole_image(net: RISNet) -> None:
    answer = asked(net, middle_click(48))

    assert (answer.regions[0] == 1).all()
    assert len(answer.regions[0]) == 1


@pytest.mark.parametrize("count", [6, 20])
def test_every_positive_click_has_its_region_however_many(net, count: int) -> None:
    places = [(2 + 2 * n, 10) for n in range(count)]

    answer = asked(net, Clicks.at(places, [(40, 40)]))

    assert len(answer.parts[0]) == len(answer.regions[0]) == count
    assert answer.logits.isfinite().all()


def test_training_may_choose_regions_of_its_own(net: RISNet) -> None:
    boxes = [Box(0, 0, 9, 9), Box(5, 5, 30, 30)]

    answer = asked(net, PAIR, regions=[boxes])

    assert [int(one.sum()) for one in answer.regions[0]] == [81, 625]


def test_by_the_maximum_a_region_can_only_add() -> None:
    whole = torch.tensor([[2.0, -3.0]])
    parts, regions = torch.tensor([[[-4.0, 1.0]]]), torch.ones(1, 1, 2)

    assert FUSIONS["max"](whole, parts, regions).tolist() == [[2, 1]]
    assert FUSIONS["mean"](whole, parts, regions).tolist() == [[-1, -1]]


def test_the_maximum_of_logits_is_that_of_probabilities(net: RISNet) -> None:
    """Equation 3 is about probabilities, with zeros outside of the regions."""
    net.fusion = "max"

    answer = asked(net, PAIR)

    literally = answer.whole[0].sigmoid()
    for part, region in zip(answer.parts[0], answer.regions[0], strict=True):
        literally = torch.maximum(literally, part.sigmoid() * region)
    assert torch.allclose(answer.logits[0].sigmoid(), literally)


def test_overlapping_regions_are_averaged_with_the_whole(net: RISNet) -> None:
    boxes = [Box(0, 0, 20, 20), Box(10, 10, 30, 30)]

    answer = asked(net, PAIR, regions=[boxes])

    at = (slice(None), 15, 15)
    said = [answer.whole[0][at], *answer.parts[0][:, None][(slice(None), *at)]]
    assert torch.allclose(answer.logits[0][at], torch.stack(said).mean(0))


def test_weights_serve_either_fusion(net: RISNet) -> None:
    other = RISNet(width=1 / 16, fusion="max").eval()

    other.load_state_dict(net.state_dict())

    mended, written = asked(net, PAIR), asked(other, PAIR)
    assert torch.equal(mended.parts[0], written.parts[0])
    assert (written.logits >= written.whole).all()


def test_another_fusion_is_refused() -> None:
    with pytest.raises(ValueError, match=r"one of \['mean', 'max'\], not 'sum'"):
        RISNet(fusion="sum")


@pytest.mark.parametrize("context", [True, False])
def test_without_a_local_branch_only_the_whole_is_seen(*, context: bool) -> None:
    net = awake(RISNet(width=1 / 32, local=False, context=context)).eval()

    answer = asked(net, PAIR)

    assert torch.equal(answer.logits, answer.whole)
    assert answer.parts[0].shape == answer.regions[0].shape == (0, 48, 48)


def test_regions_know_what_lies_beside_them_only_by_context() -> None:
    """A region's cells see 435 pixels; context sees the rest of a wide image."""
    image = torch.zeros(1, 3, 8, 640)
    other = image.clone()
    other[..., 600:] = 1
    clicks = Clicks.at([(2, 2)], [(2, 10)])
    changed = []
    for context in (False, True):
        net = awake(RISNet(width=1 / 32, context=context)).eval()
        maps = torch.from_numpy(net.encoder(clicks, (8, 640)))[None]
        parts = [net(one, maps, [clicks]).parts[0] for one in (image, other)]
        changed.append(not torch.equal(*parts))

    assert changed == [False, True]


def test_every_region_is_given_the_context_of_its_own_image(net: RISNet) -> None:
    images = torch.rand(3, 3, 40, 40)
    clicks = [PAIR, middle_click(40), Clicks.at([(9, 9), (20, 9)], [(20, 30)])]
    clicks[0] = Clicks.at([(20, 20)], [(20, 35)])
    maps = torch.cat([maps_of(net, 40, one) for one in clicks])

    together = net(images, maps, clicks)

    for n in range(3):
        alone = net(images[n : n + 1], maps[n : n + 1], clicks[n : n + 1])
        assert torch.allclose(together.parts[n], alone.parts[0], atol=1e-5)
        assert torch.allclose(together.logits[n], alone.logits[0], atol=1e-5)


@pytest.mark.parametrize(
    "switches",
    [{}, {"local": False}, {"context": False}, {"local": False, "context": False}],
)
def test_gradients_reach_every_parameter(switches) -> None:
    torch.manual_seed(0)
    net = awake(RISNet(width=1 / 16, **switches))

    asked(net, PAIR).logits.square().mean().backward()

    assert unreached(net) == []


def test_the_network_learns_an_object_by_heart() -> None:
    torch.manual_seed(0)
    net = RISNet(width=1 / 8).eval()  # no dropout: fifty steps are few
    image, truth = disc(80)
    clicks = Clicks.at([(40, 40)], [(40, 64)])
    inputs = (image, maps_of(net, 80, clicks), [clicks])

    learn(net, truth, inputs, steps=50, rate=3e-3)

    assert iou(net(*inputs).logits, truth) > 0.9


def test_a_negative_click_moves_its_region(net: RISNet) -> None:
    one, two = asked(net, middle_click(48)), asked(net, PAIR)

    assert not torch.allclose(one.logits, two.logits)
    assert not torch.equal(one.regions[0], two.regions[0])


def test_the_same_question_has_the_same_answer(net: RISNet) -> None:
    first = asked(net, PAIR).logits
    asked(net, middle_click(48))

    assert torch.equal(first, asked(net, PAIR).logits)


def test_a_network_survives_its_state_dict(net: RISNet) -> None:
    again = RISNet(width=1 / 16).eval()

    again.load_state_dict(net.state_dict())

    assert torch.equal(asked(net, PAIR).logits, asked(again, PAIR).logits)


def test_pretrained_layers_are_vgg_s_and_new_ones_are_small(monkeypatch) -> None:
    template = RISNet(width=1 / 32)
    hidden, deepest = template.trunk.outputs * 4, template.trunk.vgg.widths[-1]
    tensors = {
        "classifier.0.weight": torch.randn(hidden, deepest * 49),
        "classifier.0.bias": torch.randn(hidden),
        "classifier.3.weight": torch.randn(hidden, hidden),
        "classifier.3.bias": torch.randn(hidden),
    }
    for number, layer in enumerate(template.trunk.vgg.convolutions()):
        channels = 3 if number == 0 else layer.in_channels
        tensors[f"features.{number}.weight"] = torch.randn(
            layer.out_channels, channels, 3, 3
        )
        tensors[f"features.{number}.bias"] = torch.randn(layer.out_channels)
    monkeypatch.setattr(ris_net, "vgg_tensors", lambda depth: tensors)
    monkeypatch.setattr(ris_net, "whole", lambda width: None)

    net = RISNet(width=1 / 32, pretrained=True)

    first = net.trunk.vgg.convolutions()[0].weight
    assert torch.equal(first[:, :3], tensors["features.0.weight"])
    assert not first[:, 3:].any()
    fc6 = tensors["classifier.0.weight"].unflatten(1, (deepest, 7, 7))
    assert torch.equal(net.trunk.conv6.weight[1, :, 1, 2], fc6[4, :, 3, 6])
    fc7 = tensors["classifier.3.weight"]
    assert torch.equal(net.trunk.conv7.weight[2, 3, 0, 0], fc7[8, 12])
    assert net.local.conv7.weight.std().item() == pytest.approx(0.01, rel=0.1)
