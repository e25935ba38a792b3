"""Clicks a robot needs on a drawn cell; `python -m examples.count_clicks`."""

from __future__ import annotations

import numpy as np

import napari_iseg as iseg
from training.datasets import BenchmarkObject
from training.evaluation import Clicking, click_curve
from training.robots import ROBOTS

rng = np.random.default_rng(0)
rows, columns = np.indices((256, 256))
truth = ((rows - 120) / 40) ** 2 + ((columns - 110) / 24) ** 2 < 1
neighbour = ((rows - 170) / 30) ** 2 + ((columns - 150) / 30) ** 2 < 1
grey = 60 + 90.0 * (truth | neighbour) + rng.normal(0, 12, truth.shape)
image = np.clip(grey, 0, 255).astype(np.uint8)

cell = BenchmarkObject("drawn", image, truth, np.zeros_like(truth))
segmenter = iseg.load_segmenter("cells")
names = ("cells", "drawn", "ritm")
curve = click_curve(segmenter, cell, ROBOTS["ritm"], names, Clicking(most=5))

for clicks, value in enumerate(curve.ious, start=1):
    print(f"IoU after {clicks} clicks of the robot `ritm`: {value:.2f}")
print(f"clicks to an IoU of 85 %: {curve.clicks_to(0.85)}")
