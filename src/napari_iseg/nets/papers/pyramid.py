"""Pyramid pooling: what an image holds, in a few cells of several sizes.

Zhao, Shi, Qi, Wang and Jia, *Pyramid scene parsing network*, CVPR 2017.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEVELS = (1, 2, 3, 6)  # cells a side


class PyramidPooling(nn.Module):
    """``(B, inputs, h, w)`` to ``(B, 4 * outputs, side, side)``.

    Each level is averaged, reduced to ``outputs`` channels and enlarged to ``side``.
    """

    def __init__(self, inputs: int, outputs: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.reduce = nn.ModuleList(nn.Conv2d(inputs, outputs, 1) for _ in LEVELS)

    def forward(self, features: Tensor) -> Tensor:
        size = (self.side, self.side)
        levels = [
            F.interpolate(
                F.relu(reduce(F.adaptive_avg_pool2d(features, level))),
                size,
                mode="bilinear",
                align_corners=False,
            )
            for level, reduce in zip(LEVELS, self.reduce, strict=True)
        ]
        return torch.cat(levels, 1)
