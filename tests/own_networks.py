"""Networks as users bring them: made for images, without a thought of clicks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


class Bright(nn.Module):
    """One logit: how much brighter than ``level`` the surroundings of a pixel are."""

    def __init__(self, level: float = 0.45, channels: int = 1) -> None:
        super().__init__()
        self.smooth = nn.Conv2d(channels, 1, 5, padding=2, padding_mode="replicate")
        self.score = nn.Conv2d(1, 1, 1)
        with torch.no_grad():
            self.smooth.weight.fill_(1 / self.smooth.weight.numel())
            self.smooth.bias.zero_()
            self.score.weight.fill_(20)
            self.score.bias.fill_(-20 * level)

    def forward(self, image: Tensor) -> Tensor:
        return self.score(self.smooth(image))


class Tones(nn.Module):
    """A logit for each of three classes: dark, grey and bright."""

    def __init__(self) -> None:
        super().__init__()
        self.smooth = nn.Conv2d(1, 1, 5, padding=2, padding_mode="replicate")
        with torch.no_grad():
            self.smooth.weight.fill_(1 / 25)
            self.smooth.bias.zero_()
        self.register_buffer("tones", torch.tensor([0.2, 0.5, 0.8])[:, None, None])

    def forward(self, image: Tensor) -> Tensor:
        return 3 - 100 * (self.smooth(image) - self.tones) ** 2


def tiny_unet(inputs: int = 1, outputs: int = 1) -> nn.Module:
    """Two levels with random weights: nothing but a network's shape."""
    torch.manual_seed(0)
    return TwoLevels(inputs, outputs)


class TwoLevels(nn.Module):
    """See ``tiny_unet``. Its layers are not in the order in which they run."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.score = nn.Conv2d(16, outputs, 1)
        self.fine = nn.Sequential(nn.Conv2d(inputs, 8, 3, padding=1), nn.ReLU())
        self.coarse = nn.Sequential(
            nn.Conv2d(8, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.5)
        )
        self.up = nn.ConvTranspose2d(8, 8, 2, 2)

    def forward(self, image: Tensor) -> Tensor:
        fine = self.fine(image)
        return self.score(torch.cat([fine, self.up(self.coarse(fine))], 1))


def discs(*places: tuple[int, int], grid: tuple[int, int] = (180, 240)) -> np.ndarray:
    """Bright discs of radius 15 on a dark, noisy ground, uint8."""
    rows, columns = np.indices(grid)
    near = [(rows - r) ** 2 + (columns - c) ** 2 < 15**2 for r, c in places]
    noise = np.random.default_rng(0).normal(60, 8, grid)
    return np.clip(noise + 120 * np.any(near, axis=0), 0, 255).astype(np.uint8)
