"""VGG as the papers took it: sizes, order of layers, ImageNet weights."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from torch.nn import functional as F
from torchvision.models import VGG16_Weights, vgg16, vgg19

from napari_iseg.nets.papers.imagenet import imagenet_file, imagenet_tensors, whole
from napari_iseg.nets.papers.vgg import (
    VGG,
    Stage,
    mean_of_colours,
    normalised,
    scaled,
    vgg_tensors,
    with_zeros,
)


def torchvision_like(net: VGG) -> dict[str, torch.Tensor]:
    """Random weights for ``net`` by torchvision's names, with their gaps."""
    tensors = {}
    for number, layer in enumerate(net.convolutions()):
        tensors[f"features.{3 * number}.weight"] = torch.randn_like(layer.weight)
        tensors[f"features.{3 * number}.bias"] = torch.randn_like(layer.bias)
    return tensors


@pytest.mark.parametrize(("depth", "theirs"), [(16, vgg16), (19, vgg19)])
def test_at_full_width_the_layers_are_torchvision_s(depth, theirs) -> None:
    with torch.device("meta"):
        ours, official = VGG(depth), theirs(weights=None)

    shapes = [tuple(layer.weight.shape) for layer in ours.convolutions()]

    assert shapes == [
        tuple(layer.weight.shape)
        for layer in official.features
        if isinstance(layer, torch.nn.Conv2d)
    ]


def test_sixteen_layers_have_as_many_parameters_as_the_paper_s() -> None:
    with torch.device("meta"):
        count = sum(p.numel() for p in VGG(16).parameters())

    assert count == 14_714_688


@pytest.mark.parametrize(("height", "width"), [(1, 1), (17, 33), (32, 48)])
def test_each_stage_halves_the_image_and_keeps_odd_edges(height, width) -> None:
    net = VGG(width=1 / 32)

    answers = net(torch.rand(1, 3, height, width))

    assert [tuple(a.shape[1:]) for a in answers] == [
        (net.widths[i], -(-height // 2**i), -(-width // 2**i)) for i in range(5)
    ]


def test_a_stage_tells_what_each_of_its_layers_saw() -> None:
    stage = Stage(3, 4, 3)
    image = torch.rand(1, 3, 8, 8)

    seen = list(stage.activations(image))

    assert len(seen) == 3
    assert torch.equal(seen[-1], stage(image))
    assert all((one >= 0).all() for one in seen)


def test_dilated_stages_see_further_at_the_same_size() -> None:
    plain, dilated = Stage(1, 1, 1), Stage(1, 1, 1, dilation=2)
    dot = torch.zeros(1, 1, 9, 9)
    dot[0, 0, 4, 4] = 1

    reach = [
        F.conv2d(dot, torch.ones(1, 1, 3, 3), None, 1, layer.padding, layer.dilation)
        .nonzero()[:, 2]
        .unique()
        .tolist()
        for layer in (plain.layers[0], dilated.layers[0])
    ]

    assert reach == [[3, 4, 5], [2, 4, 6]]


def test_width_scales_every_layer_but_leaves_a_channel() -> None:
    assert [scaled(c, 0.25) for c in (64, 512)] == [16, 128]
    assert scaled(64, 0.001) == 1


def test_imagenet_weights_go_where_they_belong() -> None:
    torch.manual_seed(0)
    net = VGG(width=1 / 16)
    tensors = torchvision_like(net)
    image = torch.rand(1, 3, 16, 16)

    net.initialise(tensors)

    theirs = image
    for number in range(4):
        weight, bias = (
            tensors[f"features.{3 * number}.{kind}"] for kind in ("weight", "bias")
        )
        theirs = F.relu(F.conv2d(theirs, weight, bias, padding=1))
        theirs = F.max_pool2d(theirs, 2) if number == 1 else theirs
    assert torch.allclose(net(image)[1], theirs, rtol=1e-4)


def test_more_channels_begin_at_zero_so_that_the_image_speaks_alone() -> None:
    torch.manual_seed(0)
    three, five = VGG(width=1 / 16), VGG(width=1 / 16, channels=5)
    tensors = torchvision_like(three)
    image = torch.rand(1, 3, 16, 16)

    three.initialise(tensors)
    five.initialise(tensors, with_zeros)

    maps = torch.rand(1, 2, 16, 16)
    assert torch.allclose(
        three(image)[-1], five(torch.cat([image, maps], 1))[-1], rtol=1e-3, atol=1e-3
    )


def test_clicks_alone_are_seen_by_the_mean_of_the_colours() -> None:
    filters = torch.rand(4, 3, 3, 3)

    ours = mean_of_colours(filters, 2)

    assert ours.shape == (4, 2, 3, 3)
    assert torch.allclose(ours[:, 1], filters.mean(1))


def test_weights_of_another_width_are_refused() -> None:
    narrow, wide = VGG(width=1 / 16), VGG(width=1 / 8)

    with pytest.raises(ValueError, match=r"do not fit .* width=1\.0"):
        narrow.initialise(torchvision_like(wide))


def test_a_narrow_network_cannot_be_pretrained() -> None:
    with pytest.raises(ValueError, match=r"fit only width=1\.0, not width=0\.5"):
        whole(0.5)
    whole(1.0)


def test_images_are_scaled_as_the_weights_expect() -> None:
    mean = torch.tensor([0.485, 0.456, 0.406])[None, :, None, None]

    assert torch.equal(normalised(mean), torch.zeros(1, 3, 1, 1))


@pytest.mark.parametrize("depth", [16, 19])
def test_without_network_one_sentence_says_which_file_to_put_where(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, depth: int
) -> None:
    def offline(*_arguments: object, **_named: object) -> None:
        raise URLError("no route")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)

    with pytest.raises(ValueError, match="could not download") as said:
        vgg_tensors(depth)

    message = str(said.value)
    assert f"download https://download.pytorch.org/models/vgg{depth}-" in message
    assert str(tmp_path / "hub" / "checkpoints" / f"vgg{depth}-") in message


def test_a_file_that_was_put_there_is_used_once_its_hash_fits(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    torch.save({"features.0.bias": torch.ones(2)}, tmp_path / "some.pth")
    digest = hashlib.sha256((tmp_path / "some.pth").read_bytes()).hexdigest()

    class Table:
        url = f"https://example.org/some-{digest[:8]}.pth"

    imagenet_file(Table).parent.mkdir(parents=True)
    (tmp_path / "some.pth").rename(imagenet_file(Table))

    assert torch.equal(imagenet_tensors(Table)["features.0.bias"], torch.ones(2))


def test_a_damaged_file_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = imagenet_file(VGG16_Weights.IMAGENET1K_V1)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half a download")

    with pytest.raises(ValueError, match=r"is damaged: .* delete it and try again"):
        vgg_tensors(16)
