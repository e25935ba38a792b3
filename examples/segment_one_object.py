"""Two coins with clicks alone: no window, no napari."""

from __future__ import annotations

import numpy as np
from skimage import data

import napari_iseg as iseg

image = data.coins()
predictor = iseg.load_segmenter("cells").prepare(image)
session = iseg.Session(image.shape)


def ask() -> None:
    """Hand the session the answer it waits for; a window does this in a thread."""
    if session.wanted is not None:
        answers = predictor.alternative_patches(session.wanted.clicks)
        session.deliver(session.wanted, answers)


for row, column in [(185, 347), (195, 101)]:
    session.click(iseg.Click(row, column))
    ask()
    session.click(iseg.Click(row - 35, column, is_positive=False))  # above the coin
    ask()
    coin = session.accept()
    print(f"object {coin.label}: {coin.mask.sum()} pixels, {len(coin.clicks)} clicks")

session.undo()  # the second coin is in progress again, with both its clicks
print(f"after undo: {len(session.objects)} object, {len(session.clicks)} clicks")
session.redo()
print(f"labels: {np.unique(session.labels()).tolist()}")
