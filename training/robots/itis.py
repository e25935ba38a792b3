"""The robots of ITIS: mislabelled pixels of both kinds, clustered together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_iseg import Click, Clicks
from napari_iseg.arrays import Mask
from napari_iseg.widest_error import depth_of, wrong_pixels
from training.robots.parts import Parts, parts_of
from training.robots.places import any_deepest, any_of, without_clicked
from training.robots.robot import Rng


@dataclass(frozen=True, slots=True)
class Itis:
    """The deepest pixel of the largest mislabelled cluster, ties by lot (ITIS 3.2).

    A cluster is an 8-connected part of what is missing or surplus. Earlier clicks count
    as its boundary, so new ones keep away from them; so does the outermost row and
    column of the image, which is clicked only if nothing else is left.

    Attributes
    ----------
    is_cluster_drawn
        Draw the cluster in proportion to its size instead of taking the largest:
        "probability cluster sampling", ITIS 4.4.
    """

    is_cluster_drawn: bool = False

    def next_click(
        self,
        truth: Mask,
        predicted: Mask,
        clicks: Clicks,
        rng: Rng,
        ignored: Mask | None = None,
    ) -> Click | None:
        mislabelled = mislabelled_pixels(truth, predicted, ignored)
        unclicked = without_clicked(mislabelled, clicks)
        for clickable in (without_border(unclicked), unclicked):
            clusters = parts_of(mislabelled, unclicked, clickable)
            if clusters is not None:
                cluster = self.chosen(clusters, rng) & clickable
                place = any_deepest(depth_of(cluster, Clicks()), rng)
                return Click(*place, bool(truth[place]))
        return None

    def chosen(self, clusters: Parts, rng: Rng) -> Mask:
        return clusters.any_part(rng) if self.is_cluster_drawn else clusters.largest()


@dataclass(frozen=True, slots=True)
class ItisRandom:
    """Any mislabelled pixel, each as likely: "random sampling" (ITIS 4.4)."""

    def next_click(
        self,
        truth: Mask,
        predicted: Mask,
        clicks: Clicks,
        rng: Rng,
        ignored: Mask | None = None,
    ) -> Click | None:
        mislabelled = mislabelled_pixels(truth, predicted, ignored)
        unclicked = without_clicked(mislabelled, clicks)
        if not unclicked.any():
            return None
        place = any_of(unclicked, rng)
        return Click(*place, bool(truth[place]))


def mislabelled_pixels(truth: Mask, predicted: Mask, ignored: Mask | None) -> Mask:
    """Missing and surplus pixels together."""
    missing, surplus = wrong_pixels(truth, predicted, ignored)
    return missing | surplus


def without_border(mask: Mask) -> Mask:
    """``mask``, false on the outermost rows and columns of the image."""
    inner = np.zeros_like(mask)
    inner[1:-1, 1:-1] = mask[1:-1, 1:-1]
    return inner
