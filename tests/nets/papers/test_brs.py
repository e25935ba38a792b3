"""BRS: coarse, then fine, and open to be refined through its maps."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from napari_iseg.nets.papers import brs, densenet
from napari_iseg.nets.papers.brs import BRS, VGGScales
from napari_iseg.nets.papers.densenet import DenseNet
from napari_iseg.nets.papers.squeeze_excite import SqueezeExcite
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

# Channels in, channels out, kernel: figure 2 and the released model.
BLOCKS = [
    *[(1024, 512, 3), (512, 512, 3), (512, 256, 1)],
    *[(512, 256, 3), (256, 256, 3), (256, 128, 1)],
    *[(256, 128, 3), (128, 128, 3), (128, 64, 1)],
    *[(128, 64, 3), (64, 64, 3), (64, 32, 1)],
]
RISES = [(256, 256, 2), (128, 128, 2), (64, 64, 2)]
SKIPS = [(1024, 256, 1), (512, 128, 1), (256, 64, 1)]
SQUEEZED = [1024, 1024, 512, 256]
FINE = [
    *[(6, 32, 3), (32, 32, 3), (32, 16, 1)] * 3,
    *[(48, 3, 1), (3, 48, 1), (48, 16, 3), (16, 1, 1)],
]


@pytest.fixture
def net() -> BRS:
    torch.manual_seed(0)
    return awake(BRS(width=1 / 16)).eval()


def question(*size: int) -> tuple[Tensor, Tensor]:
    return torch.rand(1, 3, *size), torch.rand(1, 2, *size)


def shapes(part: nn.Module) -> list[tuple[int, ...]]:
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    layers = [m for m in part.modules() if isinstance(m, kinds)]
    return [(m.in_channels, m.out_channels, m.kernel_size[0]) for m in layers]


def test_at_full_width_the_layers_are_those_of_figure_2() -> None:
    with torch.device("meta"):
        net = BRS()

    assert net.trunk.widths == (256, 512, 1024, 1024)
    assert shapes(net.coarse.blocks) == BLOCKS
    assert shapes(net.coarse.rise) == RISES
    assert shapes(net.coarse.skips) == SKIPS
    assert shapes(net.coarse.excite) == [
        shape for c in SQUEEZED for shape in [(c, c // 16, 1), (c // 16, c, 1)]
    ]
    assert shapes(net.coarse.predict) == [(32, 1, 1)]
    assert shapes(net.coarse.enlarge) == [(1, 1, 4)]
    assert shapes(net.fine) == FINE


def test_the_three_branches_begin_with_dilations_1_2_and_3() -> None:
    branches = BRS(width=1 / 16).fine.branches.eval().double()

    convolutions = [m for m in branches.modules() if isinstance(m, nn.Conv2d)]
    fields = [receptive_field(branch, (6, 8, 41)) for branch in branches]

    assert [m.dilation[0] for m in convolutions] == [1, 1, 1, 2, 1, 1, 3, 1, 1]
    assert fields == [5, 7, 9]


def test_every_layer_but_predictions_has_prelu_and_norm() -> None:
    with torch.device("meta"):
        net = BRS()

    layers = len(BLOCKS) + len(RISES) + len(SKIPS) + 9 + 1
    decoders = [*net.coarse.modules(), *net.fine.modules()]
    norms = [m for m in decoders if isinstance(m, nn.BatchNorm2d)]

    assert sum(isinstance(m, nn.PReLU) for m in decoders) == layers
    assert len(norms) == layers
    assert not any(norm.affine for norm in norms)


def squeeze(channels: int) -> int:
    narrow = channels // 16
    return 2 * channels * narrow + narrow + channels


def decoder_parameters(deepest: int, *skips: int) -> int:
    blocks = [(deepest, 512, 3), *BLOCKS[1:]]
    rows = [(i, o, 1) for i, (_, o, _) in zip(skips, SKIPS, strict=True)]
    excited = sum(squeeze(c) for c in (deepest, *skips))
    inner = sum(o * (i * k * k + 1) for i, o, k in blocks + RISES)
    sides = sum(o * (i + 2) for i, o, _ in rows)  # with biases
    return excited + inner + sides + (32 + 1) + 16


def test_every_part_has_the_parameters_of_its_layers() -> None:
    coarse = decoder_parameters(1024, 1024, 512, 256)
    branches = 3 * ((6 * 32 + 32 * 32) * 9 + 32 * 16 + 32 + 32 + 16)
    fine = branches + squeeze(48) + 48 * 16 * 9 + 16 + 16 + 1

    assert (coarse, fine) == (10_572_417, 41_892)
    assert parameter_count(lambda: BRS(refines=False)) == 6_958_080 + coarse
    assert parameter_count(BRS) == 6_958_080 + coarse + fine


def test_the_vgg_variant_has_the_same_decoders() -> None:
    vgg = 14_714_688 + 2 * 64 * 9
    coarse = decoder_parameters(512, 512, 512, 256)

    assert parameter_count(lambda: BRS(trunk=VGGScales, refines=False)) == vgg + coarse


@pytest.mark.parametrize("size", [(1, 1), (37, 53), (64, 65)])
@pytest.mark.parametrize("trunk", [DenseNet, VGGScales])
def test_both_answers_have_the_image_s_size(size, trunk) -> None:
    net = BRS(width=1 / 32, trunk=trunk).eval()

    answer = net(torch.rand(2, 3, *size), torch.zeros(2, 2, *size))

    assert answer.logits.shape == answer.coarse.shape == (2, 1, *size)


def test_the_vgg_variant_looks_at_the_same_strides() -> None:
    shown = torch.rand(1, 5, 64, 96)

    for trunk in (DenseNet(1 / 32, 5), VGGScales(1 / 32, 5)):
        scales = trunk.eval()(shown)
        assert [one.shape[2:] for one in scales] == [(16, 24), (8, 12), (4, 6), (2, 3)]
        assert tuple(one.shape[1] for one in scales) == trunk.widths


@pytest.mark.parametrize("trunk", [DenseNet, VGGScales])
def test_gradients_reach_every_parameter(trunk) -> None:
    torch.manual_seed(0)
    net = awake(BRS(width=1 / 8, trunk=trunk))
    for part in net.modules():
        if isinstance(part, SqueezeExcite):
            nn.init.ones_(part.squeeze.bias)  # no ReLU is shut by chance
    image, maps = torch.rand(2, 3, 64, 64), torch.rand(2, 2, 64, 64)

    net(image, maps).logits.square().mean().backward()

    assert unreached(net) == []


def test_without_the_fine_decoder_the_coarse_answer_is_the_answer() -> None:
    net = BRS(width=1 / 32, refines=False).eval()

    answer = net(*question(40, 40))

    assert torch.equal(answer.logits, answer.coarse)


@pytest.mark.parametrize(("refines", "reached"), [(True, 0.9), (False, 0.8)])
def test_the_network_learns_an_object_by_heart(refines: bool, reached: float) -> None:
    torch.manual_seed(0)
    net = BRS(width=1 / 8, refines=refines)
    image, truth = disc(64)
    maps = maps_of(net, 64, middle_click(64))
    twice = tuple(torch.cat([one, one.flip(3)]) for one in (image, maps))

    learn(net, truth, twice, steps=40, rate=1e-2)

    assert iou(net(*twice).logits[:1], truth) > reached


def test_clicks_move_both_answers(net: BRS) -> None:
    image, _ = disc(64)
    clicks = middle_click(64)

    without, positive = (
        net(image, maps_of(net, 64, one)) for one in (clicks.prefix(0), clicks)
    )

    assert not torch.allclose(without.logits, positive.logits)
    assert not torch.allclose(without.coarse, positive.coarse)


def test_a_contradicted_click_is_obeyed_after_steps_in_the_maps_alone(
    net: BRS,
) -> None:
    image, _ = disc(48)
    maps = maps_of(net, 48, middle_click(48))
    before = [one.clone() for one in net.parameters()]
    net.requires_grad_(requires_grad=False)
    start = float(net.probability(image, maps)[0, 0, 24, 24])
    wanted = float(start < 0.5)

    moved = maps.clone().requires_grad_()
    optimiser = torch.optim.Adam([moved], 0.3)
    for _ in range(40):
        energy = (wanted - net.probability(image, moved)[0, 0, 24, 24]).square()
        optimiser.zero_grad()
        energy.backward()
        optimiser.step()

    end = float(net.probability(image, moved)[0, 0, 24, 24].detach())
    assert 0 <= start <= 1
    assert (end > 0.5) == bool(wanted)
    assert all(map(torch.equal, before, net.parameters()))


def test_the_same_question_has_the_same_answer(net: BRS) -> None:
    inputs = question(40, 40)

    assert torch.equal(net(*inputs).logits, net(*inputs).logits)


@pytest.mark.parametrize("trunk", [DenseNet, VGGScales])
def test_a_network_survives_its_state_dict(trunk) -> None:
    net, again = (BRS(width=1 / 32, trunk=trunk).eval() for _ in range(2))
    inputs = question(40, 40)

    again.load_state_dict(net.state_dict())

    assert torch.equal(net(*inputs).logits, again(*inputs).logits)


@pytest.fixture
def pretrained(monkeypatch) -> BRS:
    torch.manual_seed(0)
    tensors = DenseNet(1 / 32, 3).state_dict()
    monkeypatch.setattr(densenet, "densenet_tensors", lambda: tensors)
    monkeypatch.setattr(brs, "whole", lambda width: None)
    return BRS(width=1 / 32, pretrained=True)


def test_pretrained_it_sees_the_image_and_not_yet_the_clicks(pretrained: BRS) -> None:
    first = pretrained.trunk.features.conv0.weight

    assert first[:, :3].any()
    assert not first[:, 3:].any()


def test_pretrained_the_encoder_s_statistics_stay_and_the_decoders_learn(
    pretrained: BRS,
) -> None:
    before = {k: v.clone() for k, v in pretrained.trunk.state_dict().items()}
    decoder_norm = pretrained.coarse.blocks[0][0][2]

    pretrained.train()(torch.rand(2, 3, 64, 64), torch.rand(2, 2, 64, 64))

    after = pretrained.trunk.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert decoder_norm.running_mean.any()
    assert pretrained.trunk.features.conv0.weight.requires_grad


def test_from_scratch_the_encoder_s_statistics_are_learned() -> None:
    net = BRS(width=1 / 32).train()

    net(torch.rand(2, 3, 64, 64), torch.rand(2, 2, 64, 64))

    assert net.trunk.features.norm0.running_mean.any()


def test_the_vgg_variant_begins_with_vgg_s_weights(monkeypatch) -> None:
    torch.manual_seed(0)
    source = brs.VGG(16, width=1 / 32)
    tensors = {}
    for number, layer in enumerate(source.convolutions()):
        tensors[f"features.{number}.weight"] = layer.weight.detach()
        tensors[f"features.{number}.bias"] = torch.randn_like(layer.bias)
    monkeypatch.setattr(brs, "vgg_tensors", lambda depth: tensors)
    monkeypatch.setattr(brs, "whole", lambda width: None)

    net = BRS(width=1 / 32, trunk=VGGScales, pretrained=True)

    first, second, *_ = net.trunk.vgg.convolutions()
    assert torch.equal(first.weight[:, :3], tensors["features.0.weight"])
    assert not first.weight[:, 3:].any()
    assert torch.equal(second.bias, tensors["features.1.bias"])


def test_narrow_networks_are_not_pretrained() -> None:
    with pytest.raises(ValueError, match=r"fit only width=1\.0"):
        BRS(width=0.5, pretrained=True)
