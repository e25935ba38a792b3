"""Small parts that several networks share."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from napari_iseg.nets.papers.aspp import ASPP
from napari_iseg.nets.papers.framing import extended
from napari_iseg.nets.papers.squeeze_excite import SqueezeExcite
from napari_iseg.nets.papers.trunk_weights import keep_statistics, load_trunk


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 1))
def test_sizes_are_extended_as_little_as_possible(height, width, rest) -> None:
    image = torch.ones(1, 1, height, width)

    frame = extended(image, 16, rest)

    for side, longer in zip((height, width), frame.shape[2:], strict=True):
        assert longer % 16 == rest
        assert 0 <= longer - side < 16
    assert torch.equal(frame[..., :height, :width], image)
    assert frame.sum() == image.sum()


def test_squeeze_and_excitation_weights_whole_channels() -> None:
    torch.manual_seed(0)
    features = torch.rand(2, 32, 5, 7) + 0.5

    factors = SqueezeExcite(32)(features) / features

    assert torch.allclose(factors, factors[..., :1, :1].expand_as(factors))
    assert factors.min() > 0
    assert factors.max() < 1


@pytest.mark.parametrize(("channels", "narrow"), [(1024, 64), (48, 3), (5, 3)])
def test_a_sixteenth_of_the_channels_but_three_at_least_are_squeezed_through(
    channels, narrow
) -> None:
    assert SqueezeExcite(channels).squeeze.out_channels == narrow


def test_the_pyramid_has_five_views_of_a_place() -> None:
    with torch.device("meta"):
        pyramid = ASPP(2048, 256)

    inputs = [m.in_channels for m in pyramid.modules() if isinstance(m, nn.Conv2d)]

    assert inputs == [2048, 2048, *[2048] * 6, 5 * 256]


@pytest.mark.parametrize(("branch", "rate"), [(0, 6), (1, 12), (2, 18)])
def test_each_rate_looks_further_around(branch, rate) -> None:
    around = ASPP(1, 1).eval().around[branch]
    features = torch.zeros(1, 1, 41, 41)
    features[..., 20, 20] = torch.nan

    rows, columns = around(features)[0, 0].isnan().nonzero().T

    assert set(rows.tolist()) == set(columns.tolist()) == {20 - rate, 20, 20 + rate}


def test_the_pyramid_sees_the_whole_image_at_every_place() -> None:
    torch.manual_seed(0)
    pyramid = ASPP(2, 4).eval()
    features = torch.rand(1, 2, 6, 80)
    changed = features.clone()
    changed[..., 0] += 1

    difference = pyramid(changed) - pyramid(features)

    assert difference[..., -1].any()


def test_layers_that_a_trunk_left_out_may_be_in_the_file() -> None:
    trunk = nn.Sequential(nn.Conv2d(5, 2, 3))
    filters = torch.rand(2, 3, 3, 3)
    file = {"0.weight": filters, "0.bias": torch.rand(2), "fc.weight": torch.rand(1)}

    load_trunk(trunk, file, "0.weight", blind=True)

    assert torch.equal(trunk[0].weight[:, :3], filters)
    assert not trunk[0].weight[:, 3:].any()
    assert torch.equal(trunk[0].bias, file["0.bias"])


def test_a_file_of_another_network_is_refused() -> None:
    trunk = nn.Sequential(nn.Conv2d(5, 2, 3), nn.Conv2d(2, 2, 3))

    with pytest.raises(RuntimeError, match=r"1\.weight"):
        load_trunk(trunk, {"0.weight": torch.rand(2, 3, 3, 3)}, "0.weight", blind=True)


def test_statistics_that_came_with_weights_are_kept_in_training() -> None:
    trunk = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout()).train()

    keep_statistics(trunk)
    trunk[0](torch.rand(4, 3, 8, 8))

    assert not trunk[0].running_mean.any()
    assert trunk[1].training
