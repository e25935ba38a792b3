"""FCN for the classes of VOC: as published on VGG-16, and torchvision's."""

from __future__ import annotations

import pytest
import torch
from torchvision.models import segmentation

from napari_iseg.nets import semantic
from napari_iseg.nets.papers import CONVERTED, network
from napari_iseg.nets.semantic import FCN, VOC_CLASSES, FCNResNet50
from tests.nets.papers.measures import parameter_count

NARROW = 1 / 32


def test_fcn_8s_has_as_many_parameters_as_published() -> None:
    """
    Given VGG-16 with its two hidden linear layers as convolutions,
    when 21 classes are scored at strides 32, 16 and 8,
    then the network has as many weights as counted by hand.
    """
    trunk = 14_714_688
    hidden = (7 * 7 * 512 + 1) * 4096 + (4096 + 1) * 4096
    scores = (4096 + 1 + 512 + 1 + 256 + 1) * 21

    assert parameter_count(FCN) == trunk + hidden + scores
    assert len(VOC_CLASSES) == 21


@pytest.mark.parametrize("grid", [(1, 1), (31, 57), (64, 64)])
@pytest.mark.parametrize("padded", [False, True])
def test_it_answers_for_images_of_any_size(grid, padded) -> None:
    net = FCN(NARROW, classes=5, padded=padded).eval()

    with torch.no_grad():
        assert net(torch.rand(1, 3, *grid)).shape == (1, 5, *grid)


def test_torchvisions_network_begins_with_torchvisions_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Given the file that torchvision publishes, with a second head that helps to train,
    when the network begins with it,
    then it answers as torchvision's network does, and an image in 0..1 is normalised
    inside.
    """
    torch.manual_seed(0)
    theirs = segmentation.fcn_resnet50(
        weights=None, weights_backbone=None, num_classes=21, aux_loss=True
    ).eval()
    monkeypatch.setattr(semantic, "imagenet_tensors", lambda kind: theirs.state_dict())
    image = torch.rand(1, 3, 40, 33)
    mean, deviation = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])

    net = FCNResNet50(pretrained=True).eval()

    shown = (image - torch.tensor(mean)[:, None, None]) / torch.tensor(deviation)[
        :, None, None
    ]
    with torch.no_grad():
        assert torch.allclose(net(image), theirs(shown)["out"], atol=1e-4)


def test_torchvisions_weights_know_voc_only() -> None:
    with pytest.raises(ValueError, match="know 21 classes, not 3"):
        FCNResNet50(3, pretrained=True)


@pytest.mark.parametrize("name", CONVERTED)
def test_every_network_that_is_converted_is_found_by_its_name(name) -> None:
    assert isinstance(network(name), type)
