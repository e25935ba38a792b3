"""Squeeze and excitation: channels weighted by what the whole image looks like.

Hu, Shen and Sun, *Squeeze-and-excitation networks*, CVPR 2018.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

REDUCTION = 16
FEWEST = 3  # squeezed channels: one alone is shut by its ReLU half of the time


class SqueezeExcite(nn.Module):
    """Each of ``channels`` times a factor in 0..1 that depends on all of them.

    ``(B, channels, H, W)`` to the same shape.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(FEWEST, channels // REDUCTION)
        self.squeeze = nn.Conv2d(channels, narrow, 1)
        self.excite = nn.Conv2d(narrow, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        means = F.adaptive_avg_pool2d(features, 1)
        return features * torch.sigmoid(self.excite(F.relu(self.squeeze(means))))
