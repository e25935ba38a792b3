"""Networks of all sizes are asked about images of any size."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg.arrays import Grid
from napari_iseg.nets.own.fitting import Fit, fit_of, mirror
from napari_iseg.nets.unet import LOST, STRIDE, UNet


def sizes_of(net: nn.Module):
    def sizes(grid: Grid) -> Grid:
        with torch.no_grad():
            height, width = net(torch.zeros(1, 1, *grid)).shape[-2:]
        return height, width

    return sizes


class Same(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return image


class Pooling(nn.Module):
    """Wants multiples of 8."""

    def forward(self, image: Tensor) -> Tensor:
        return image + F.interpolate(F.max_pool2d(image, 8), scale_factor=8.0)


class Coarse(nn.Module):
    """Answers at a quarter of the size."""

    def forward(self, image: Tensor) -> Tensor:
        return F.avg_pool2d(image, 4)


class Middle(nn.Module):
    """A convolution without padding that changes nothing: 3 pixels less each side."""

    def forward(self, image: Tensor) -> Tensor:
        return image[..., 3:-3, 3:-3]


class Jigsaw(nn.Module):
    """What it answers has no plan."""

    def forward(self, image: Tensor) -> Tensor:
        return image[..., : 5 + image.shape[-1] // 50, :7]


def through(net: nn.Module, fit: Fit, image: Tensor) -> Tensor:
    return fit.cut(net(fit.extended(image)), (image.shape[-2], image.shape[-1]))


grids = st.tuples(st.integers(1, 90), st.integers(1, 90))


@pytest.mark.parametrize("net", [Same(), Middle()])
@given(grid=grids)
def test_every_pixel_is_answered_in_its_place(net: nn.Module, grid: Grid):
    """Given networks that answer each pixel with itself."""
    image = torch.rand(1, 1, *grid)

    assert torch.equal(through(net, fit_of(sizes_of(net), 8, None), image), image)


@given(grid=grids)
def test_sides_become_multiples_and_the_answer_is_cut_back(grid: Grid):
    fit = Fit(multiple=8)
    image = torch.rand(1, 2, *grid)

    extended = fit.extended(image)

    assert all(side % 8 == 0 for side in extended.shape[-2:])
    assert torch.equal(extended[..., : grid[0], : grid[1]], image)
    assert torch.equal(fit.cut(extended, grid), image)
    assert through(Pooling(), fit, image).shape == image.shape


@given(length=st.integers(1, 9), before=st.integers(0, 30), more=st.integers(0, 30))
def test_beyond_its_edge_an_image_goes_on_as_its_mirror(length, before, more):
    places = mirror(length, before + length + more, before)

    assert torch.equal(places[before : before + length], torch.arange(length))
    steps = places.diff().abs()
    assert (steps == 1).all() or length == 1


def test_where_nothing_is_missing_the_image_is_left_alone():
    image = torch.rand(1, 3, 64, 96)

    assert Fit(multiple=32).extended(image) is image
    assert Fit(multiple=32).widened(image) is image


@given(grid=grids, border=st.integers(0, 9))
def test_maps_lie_on_the_image_with_zeros_around(grid: Grid, border: int):
    fit = Fit(multiple=8, rest=3, border=border)
    maps = torch.rand(1, 1, *grid)

    wide = fit.widened(maps)

    assert wide.shape == fit.extended(maps).shape
    rows, columns = (slice(border, border + side) for side in grid)
    assert torch.equal(wide[..., rows, columns], maps)
    assert wide.sum() == pytest.approx(float(maps.sum()), rel=1e-4)


def test_the_border_of_ronneberger_s_u_net_is_found():
    """572 pixels a side become 388, as in figure 1 of its paper."""
    fit = fit_of(sizes_of(UNet(1 / 64)), 32, None)

    assert fit.border == LOST // 2 == 92
    assert fit.rest % STRIDE == 572 % STRIDE
    assert fit.side(388, 0) >= 572


def test_a_u_net_without_padding_answers_for_every_pixel():
    torch.manual_seed(0)
    net = UNet(1 / 64).eval()

    fit = fit_of(sizes_of(net), STRIDE, None)
    image = torch.rand(1, 1, 40, 57)

    assert through(net, fit, image).shape == (1, 3, 40, 57)


def test_a_coarse_answer_is_enlarged():
    image = torch.linspace(0, 1, 64).expand(1, 1, 64, 64).contiguous()

    said = through(Coarse(), fit_of(sizes_of(Coarse()), 32, None), image)

    assert said.shape == image.shape
    assert (said - image)[..., 4:-4].abs().max() < 0.01


def test_a_network_of_one_size_is_shown_this_size():
    fit = fit_of(sizes_of(Same()), 32, (48, 80))

    assert fit.extended(torch.rand(1, 1, 30, 80)).shape[-2:] == (48, 80)
    with pytest.raises(ValueError, match="reads 48 x 80 pixels only, 81 are too many"):
        fit.extended(torch.rand(1, 1, 30, 81))


def test_a_network_of_one_size_may_answer_coarsely_or_without_its_border():
    coarse = fit_of(sizes_of(Coarse()), 32, (64, 96))
    middle = fit_of(sizes_of(Middle()), 32, (64, 96))

    assert coarse == Fit(size=(64, 96))
    assert middle == Fit(size=(64, 96), border=3)


@pytest.mark.parametrize("size", [None, (64, 64)])
def test_an_answer_of_a_size_without_a_plan_is_refused(size):
    with pytest.raises(ValueError, match="neither as many, nor a border less, nor a"):
        fit_of(sizes_of(Jigsaw()), 32, size)
