"""At full width, torchvision's weights compute in our networks what they do in its own.

The weights here are random: which file they come from is tested in ``test_vgg.py``.
"""

from __future__ import annotations

import pytest
import torch
from torchvision.models import densenet121, resnet50, vgg16, vgg19

from napari_iseg.nets.papers import densenet, fctsfn, ifcn, latent_diversity, resnet
from napari_iseg.nets.papers.fcn import pools_of
from napari_iseg.nets.papers.vgg import normalised

pytestmark = pytest.mark.slow

SIDE = 224  # what VGG's linear layers expect
MIDDLE = 3  # of seven cells: fc6 sees all of them there
CONV4_3, TAPS = 23, (4, 9, 14, 23, 32)  # layers of torchvision's, counted with ReLUs


@pytest.fixture
def image() -> torch.Tensor:
    return torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("module", [ifcn, fctsfn])
@torch.inference_mode()
def test_vgg_16_sees_the_same_in_an_fcn(monkeypatch, image, module) -> None:
    official = vgg16(weights=None).eval()
    monkeypatch.setattr(module, "vgg_tensors", lambda depth: official.state_dict())
    shown = normalised(image)

    if module is ifcn:
        net = ifcn.IFCN(padded=False, pretrained=True).eval()
        features = net.trunk(torch.cat([shown, torch.rand(1, 2, SIDE, SIDE)], 1))
        ours = net.head.deep(pools_of(features)[-1])[0, :, MIDDLE, MIDDLE]
        theirs = official.classifier[:5](official.features(shown).flatten(1))[0]
    else:
        net = fctsfn.FCTSFN(padded=False, pretrained=True).eval()
        ours = net.look(image).activations[-1]
        theirs = official.features[:CONV4_3](shown)

    assert theirs.any()
    assert torch.allclose(ours, theirs, rtol=1e-3, atol=float(theirs.max()) * 1e-4)


@torch.inference_mode()
def test_vgg_19_gives_latent_diversity_its_hypercolumns(monkeypatch, image) -> None:
    official = vgg19(weights=None).eval()
    monkeypatch.setattr(
        latent_diversity, "vgg_tensors", lambda depth: official.state_dict()
    )
    shown = normalised(image)

    net = latent_diversity.LatentDiversity(pretrained=True).eval()

    for tap, end in zip(net.hypercolumns(shown), TAPS, strict=True):
        theirs = official.features[:end](shown)
        assert theirs.any()
        assert torch.allclose(tap, theirs, rtol=1e-3, atol=float(theirs.max()) * 1e-4)


@torch.inference_mode()
def test_densenet_121_sees_the_same_in_brs(monkeypatch, image) -> None:
    official = densenet121(weights=None).eval()
    monkeypatch.setattr(densenet, "imagenet_tensors", lambda _: official.state_dict())
    net = densenet.DenseNet(channels=5).eval()
    net.initialise()
    shown = normalised(image[..., :96, :96])

    deepest = net(torch.cat([shown, torch.rand(1, 2, 96, 96)], 1))[-1]

    theirs = official.features(shown)
    assert theirs.any()
    assert torch.allclose(official.features.norm5(deepest), theirs, rtol=1e-3)


@torch.inference_mode()
def test_resnet_50_sees_the_same_in_itis(monkeypatch, image) -> None:
    official = resnet50(replace_stride_with_dilation=[False, False, True]).eval()
    monkeypatch.setattr(resnet, "imagenet_tensors", lambda _: official.state_dict())
    net = resnet.ResNet().eval()
    net.initialise()
    shown = normalised(image[..., :96, :96])

    fine, deep = net(shown)

    official.avgpool = official.fc = torch.nn.Identity()
    assert deep.any()
    assert torch.allclose(deep.flatten(1), official(shown), rtol=1e-3)
    assert fine.shape == (1, 256, 24, 24)
