"""Atrous spatial pyramid pooling: one place seen at several distances and as a whole.

Chen, Papandreou, Schroff and Adam, *Rethinking atrous convolution for semantic image
segmentation*, 2017; with separable convolutions as in DeepLabV3+ (ECCV 2018).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg.nets.papers.separable import Separable
from napari_iseg.nets.papers.vgg import started

RATES = (6, 12, 18)  # dilations at output stride 16
DROPOUT = 0.1


class ASPP(nn.Module):
    """``(B, inputs, H, W)`` to ``(B, outputs, H, W)``.

    ``rates`` are the dilations of what looks around. Trained with batches of two images
    or more: the pooled features are one value an image, and a batch norm looks at them.
    """

    def __init__(self, inputs: int, outputs: int, rates: Sequence[int] = RATES) -> None:
        super().__init__()
        self.whole = normed(inputs, outputs)
        self.place = normed(inputs, outputs)
        self.around = nn.ModuleList(
            Separable(inputs, outputs, dilation=rate) for rate in rates
        )
        self.join = normed((2 + len(rates)) * outputs, outputs)
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, features: Tensor) -> Tensor:
        whole = self.whole(F.adaptive_avg_pool2d(features, 1))
        branches = [whole.expand(-1, -1, *features.shape[-2:]), self.place(features)]
        branches += [around(features) for around in self.around]
        return self.drop(self.join(torch.cat(branches, 1)))


def normed(inputs: int, outputs: int) -> nn.Sequential:
    """1x1 convolution, batch norm, ReLU."""
    layers = nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )
    return layers.apply(started)
