"""The U-Net is Ronneberger's, layer by layer; padded, it takes images of any size."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from napari_iseg.nets.papers.description import Description, read_network
from napari_iseg.nets.unet import LOST, SameSize, UNet, fitting, mirrored
from tests.nets.papers.measures import parameter_count

NARROW = 1 / 32


def test_it_has_as_many_parameters_as_figure_1_of_the_paper() -> None:
    """
    Given 18 convolutions of 3x3, 4 up-convolutions of 2x2 and one of 1x1 (23 layers),
    when they are counted by hand with the channels of figure 1,
    then the network has as many weights and biases, with two classes and one channel.
    """
    pairs = [(1, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256),
             (256, 512), (512, 512), (512, 1024), (1024, 1024),
             (1024, 512), (512, 512), (512, 256), (256, 256),
             (256, 128), (128, 128), (128, 64), (64, 64)]  # fmt: skip
    ups = [(1024, 512), (512, 256), (256, 128), (128, 64)]
    by_hand = sum(9 * one * other + other for one, other in pairs)
    by_hand += sum(4 * one * other + other for one, other in ups) + 64 * 2 + 2

    assert by_hand == 31_030_658
    assert parameter_count(lambda: UNet(classes=2)) == by_hand
    assert parameter_count(lambda: UNet(classes=2, padded=True)) == by_hand


def test_every_layer_has_the_size_of_figure_1() -> None:
    """
    Given a tile of 572 pixels as in the paper,
    when a narrow network of the same form sees it,
    then every level has the height that figure 1 gives it, and 388 pixels are left.
    """
    net, found = UNet(NARROW, classes=2).eval(), []
    for level in (*net.down, *net.merge):
        level.register_forward_hook(lambda _net, _in, out: found.append(out.shape[-1]))

    with torch.no_grad():
        answer = net(torch.zeros(1, 1, 572, 572))

    assert found == [568, 280, 136, 64, 28, 52, 100, 196, 388]
    assert answer.shape == (1, 2, 388, 388)


def test_an_answer_begins_anew_every_sixteen_rows() -> None:
    """
    Given a network without padding, whose narrowest level has a cell for 16 pixels,
    when the first row of its image changes,
    then only the first 16 rows of the answer may know of it.
    """
    net = UNet(NARROW).eval()
    image = torch.rand(1, 1, 220, 204)
    other = image.clone()
    other[..., 0, :] += 1

    with torch.no_grad():
        assert torch.equal(net(image)[..., 16:, :], net(other)[..., 16:, :])


@pytest.mark.parametrize("grid", [(1, 1), (31, 57), (64, 48)])
@pytest.mark.parametrize("normed", [False, True])
def test_padded_it_answers_for_images_of_any_size(grid, normed) -> None:
    net = UNet(NARROW, padded=True, normed=normed).eval()

    with torch.no_grad():
        answer = net(torch.rand(2, 1, *grid))

    assert answer.shape == (2, 3, *grid)
    assert answer.isfinite().all()


def test_a_size_that_poolings_would_cut_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cannot take 570 x 572.* give it 572 x 572"):
        UNet(NARROW)(torch.zeros(1, 1, 570, 572))
    with pytest.raises(ValueError, match=r"cannot take 20 x 20.* give it 188 x 188"):
        UNet(NARROW)(torch.zeros(1, 1, 20, 20))


@pytest.mark.parametrize("grid", [(1, 1), (7, 30), (388, 200)])
def test_mirrored_it_covers_images_of_any_size(grid) -> None:
    """
    Given an image of any size and a network without padding,
    when the image is continued as its mirror image,
    then the answer has the image's size.
    """
    net = SameSize(UNet(NARROW)).eval()

    with torch.no_grad():
        assert net(torch.rand(1, 1, *grid)).shape == (1, 3, *grid)


@settings(max_examples=25, deadline=None)
@given(height=st.integers(1, 300), width=st.integers(1, 300))
def test_the_image_lies_in_the_middle_of_its_mirror_images(height, width) -> None:
    image = torch.rand(1, 1, height, width)

    shown = mirrored(image)

    assert shown.shape[-2:] == (fitting(height), fitting(width))
    margin = LOST // 2
    inner = shown[..., margin : margin + height, margin : margin + width]
    assert torch.equal(inner, image)
    if height > 1:
        assert torch.equal(shown[..., margin - 1, margin], image[..., 1, 0])


def test_a_tile_and_the_whole_image_agree() -> None:
    """
    Given an image of two tiles,
    when the network without padding sees it whole and one tile alone,
    then both answers are the same on the tile: tiles overlap, answers do not.
    """
    net = UNet(NARROW).eval().double()
    image = torch.rand(1, 1, 252, 204, dtype=torch.float64)

    with torch.no_grad():
        whole, tile = net(image), net(image[..., :220, :])

    assert torch.allclose(whole[..., : tile.shape[-2], :], tile)


def test_every_parameter_learns() -> None:
    net = UNet(NARROW, padded=True, normed=True).train()

    net(torch.rand(2, 1, 32, 32)).square().mean().backward()

    assert not [n for n, p in net.named_parameters() if p.grad is None]


def test_weights_say_that_they_are_of_a_unet(tmp_path: Path) -> None:
    """
    Given exported weights of a narrow, padded U-Net with batch norms,
    when they are read by the name of the method,
    then the same network comes back.
    """
    path = tmp_path / "unet.safetensors"
    kind = Description("unet-brs", {"width": NARROW, "padded": True, "normed": True})
    net = kind.build().eval()
    save_file(net.state_dict(), path, metadata=kind.metadata())
    image = torch.rand(1, 1, 33, 20)

    with torch.no_grad():
        assert torch.equal(read_network(path, "unet-brs")(image), net(image))
