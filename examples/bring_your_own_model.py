"""A network of one's own, trained here in seconds, then corrected by clicks."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from skimage import data, filters, segmentation
from torch import nn
from torch.nn import functional as F

import napari_iseg as iseg
from napari_iseg.refine.conversion import InWindows, Reads
from napari_iseg.refine.handles import Variant
from napari_iseg.widest_error import iou, next_click


class SmallUNet(nn.Module):
    """Any network that takes an image and gives a logit for each pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.coarse, self.deep = block(1, 8), block(8, 16), block(16, 32)
        self.merge_coarse, self.merge_fine = block(48, 16), block(24, 8)
        self.score = nn.Conv2d(8, 1, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        fine = self.fine(image)
        coarse = self.coarse(F.max_pool2d(fine, 4))
        deep = self.deep(F.max_pool2d(coarse, 4))
        coarse = self.merge_coarse(torch.cat([enlarged(deep), coarse], 1))
        return self.score(self.merge_fine(torch.cat([enlarged(coarse), fine], 1)))


def block(inputs: int, outputs: int) -> nn.Module:
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
    again = nn.Conv2d(outputs, outputs, 3, padding=1)
    return nn.Sequential(
        convolution, nn.BatchNorm2d(outputs), nn.ReLU(), again, nn.ReLU()
    )


def enlarged(coarse: torch.Tensor) -> torch.Tensor:
    return F.interpolate(coarse, scale_factor=4.0)


def coins_in(image: np.ndarray) -> np.ndarray:
    """Outlines for training: a watershed between what is certainly dark and bright."""
    seeds = np.select([image < 30, image > 150], [1, 2])
    return ndimage.binary_fill_holes(
        segmentation.watershed(filters.sobel(image), seeds) == 2
    )


def trained(image: np.ndarray, truth: np.ndarray, steps: int) -> nn.Module:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    net = SmallUNet()
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(steps):
        tops, lefts = (rng.integers(0, side - 96, 4) for side in image.shape)
        corners = zip(tops, lefts, strict=True)
        cut = [np.s_[top : top + 96, left : left + 96] for top, left in corners]
        shown, wanted = (
            torch.from_numpy(np.stack([whole[one] for one in cut])[:, None])
            for whole in (image, truth)
        )
        loss = F.binary_cross_entropy_with_logits(net(shown), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net


image = data.coins()
truth = coins_in(image)
rows = slice(160, None)  # the lower half; the upper one is held out
grey = (image / 255).astype(np.float32)
net = trained(grey[rows], truth[rows].astype(np.float32), steps=150)

unseen, wanted = image[:160], truth[:160]


def corrected(variant: Variant, most: int = 6) -> list[float]:
    """IoU of the network's own answer, then after each click."""
    segmenter = iseg.make_interactive(
        net,
        whole=True,  # all coins, not only those with positive clicks
        view=InWindows(side=96),  # a click is looked at in so many pixels
        reads=Reads(intensities=iseg.DtypeRange()),  # 0..255 is 0..1, as in training
        variant=variant,
    )
    predictor = segmenter.prepare(unseen)
    mask, clicks = predictor.automatic() > 0.5, iseg.Clicks()
    found = [iou(wanted, mask)]
    for _ in range(most):
        clicks = clicks.adding(next_click(wanted, mask, clicks))
        mask = predictor.predict(clicks) > 0.5
        found.append(iou(wanted, mask))
    print(predictor.remark or f"{variant}: every click is obeyed")
    return found


# What a click changes: the network's input, as BRS, or features half way through it.
curves = {variant: corrected(variant) for variant in ("maps", "b")}
print("clicks", *range(7), sep="\t")
for variant, values in curves.items():
    print(variant, *(f"{value:.2f}" for value in values), sep="\t")
