"""Coarse scores become a map of the image's size, in the right place."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg.nets.papers.bilinear import enlarged
from napari_iseg.nets.papers.fcn import FCNHead, framed, object_logit, pools_of
from napari_iseg.nets.papers.vgg import VGG
from tests.nets.papers.measures import receptive_field


def deconvolved(features: Tensor, factor: int) -> Tensor:
    """Caffe's fixed bilinear deconvolution, as FCN's authors publish it."""
    side = torch.arange(2 * factor)
    ramp = 1 - (side - (factor - 0.5)).abs() / factor
    kernel = (ramp[:, None] * ramp)[None, None]
    return F.conv_transpose2d(features, kernel, stride=factor)


@pytest.mark.parametrize("factor", [2, 8, 32])
def test_enlarging_is_a_bilinear_deconvolution_away_from_the_border(factor) -> None:
    cells = torch.rand(1, 1, 5, 6)

    ours = enlarged(cells, factor, (5 * factor, 6 * factor))

    theirs = deconvolved(cells, factor)
    start = factor // 2  # a deconvolution adds half a kernel on each side
    inner = slice(factor, 4 * factor)
    theirs = theirs[..., start : start + 5 * factor, start : start + 6 * factor]
    assert torch.allclose(ours[..., inner, inner], theirs[..., inner, inner], atol=1e-5)


def as_published(head: FCNHead, pools: tuple[Tensor, ...], size: tuple[int, int]):
    """FCN-8s with its deconvolutions and its offsets of 5, 9 and 31."""

    def cropped(features: Tensor, offset: int, like: tuple[int, int]) -> Tensor:
        rows, columns = (slice(offset, offset + side) for side in like)
        return features[..., rows, columns]

    scores = head.score(head.deep(pools[2]))
    for skip, pool, offset in zip(head.skips, pools[1::-1], (5, 9), strict=True):
        doubled = torch.cat([deconvolved(s, 2) for s in scores.split(1, 1)], 1)
        scores = doubled + cropped(skip(pool), offset, doubled.shape[-2:])
    whole = torch.cat([deconvolved(s, 8) for s in scores.split(1, 1)], 1)
    return cropped(whole, 31, size)


@pytest.mark.parametrize("size", [(128, 96), (117, 131)])
def test_the_framed_network_is_fcn_8s_as_published_but_for_the_border(size) -> None:
    torch.manual_seed(0)
    trunk = VGG(width=1 / 32).eval()
    head = FCNHead(trunk.widths[2:], width=1 / 256).eval()
    for layer in (head.score, *head.skips):
        nn.init.normal_(layer.weight)
        nn.init.normal_(layer.bias)
    pools = pools_of(trunk(framed(torch.randn(1, 3, *size))))

    with torch.no_grad():
        ours, theirs = head(pools, size), as_published(head, pools, size)

    inner = (..., slice(40, size[0] - 40), slice(40, size[1] - 40))
    assert ours.shape == theirs.shape
    assert torch.allclose(ours[inner], theirs[inner], rtol=1e-3, atol=1e-3)
    assert theirs[inner].std() > 0.01


@pytest.mark.parametrize("start", [0, 3, 17])
@pytest.mark.parametrize("factor", [1, 2, 8])
def test_a_window_of_the_enlargement_is_cut_from_the_whole(factor, start) -> None:
    cells = torch.rand(1, 2, 64, 64)
    whole = enlarged(cells, factor, (64 * factor, 64 * factor))

    window = enlarged(cells, factor, (30, 21), start)

    expected = whole[..., start : start + 30, start : start + 21]
    assert torch.allclose(window, expected, atol=1e-6)


def test_fc7_sees_404_pixels_as_vgg_s_first_linear_layer() -> None:
    trunk = VGG(width=1 / 64).double()
    head = FCNHead((4, 8, 8), width=1 / 4096, padded=False).double()

    def see(image: Tensor) -> Tensor:
        return head.deep(pools_of(trunk(image))[-1])

    assert receptive_field(see, (3, 32, 1024)) == 404


@pytest.mark.parametrize("stride", [32, 16, 8])
@pytest.mark.parametrize("padded", [True, False])
def test_scores_lie_where_the_features_are(stride, *, padded: bool) -> None:
    image = torch.zeros(1, 1, 320, 320)
    image[..., 128:160, 160:192] = 1  # one cell of stride 32
    framed_image = framed(image) if padded else image
    pools = tuple(F.avg_pool2d(framed_image, s, ceil_mode=True) for s in (8, 16, 32))
    head = FCNHead((1, 1, 1), width=1 / 4096, stride=stride, padded=padded).eval()
    with torch.no_grad():  # the layers hand through what pool5 sees
        for layer in (head.fc6, head.fc7, head.score, *head.skips):
            layer.weight.zero_()
            middle = layer.kernel_size[0] // 2
            layer.weight[:, :, middle, middle] = 1

        answer = head(pools, (320, 320))

    assert answer.shape == (1, 2, 320, 320)
    rows, columns = torch.meshgrid(*[torch.arange(320.0)] * 2, indexing="ij")
    weight = answer[0, 0] / answer[0, 0].sum()
    assert float((weight * rows).sum()) == pytest.approx(143.5, abs=0.2)
    assert float((weight * columns).sum()) == pytest.approx(175.5, abs=0.2)


@pytest.mark.parametrize("size", [(1, 1), (31, 33), (40, 57)])
@pytest.mark.parametrize("stride", [32, 16, 8])
@pytest.mark.parametrize("padded", [True, False])
def test_every_size_of_image_is_covered(size, stride, *, padded: bool) -> None:
    image = torch.rand(1, 1, *size)
    framed_image = framed(image) if padded else image
    pools = tuple(F.max_pool2d(framed_image, s, ceil_mode=True) for s in (8, 16, 32))
    head = FCNHead((1, 1, 1), width=1 / 4096, stride=stride, padded=padded)

    assert head(pools, size).shape == (1, 2, *size)


def test_scores_begin_at_zero() -> None:
    head = FCNHead((1, 1, 1), width=1 / 64, padded=False)

    answer = head(tuple(torch.rand(1, 1, s, s) for s in (8, 4, 2)), (64, 64))

    assert not answer.any()


def test_hidden_layers_come_from_vgg_s_linear_ones() -> None:
    torch.manual_seed(0)
    head = FCNHead((1, 1, 2), width=4 / 4096, padded=True).eval()
    tensors = {
        "classifier.0.weight": torch.randn(4, 2 * 7 * 7),
        "classifier.0.bias": torch.randn(4),
        "classifier.3.weight": torch.randn(4, 4),
        "classifier.3.bias": torch.randn(4),
    }
    pool5 = torch.rand(1, 2, 7, 7)

    head.initialise(tensors)

    hidden = F.relu(
        F.linear(
            pool5.flatten(1),
            tensors["classifier.0.weight"],
            tensors["classifier.0.bias"],
        )
    )
    hidden = F.relu(
        F.linear(hidden, tensors["classifier.3.weight"], tensors["classifier.3.bias"])
    )
    assert torch.allclose(head.deep(pool5).flatten(1), hidden, rtol=1e-4, atol=1e-5)


def test_one_logit_says_what_a_softmax_of_two_scores_says() -> None:
    scores = torch.randn(1, 2, 4, 4)

    assert torch.allclose(
        object_logit(scores).sigmoid()[:, 0], scores.softmax(1)[:, 1], atol=1e-6
    )


def test_other_strides_are_refused() -> None:
    with pytest.raises(ValueError, match="stride 32, 16 or 8, not 4"):
        FCNHead((1, 1, 1), stride=4)
