"""iFCN, the network of DOS."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from napari_iseg.nets.papers import ifcn
from napari_iseg.nets.papers.ifcn import IFCN
from tests.nets.papers.measures import (
    awake,
    disc,
    iou,
    learn,
    maps_of,
    middle_click,
    parameter_count,
    unreached,
)

# Layer, channels in, channels out, kernel: Simonyan and Zisserman, table 1, D; Long et
# al., figure 3; five channels in as Xu et al.
LAYERS = [
    *[(5, 64, 3), (64, 64, 3), (64, 128, 3), (128, 128, 3)],
    *[(128, 256, 3), (256, 256, 3), (256, 256, 3)],
    *[(256, 512, 3), (512, 512, 3), (512, 512, 3)],
    *[(512, 512, 3), (512, 512, 3), (512, 512, 3)],
    *[(512, 4096, 7), (4096, 4096, 1), (4096, 2, 1)],
    *[(512, 2, 1), (256, 2, 1)],
]


@pytest.fixture
def net() -> IFCN:
    torch.manual_seed(0)
    return IFCN(width=1 / 16, padded=False)


def test_at_full_width_the_layers_are_those_of_the_table() -> None:
    with torch.device("meta"):
        layers = [m for m in IFCN().modules() if isinstance(m, nn.Conv2d)]

    assert [(m.in_channels, m.out_channels, m.kernel_size[0]) for m in layers] == LAYERS


@pytest.mark.parametrize(("stride", "skips"), [(32, 0), (16, 1026), (8, 1540)])
def test_every_stride_has_the_parameters_of_its_layers(stride, skips) -> None:
    coarsest = sum(o * (i * k * k + 1) for i, o, k in LAYERS[:-2])

    assert coarsest == 134_269_890
    assert parameter_count(lambda: IFCN(stride=stride)) == coarsest + skips


@pytest.mark.parametrize("size", [(1, 1), (37, 53), (64, 65)])
@pytest.mark.parametrize("padded", [True, False])
def test_the_answer_has_the_image_s_size(size, *, padded: bool) -> None:
    net = IFCN(width=1 / 64, padded=padded)

    answer = net(torch.rand(2, 3, *size), torch.full((2, 2, *size), 255.0))

    assert answer.logits.shape == (2, 1, *size)


def test_gradients_reach_every_parameter(net: IFCN) -> None:
    answer = awake(net)(torch.rand(2, 3, 64, 64), 255 * torch.rand(2, 2, 64, 64))

    answer.logits.square().mean().backward()

    assert unreached(net) == []


def test_the_network_learns_an_object_by_heart() -> None:
    torch.manual_seed(0)
    net = IFCN(width=1 / 8, padded=False).eval()
    image, truth = disc(64)
    inputs = (image, maps_of(net, 64, middle_click(64)))

    learn(net, truth, inputs, steps=40, rate=2e-3)

    assert iou(net(*inputs).logits, truth) > 0.9


def test_clicks_move_the_answer(net: IFCN) -> None:
    awake(net).eval()
    image, _ = disc(64)
    clicks = middle_click(64)

    without, positive = (
        net(image, maps_of(net, 64, one)).logits for one in (clicks.prefix(0), clicks)
    )

    assert not torch.allclose(without, positive)


def test_the_same_question_has_the_same_answer(net: IFCN) -> None:
    awake(net).eval()
    image, _ = disc(64)
    maps = maps_of(net, 64, middle_click(64))

    assert torch.equal(net(image, maps).logits, net(image, maps).logits)


def test_a_network_survives_its_state_dict(net: IFCN) -> None:
    awake(net).eval()
    again = IFCN(width=1 / 16, padded=False).eval()
    question = (torch.rand(1, 3, 40, 40), torch.rand(1, 2, 40, 40))

    again.load_state_dict(net.state_dict())

    assert torch.equal(net(*question).logits, again(*question).logits)


def test_frame_or_not_the_weights_are_the_same(net: IFCN) -> None:
    padded = IFCN(width=1 / 16)

    padded.load_state_dict(net.state_dict())

    assert padded.head.fc6.padding == (0, 0)
    assert net.head.fc6.padding == (3, 3)


def test_without_network_it_says_which_file_to_put_where(monkeypatch) -> None:
    def offline(depth: int) -> None:
        raise ValueError(f"could not download vgg{depth}")

    monkeypatch.setattr(ifcn, "vgg_tensors", offline)

    with pytest.raises(ValueError, match="could not download vgg16"):
        IFCN(pretrained=True)


def test_narrow_networks_are_not_pretrained() -> None:
    with pytest.raises(ValueError, match=r"fit only width=1\.0"):
        IFCN(width=0.5, pretrained=True)


def test_pretrained_it_sees_the_image_and_not_yet_the_clicks(monkeypatch) -> None:
    torch.manual_seed(0)
    net = IFCN(width=1 / 64, padded=False)
    tensors = {}
    for number, layer in enumerate(net.trunk.convolutions()):
        weight = layer.weight[:, :3] if number == 0 else layer.weight
        tensors[f"features.{number}.weight"] = weight.detach().clone()
        tensors[f"features.{number}.bias"] = layer.bias.detach().clone()
    tensors["classifier.0.weight"] = net.head.fc6.weight.detach().flatten(1)
    tensors["classifier.0.bias"] = net.head.fc6.bias.detach()
    tensors["classifier.3.weight"] = net.head.fc7.weight.detach().flatten(1)
    tensors["classifier.3.bias"] = net.head.fc7.bias.detach()
    monkeypatch.setattr(ifcn, "vgg_tensors", lambda depth: tensors)
    monkeypatch.setattr(ifcn, "whole", lambda width: None)

    started = awake_scores(IFCN(width=1 / 64, padded=False, pretrained=True).eval())

    image, maps = torch.rand(1, 3, 64, 64), torch.rand(1, 2, 64, 64) * 255
    answers = [started(image, one).logits for one in (maps, 255 - maps)]
    assert answers[0].any()
    assert torch.equal(*answers)


def awake_scores(net: IFCN) -> IFCN:
    for layer in (net.head.score, *net.head.skips):
        nn.init.normal_(layer.weight)
    return net
