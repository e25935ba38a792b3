"""Xception-65 and the separable convolutions that it consists of."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from napari_iseg.nets.papers import xception
from napari_iseg.nets.papers.separable import Separable
from napari_iseg.nets.papers.xception import Xception
from tests.nets.papers.measures import awake, parameter_count, receptive_field

# Input and output channels of the separable convolutions: DeepLabV3+, figure 4.
FLOWS = [
    *[(64, 128), (128, 128), (128, 128)],
    *[(128, 256), (256, 256), (256, 256)],
    *[(256, 728), (728, 728), (728, 728)],
    *[(728, 728)] * 48,
    *[(728, 728), (728, 1024), (1024, 1024)],
    *[(1024, 1536), (1536, 1536), (1536, 2048)],
]
SHORTCUTS = [(64, 128), (128, 256), (256, 728), (728, 1024)]


def test_at_full_width_the_layers_are_those_of_figure_4() -> None:
    with torch.device("meta"):
        net = Xception(channels=5)

    layers = [m for m in net.modules() if isinstance(m, Separable)]
    stem = [m for m in net.stem.modules() if isinstance(m, nn.Conv2d)]

    assert [(m.in_channels, m.out_channels) for m in stem] == [(5, 32), (32, 64)]
    pairs = [(m.conv_dw.in_channels, m.conv_pw.out_channels) for m in layers]
    assert pairs == FLOWS
    assert len(stem) + len(layers) + len(SHORTCUTS) == 2 + 63 + 4
    strides = [m.conv_dw.stride[0] for m in layers]
    assert [number for number, one in enumerate(strides, 1) if one == 2] == [3, 6, 9]
    assert [m.conv_dw.dilation[0] for m in layers] == [1] * 60 + [2] * 3


def test_it_has_the_parameters_of_its_layers() -> None:
    stem = 5 * 32 * 9 + 32 * 64 * 9 + 2 * (32 + 64)
    flows = sum(9 * i + i * o + 2 * (i + o) for i, o in FLOWS)
    shortcuts = sum(i * o + 2 * o for i, o in SHORTCUTS)

    assert parameter_count(lambda: Xception(channels=5)) == stem + flows + shortcuts
    assert stem + flows + shortcuts == 37_867_888


@pytest.mark.parametrize("size", [(1, 1), (33, 65), (40, 50)])
def test_cells_lie_on_every_fourth_and_every_sixteenth_pixel(size) -> None:
    net = Xception(1 / 64, 4).eval()

    fine, deep = net(torch.rand(1, 4, *size))

    assert (fine.shape[1], deep.shape[1]) == net.widths
    assert fine.shape[2:] == tuple(-(-side // 4) for side in size)
    assert deep.shape[2:] == tuple(-(-side // 16) for side in size)


def test_features_at_stride_4_see_35_pixels() -> None:
    net = Xception(1 / 64, 1).eval().double()

    # 3 + 4 in the stem, 4 + 4 + 4 in the first block, 8 + 8 up to the second layer.
    assert receptive_field(lambda image: net(image)[0], (1, 16, 257)) == 35


def test_the_last_features_see_as_far_as_the_kernels_add_up_to() -> None:
    net = awake(Xception(1 / 64, 1)).eval().double()
    entry, middle, leaving = 91, 16 * 3 * 32, 3 * 32 + 3 * 64

    seen = receptive_field(lambda image: net(image)[1], (1, 16, 4097))

    assert seen == entry + middle + leaving == 1915


def test_the_middle_flow_begins_as_nothing_at_all() -> None:
    net = Xception(1 / 32).eval()
    features = torch.rand(1, net.blocks[3].stack["conv1"].conv_dw.in_channels, 4, 4)

    assert torch.equal(net.blocks[3:19](features), features)


def test_a_separable_layer_is_two_convolutions_and_two_norms() -> None:
    torch.manual_seed(0)
    layer = Separable(3, 5, stride=2, dilation=2, active=False).eval()
    features = torch.randn(1, 3, 9, 9)

    joined = layer.conv_dw.weight * layer.conv_pw.weight[:, :, 0, 0, None, None, None]
    whole = nn.functional.conv2d(
        features, joined.transpose(1, 2)[:, 0], stride=2, padding=2, dilation=2
    )

    assert torch.allclose(layer(features), whole, atol=1e-3)  # norms divide by 1.00001


def test_active_layers_give_nothing_negative() -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 3, 8, 8)

    assert Separable(3, 5)(features).min() == 0
    assert Separable(3, 5, active=False)(features).min() < 0


def classifier(width: float) -> dict[str, Tensor]:
    """Weights as in the file: three channels in, a head at the end."""
    source = Xception(width, 3)
    return {**source.state_dict(), "head.fc.weight": torch.rand(3, 2)}


def test_pretrained_it_keeps_its_own_filters_for_clicks(monkeypatch) -> None:
    torch.manual_seed(0)
    tensors = classifier(1 / 32)
    net = Xception(1 / 32, 5)
    own = net.stem[0].conv.weight.detach().clone()
    monkeypatch.setattr(xception, "imagenet_tensors", lambda _: tensors)

    net.initialise()

    state = net.state_dict()
    first = state["stem.0.conv.weight"]
    assert torch.equal(first[:, :3], tensors["stem.0.conv.weight"])
    assert torch.equal(first[:, 3:], own[:, 3:])
    assert all(
        torch.equal(state[name], tensors[name])
        for name in state
        if name != "stem.0.conv.weight"
    )


def test_images_come_in_between_minus_one_and_one() -> None:
    image = torch.tensor([0.0, 0.5, 1.0])

    assert Xception(1 / 64).prepared(image).tolist() == [-1, 0, 1]
