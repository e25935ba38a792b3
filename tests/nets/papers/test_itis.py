"""ITIS: DeepLabV3+ with clicks and, if wanted, an earlier mask."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor, nn

from napari_iseg.clicks import Clicks
from napari_iseg.nets.papers import itis, xception
from napari_iseg.nets.papers.itis import ITIS, distance_to
from napari_iseg.nets.papers.resnet import ResNet
from napari_iseg.nets.papers.xception import Xception
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

TRUNKS = pytest.mark.parametrize("trunk", [Xception, ResNet])
# Channels in, channels out, kernel, groups: DeepLabV3+, figure 2, with two classes.
PYRAMID = [
    *[(2048, 256, 1, 1), (2048, 256, 1, 1)],
    *[(2048, 2048, 3, 2048), (2048, 256, 1, 1)] * 3,
    (1280, 256, 1, 1),
]
DECODER = [
    *[(304, 304, 3, 304), (304, 256, 1, 1)],
    *[(256, 256, 3, 256), (256, 256, 1, 1)],
]


@pytest.fixture
def net() -> ITIS:
    torch.manual_seed(0)
    return awake(ITIS(width=1 / 16)).eval()


def question(*size: int) -> tuple[Tensor, Tensor]:
    return torch.rand(1, 3, *size), torch.rand(1, 2, *size)


def shapes(part: nn.Module) -> list[tuple[int, ...]]:
    layers = [m for m in part.modules() if isinstance(m, nn.Conv2d)]
    return [(m.in_channels, m.out_channels, m.kernel_size[0], m.groups) for m in layers]


def test_at_full_width_the_layers_are_those_of_deeplab() -> None:
    with torch.device("meta"):
        net = ITIS()

    assert shapes(net.context) == PYRAMID
    assert shapes(net.skip) == [(256, 48, 1, 1)]
    assert shapes(net.decode) == DECODER
    assert shapes(net.score) == [(256, 2, 1, 1)]


def test_it_has_the_parameters_of_its_layers() -> None:
    convolutions = sum(
        o * i // groups * k * k for i, o, k, groups in [*PYRAMID, *DECODER]
    )
    norms = 2 * sum(o for _, o, _, _ in [*PYRAMID, *DECODER])
    rest = 256 * 48 + 2 * 48 + 256 * 2 + 2
    encoder = 37_867_888

    whole = encoder + convolutions + norms + rest
    assert whole == 41_051_106
    assert parameter_count(ITIS) == whole
    assert parameter_count(lambda: ITIS(masked=True)) == whole + 32 * 9


@pytest.mark.parametrize("depth", [50, 101])
def test_a_resnet_may_stand_in_for_xception(depth) -> None:
    with torch.device("meta"):
        net = ITIS(trunk=partial(ResNet, depth=depth))

    assert net.trunk.widths == (256, 2048)
    assert shapes(net.context) == PYRAMID
    assert shapes(net.skip) == [(256, 48, 1, 1)]


@TRUNKS
@pytest.mark.parametrize("size", [(1, 1), (37, 53), (64, 65)])
def test_the_answer_has_the_image_s_size(size, trunk) -> None:
    net = ITIS(width=1 / 32, trunk=trunk).eval()

    answer = net(torch.rand(2, 3, *size), torch.zeros(2, 2, *size))

    assert answer.logits.shape == (2, 1, *size)


def test_coarse_cells_are_enlarged_to_where_they_lie() -> None:
    rows = torch.arange(0.0, 65)[:, None].expand(65, 49)[None, None]
    for stride in (4, 16):
        coarse = rows[..., ::stride, ::stride]

        assert torch.allclose(itis._enlarged(coarse, rows), rows, atol=1e-4)


def test_clicks_are_gaussians_that_end_after_twenty_pixels() -> None:
    maps = ITIS.encoder(Clicks.at(positive=[(30, 30)], negative=[]), (61, 61))

    assert maps[0, 30, 30] == 1
    assert maps[0, 30, 40] == pytest.approx(np.exp(-0.5))
    assert maps[0, 30, 50] == pytest.approx(np.exp(-2))
    assert maps[0, 30, 51] == 0
    assert not maps[1].any()


def test_the_pyramid_may_look_less_far_where_windows_are_small() -> None:
    net = ITIS(1 / 16, reach=1 / 3)

    dilations = {m.dilation[0] for m in net.context.modules() if hasattr(m, "dilation")}

    assert dilations == {1, 2, 4, 6}


@TRUNKS
def test_gradients_reach_every_parameter(trunk) -> None:
    torch.manual_seed(0)
    net = awake(ITIS(width=1 / 8, trunk=trunk, masked=True))
    mask = torch.zeros(2, 1, 64, 64)
    mask[..., 10:20, 10:20] = 1

    answer = net(torch.rand(2, 3, 64, 64), torch.rand(2, 2, 64, 64), mask)
    answer.logits.square().mean().backward()

    assert unreached(net) == []


@TRUNKS
def test_the_network_learns_an_object_by_heart(trunk) -> None:
    torch.manual_seed(0)
    net = ITIS(width=1 / 8, trunk=trunk)
    image, truth = disc(64)
    maps = maps_of(net, 64, middle_click(64))
    twice = tuple(torch.cat([one, one.flip(3)]) for one in (image, maps))

    learn(net, truth, twice, steps=60, rate=5e-3)

    assert iou(net(*twice).logits[:1], truth) > 0.9


@TRUNKS
def test_clicks_move_the_answer(trunk) -> None:
    torch.manual_seed(0)
    net = awake(ITIS(width=1 / 16, trunk=trunk)).eval()
    image, _ = disc(64)
    clicks = middle_click(64)

    without, positive = (
        net(image, maps_of(net, 64, one)).logits for one in (clicks.prefix(0), clicks)
    )

    assert not torch.allclose(without, positive)


def test_a_mask_moves_the_answer() -> None:
    torch.manual_seed(0)
    net = awake(ITIS(width=1 / 16, masked=True)).eval()
    inputs = question(40, 40)
    mask = torch.zeros(1, 1, 40, 40)
    mask[..., 10:20, 10:30] = 1

    assert not torch.allclose(net(*inputs).logits, net(*inputs, mask).logits)


def test_no_mask_is_an_empty_mask() -> None:
    torch.manual_seed(0)
    net = awake(ITIS(width=1 / 16, masked=True)).eval()
    inputs = question(40, 40)

    given = net(*inputs, torch.zeros(1, 1, 40, 40))

    assert torch.equal(net(*inputs).logits, given.logits)


def test_a_mask_without_a_channel_for_it_is_refused(net: ITIS) -> None:
    with pytest.raises(ValueError, match=r"no channel for a mask.*masked=True"):
        net(*question(40, 40), torch.zeros(1, 1, 40, 40))


def test_a_mask_is_seen_as_the_distance_to_it() -> None:
    masks = torch.zeros(3, 1, 8, 200)
    masks[0, 0, 2:5, 10:20] = 1
    masks[1] = 0.5  # not above

    inside, empty, full = distance_to(torch.cat([masks[:2], torch.ones(1, 1, 8, 200)]))

    assert not inside[0, 2:5, 10:20].any()
    assert inside[0, 3, 20] == pytest.approx(1 / 128)
    assert inside[0, 3, 19 + 64] == pytest.approx(0.5)
    assert (inside[0, :, 160:] == 1).all()
    assert (empty == 1).all()
    assert not full.any()


def test_distances_to_a_mask_are_euclidean() -> None:
    mask = torch.rand(1, 1, 30, 40, generator=torch.Generator().manual_seed(0)) > 0.98

    expected = distance_transform_edt(~mask[0, 0].numpy()) / 128

    np.testing.assert_allclose(distance_to(mask.float())[0, 0], expected, rtol=1e-6)


def test_the_same_question_has_the_same_answer(net: ITIS) -> None:
    inputs = question(40, 40)

    assert torch.equal(net(*inputs).logits, net(*inputs).logits)


@TRUNKS
@pytest.mark.parametrize("masked", [True, False])
def test_a_network_survives_its_state_dict(trunk, *, masked: bool) -> None:
    net, again = (
        ITIS(width=1 / 32, trunk=trunk, masked=masked).eval() for _ in range(2)
    )
    inputs = question(40, 40)

    again.load_state_dict(net.state_dict())

    assert torch.equal(net(*inputs).logits, again(*inputs).logits)


def test_pretrained_the_encoder_s_statistics_stay_and_the_rest_learns(
    monkeypatch,
) -> None:
    torch.manual_seed(0)
    tensors = Xception(1 / 32, 3).state_dict()
    monkeypatch.setattr(xception, "imagenet_tensors", lambda _: tensors)
    monkeypatch.setattr(itis, "whole", lambda width: None)
    net = ITIS(width=1 / 32, pretrained=True)
    before = {k: v.clone() for k, v in net.trunk.state_dict().items()}

    net.train()(torch.rand(2, 3, 64, 64), torch.rand(2, 2, 64, 64))

    after = net.trunk.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert torch.equal(
        after["stem.0.conv.weight"][:, :3], tensors["stem.0.conv.weight"]
    )
    assert after["stem.0.conv.weight"][:, 3:].any()
    assert net.context.join[1].running_mean.any()


@pytest.mark.parametrize("depth", [50, 101])
def test_offline_the_file_of_the_chosen_encoder_is_named(
    depth, monkeypatch, tmp_path
) -> None:
    def offline(*_arguments: object, **_named: object) -> None:
        raise OSError("no route")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    monkeypatch.setattr(itis, "whole", lambda width: None)

    with pytest.raises(ValueError, match=rf"could not download resnet{depth}-.*put it"):
        ITIS(width=1 / 32, trunk=partial(ResNet, depth=depth), pretrained=True)


def test_narrow_networks_are_not_pretrained() -> None:
    with pytest.raises(ValueError, match=r"fit only width=1\.0"):
        ITIS(width=0.5, pretrained=True)
