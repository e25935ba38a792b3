"""FCTSFN: two streams, fused late, refined in full size."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from napari_iseg.nets.papers import fctsfn
from napari_iseg.nets.papers.fcn import pools_of
from napari_iseg.nets.papers.fctsfn import FCTSFN
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

# Channels in, channels out, kernel: figure 2 and section 3.
STREAM = [
    *[(64, 64, 3), (64, 128, 3), (128, 128, 3)],
    *[(128, 256, 3), (256, 256, 3), (256, 256, 3)],
    *[(256, 512, 3), (512, 512, 3), (512, 512, 3)],
]
FUSION = [
    *[(1024, 512, 3), (512, 512, 3), (512, 512, 3)],
    *[(512, 4096, 7), (4096, 4096, 1), (4096, 2, 1), (1024, 2, 1), (512, 2, 1)],
]
BOTTLENECKS = [(c, 60, 1) for c in (128, 256, 512, 1024, 512)]
REFINING = [
    *[(62, 64, 7), (64, 64, 5), (64, 64, 3), (64, 64, 3), (64, 64, 3), (64, 2, 1)],
]


@pytest.fixture
def net() -> FCTSFN:
    torch.manual_seed(0)
    return awake(FCTSFN(width=1 / 16, padded=False)).eval()


def question(*size: int) -> tuple[Tensor, Tensor]:
    return torch.rand(1, 3, *size), 255 * torch.rand(1, 2, *size)


def test_at_full_width_the_layers_are_those_of_figure_2() -> None:
    with torch.device("meta"):
        layers = [m for m in FCTSFN().modules() if isinstance(m, nn.Conv2d)]

    assert [(m.in_channels, m.out_channels, m.kernel_size[0]) for m in layers] == [
        *[(3, 64, 3), *STREAM, (2, 64, 3), *STREAM],
        *[*FUSION, *BOTTLENECKS, *REFINING],
    ]


def test_both_parts_have_the_parameters_of_their_layers() -> None:
    streams = [(3, 64, 3), *STREAM, (2, 64, 3), *STREAM]
    tslfn = sum(o * (i * k * k + 1) for i, o, k in streams + FUSION)
    norms = 2 * (5 * 60 + 5 * 64 + 2)
    msrn = sum(o * i * k * k for i, o, k in BOTTLENECKS + REFINING) + 2 + norms

    assert (tslfn, msrn) == (144_265_798, 554_718)
    assert parameter_count(lambda: FCTSFN(refines=False)) == tslfn
    assert parameter_count(FCTSFN) == tslfn + msrn


@pytest.mark.parametrize(
    ("streams", "widths"),
    [
        (1, (128, 128, 256, 512, 512)),
        (2, (128, 256, 256, 512, 512)),
        (3, (128, 256, 512, 512, 512)),
        (4, (128, 256, 512, 1024, 512)),
        (5, (128, 256, 512, 1024, 1024)),
    ],
)
def test_one_argument_makes_tslfn_1_to_5(streams, widths) -> None:
    with torch.device("meta"):
        net = FCTSFN(streams=streams).two_streams

    convolutions = [
        sum(isinstance(m, nn.Conv2d) for m in part.modules())
        for part in (net.image, net.clicks, net.fusion)
    ]

    assert net.widths == widths
    first = (2, 4, 7, 10, 13)[streams - 1]
    assert convolutions == [first, first, 13 - first]


@pytest.mark.parametrize("size", [(1, 1), (37, 53), (64, 65)])
@pytest.mark.parametrize("padded", [True, False])
def test_the_answer_has_the_image_s_size(size, *, padded: bool) -> None:
    net = FCTSFN(width=1 / 64, padded=padded).eval()

    answer = net(torch.rand(2, 3, *size), torch.full((2, 2, *size), 255.0))

    assert answer.logits.shape == answer.coarse.shape == (2, 1, *size)


@pytest.mark.parametrize("streams", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [32, 16])
def test_the_variants_answer_too(streams, stride) -> None:
    net = FCTSFN(width=1 / 64, streams=streams, stride=stride, padded=False).eval()

    assert net(*question(33, 40)).logits.shape == (1, 1, 33, 40)


def test_fc7_sees_404_pixels_through_either_stream() -> None:
    net = FCTSFN(width=1 / 64, padded=False).eval().double().two_streams

    def see_image(image: Tensor) -> Tensor:
        seen = net.look(image)
        maps = torch.zeros_like(image[:, :2])
        return net.head.deep(pools_of(net.fused(seen, maps))[-1])

    def see_clicks(maps: Tensor) -> Tensor:
        seen = net.look(torch.zeros(1, 3, *maps.shape[-2:], dtype=maps.dtype))
        return net.head.deep(pools_of(net.fused(seen, maps))[-1])

    assert receptive_field(see_image, (3, 32, 1024)) == 404
    assert receptive_field(see_clicks, (2, 32, 1024)) == 404


def test_the_refining_layers_see_seventeen_pixels() -> None:
    net = FCTSFN(width=1 / 64).refining.double().eval()

    assert receptive_field(net.refine, (3, 8, 61)) == 17


@pytest.mark.parametrize("padded", [True, False])
def test_every_scale_lies_where_the_image_has_it(*, padded: bool) -> None:
    net = FCTSFN(width=1 / 64, padded=padded).eval().refining
    size = 256 + (198 if padded else 0)
    square = torch.zeros(1, 1, size, size)
    top, left = (start + (99 if padded else 0) for start in (96, 128))
    square[..., top : top + 32, left : left + 32] = 1
    features = [
        nn.functional.avg_pool2d(square, 2**n, ceil_mode=True) for n in range(5)
    ]
    with torch.no_grad():
        summed = sum(
            fctsfn.enlarged(one, 2**n, (256, 256), net.start)
            for n, one in enumerate(features)
        )

    rows, columns = torch.meshgrid(*[torch.arange(256.0)] * 2, indexing="ij")
    weight = summed[0, 0] / summed.sum()
    assert float((weight * rows).sum()) == pytest.approx(111.5, abs=0.1)
    assert float((weight * columns).sum()) == pytest.approx(143.5, abs=0.1)


def test_gradients_reach_every_parameter() -> None:
    torch.manual_seed(0)
    net = awake(FCTSFN(width=1 / 16, padded=False))

    answer = net(torch.rand(2, 3, 64, 64), 255 * torch.rand(2, 2, 64, 64))
    answer.logits.square().mean().backward()

    assert unreached(net) == []


@pytest.mark.parametrize("refines", [True, False])
def test_the_network_learns_an_object_by_heart(*, refines: bool) -> None:
    torch.manual_seed(0)
    net = FCTSFN(width=1 / 8, padded=False, refines=refines).eval()
    image, truth = disc(64)
    inputs = (image, maps_of(net, 64, middle_click(64)))

    learn(net, truth, inputs, steps=60, rate=2e-3)

    assert iou(net(*inputs).logits, truth) > 0.9


def test_the_refining_network_can_be_trained_alone(net: FCTSFN) -> None:
    net.two_streams.requires_grad_(requires_grad=False)

    net(*question(40, 40)).logits.square().mean().backward()

    assert all(p.grad is not None for p in net.refining.parameters())
    assert all(p.grad is None for p in net.two_streams.parameters())


def test_without_refining_the_coarse_answer_is_the_answer() -> None:
    net = awake(FCTSFN(width=1 / 32, padded=False, refines=False)).eval()

    answer = net(*question(40, 40))

    assert torch.equal(answer.logits, answer.coarse)


def test_clicks_move_both_answers(net: FCTSFN) -> None:
    image, _ = disc(64)
    clicks = middle_click(64)

    without, positive = (
        net(image, maps_of(net, 64, one)) for one in (clicks.prefix(0), clicks)
    )

    assert not torch.allclose(without.logits, positive.logits)
    assert not torch.allclose(without.coarse, positive.coarse)


def test_the_image_stream_is_computed_once(net: FCTSFN) -> None:
    image, maps = question(48, 40)
    looked = []
    net.two_streams.image.register_forward_hook(lambda *_: looked.append(1))
    seen = net.look(image)

    kept = [net.answer(seen, one) for one in (255 - maps, maps)]

    assert len(looked) == 1
    assert torch.equal(kept[-1].logits, net(image, maps).logits)


def test_the_same_question_has_the_same_answer(net: FCTSFN) -> None:
    inputs = question(40, 40)

    assert torch.equal(net(*inputs).logits, net(*inputs).logits)


def test_a_network_survives_its_state_dict(net: FCTSFN) -> None:
    again = FCTSFN(width=1 / 16, padded=False).eval()
    inputs = question(40, 40)

    again.load_state_dict(net.state_dict())

    assert torch.equal(net(*inputs).logits, again(*inputs).logits)


def vgg_like(width: float) -> dict[str, Tensor]:
    """Weights as torchvision names them, of a narrow VGG-16."""
    source = fctsfn.VGG(16, width=width)
    tensors = {}
    for number, layer in enumerate(source.convolutions()):
        tensors[f"features.{number}.weight"] = torch.randn_like(layer.weight)
        tensors[f"features.{number}.bias"] = torch.randn_like(layer.bias)
    hidden, last = fctsfn.scaled(4096, width), source.widths[-1]
    tensors["classifier.0.weight"] = torch.randn(hidden, last * 49)
    tensors["classifier.0.bias"] = torch.randn(hidden)
    tensors["classifier.3.weight"] = torch.randn(hidden, hidden)
    tensors["classifier.3.bias"] = torch.randn(hidden)
    return tensors


@pytest.mark.parametrize("streams", [1, 4, 5])
def test_it_begins_as_section_3_3_says(monkeypatch, streams) -> None:
    torch.manual_seed(0)
    tensors = vgg_like(1 / 32)
    monkeypatch.setattr(fctsfn, "vgg_tensors", lambda depth: tensors)
    monkeypatch.setattr(fctsfn, "whole", lambda width: None)

    net = FCTSFN(width=1 / 32, streams=streams, pretrained=True).two_streams

    image, clicks = net.image.convolutions(), net.clicks.convolutions()
    first = tensors["features.0.weight"]
    assert torch.equal(image[0].weight, first)
    assert torch.allclose(
        clicks[0].weight, first.mean(1, keepdim=True).repeat(1, 2, 1, 1)
    )
    assert torch.equal(clicks[1].weight, tensors["features.1.weight"])
    fused = [m for m in net.fusion.modules() if isinstance(m, nn.Conv2d)]
    half, doubled = (
        (tensors[f"features.{len(image)}.weight"], fused[0].weight)
        if fused
        else (
            tensors["classifier.0.weight"].unflatten(1, (-1, 7, 7)),
            net.head.fc6.weight,
        )
    )
    assert torch.equal(doubled[:, : half.shape[1]], half)
    assert torch.equal(doubled[:, half.shape[1] :], half)
    assert not net.head.score.weight.any()


def test_without_network_it_says_which_file_to_put_where(monkeypatch) -> None:
    def offline(depth: int) -> None:
        raise ValueError(f"could not download vgg{depth}")

    monkeypatch.setattr(fctsfn, "vgg_tensors", offline)

    with pytest.raises(ValueError, match="could not download vgg16"):
        FCTSFN(pretrained=True)


def test_narrow_networks_are_not_pretrained() -> None:
    with pytest.raises(ValueError, match=r"fit only width=1\.0"):
        FCTSFN(width=0.5, pretrained=True)


@pytest.mark.parametrize("streams", [0, 6])
def test_vgg_has_five_stages(streams) -> None:
    with pytest.raises(ValueError, match=f"1 to 5 stages of VGG, not {streams}"):
        FCTSFN(streams=streams)
