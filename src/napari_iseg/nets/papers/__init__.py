"""The papers' own networks, one file each, as their authors describe them.

Every one is a ``torch.nn.Module`` and keeps the same promises:

- ``Net(width=1.0, ..., pretrained=False)``: at ``width=1.0`` the paper's; other widths
  multiply every number of channels. ``pretrained=True`` starts from torchvision's
  ImageNet weights where the paper did, and only at ``width=1.0``.
- ``net(image, maps)`` takes RGB ``(B, 3, H, W)`` in 0..1 and the two click maps
  ``(B, 2, H, W)``, positive first, as ``net.encoder`` draws them; any ``H`` and ``W``.
  Scaling of both is inside: it belongs to the weights. Networks that place regions by
  the clicks take the clicks as well; networks that say ``masked`` take the answer so
  far as ``mask`` ``(B, 1, H, W)``.
- the answer is a ``NamedTuple`` with ``logits`` ``(B, M, H, W)``, M = 1 unless the
  paper has several hypotheses, and whatever else the paper's loss needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

# The catalogue's names, and where the classes are; imported when first used.
NETWORKS: Mapping[str, str] = MappingProxyType(
    {
        "brs": "napari_iseg.nets.papers.brs:BRS",
        "fctsfn": "napari_iseg.nets.papers.fctsfn:FCTSFN",
        "ifcn": "napari_iseg.nets.papers.ifcn:IFCN",
        "itis": "napari_iseg.nets.papers.itis:ITIS",
        "latent-diversity": "napari_iseg.nets.papers.latent_diversity:LatentDiversity",
        "ris-net": "napari_iseg.nets.papers.ris_net:RISNet",
    }
)

# Networks that know nothing of clicks until BRS converts them: ``net(image)`` takes
# ``(B, channels, H, W)`` in 0..1 and gives logits ``(B, classes, H, W)``, or a
# ``NamedTuple`` that begins with them.
CONVERTED: Mapping[str, str] = MappingProxyType(
    {
        "unet-brs": "napari_iseg.nets.unet:UNet",
        "fcn-brs": "napari_iseg.nets.semantic:FCN",
        "fcn-resnet50": "napari_iseg.nets.semantic:FCNResNet50",
        "dhsnet-brs": "napari_iseg.nets.dhsnet:DHSNet",
    }
)


def network(name: str) -> Callable[..., Any]:
    """The class behind a name of ``NETWORKS`` or ``CONVERTED``.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    known = {**NETWORKS, **CONVERTED}
    if name not in known:
        raise ValueError(
            f"no paper's network is called {name!r}; there are: {', '.join(known)}"
        )
    module, _, attribute = known[name].partition(":")
    built: Callable[..., Any] = getattr(import_module(module), attribute)
    return built
