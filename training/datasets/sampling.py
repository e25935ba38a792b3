"""A part of a data set that stands for all of it."""

from __future__ import annotations

from collections import Counter

import numpy as np

from training.datasets.data_set import DataSet


def image_of(sample: str) -> str:
    """The image's part of a sample's name."""
    return sample.rpartition("/")[0]


def subset(dataset: DataSet, limit: int, seed: int = 0) -> list[str]:
    """At most ``limit`` samples, spread evenly over the images; the same for a seed.

    First one object of every image, then a second of each that has one, and so on;
    which ones is drawn. 0 means all of them. The order is that of the data set.
    """
    samples = list(dataset.samples())
    if limit <= 0 or limit >= len(samples):
        return samples
    drawn = np.argsort(np.random.default_rng(seed).random(len(samples)), kind="stable")
    turns: Counter[str] = Counter()
    ranked: list[tuple[int, str]] = []
    for sample in (samples[i] for i in drawn):
        ranked.append((turns[image_of(sample)], sample))
        turns[image_of(sample)] += 1
    ranked.sort(key=lambda item: item[0])
    chosen = {sample for _, sample in ranked[:limit]}
    return [sample for sample in samples if sample in chosen]
