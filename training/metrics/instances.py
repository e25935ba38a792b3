"""How good a finished label map is, object by object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Mask

LabelMap: TypeAlias = NDArray[Any]  # (H, W), whole numbers, 0 = background
THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class InstanceQuality:
    """What one finished label map is worth.

    Attributes
    ----------
    objects, found
        Objects in the truth and in the label map.
    precisions
        At each of ``THRESHOLDS``: matched / (matched + missed + surplus objects), the
        "average precision" of the cell literature (DSB2018, StarDist, micro-sam).
    sq, rq
        Segmentation quality (mean IoU of matched pairs) and recognition quality (F1) at
        an IoU of 0.5 (Kirillov et al., *Panoptic segmentation*, CVPR 2019).
    clicks
        All clicks made on the image; None if nobody counted.
    """

    objects: int
    found: int
    precisions: tuple[float, ...]
    sq: float
    rq: float
    clicks: int | None = None

    @property
    def msa(self) -> float:
        """Mean of ``precisions``: mean segmentation accuracy."""
        return float(np.mean(self.precisions))

    @property
    def pq(self) -> float:
        """Panoptic quality."""
        return self.sq * self.rq

    def precision(self, threshold: float) -> float:
        """The precision at one of ``THRESHOLDS``.

        Raises
        ------
        ValueError
            If it is none of them.
        """
        if threshold not in THRESHOLDS:
            raise ValueError(f"precision is known at {THRESHOLDS}, not at {threshold}")
        return self.precisions[THRESHOLDS.index(threshold)]


def instance_quality(
    labels: LabelMap,
    truth: LabelMap,
    ignored: Mask | None = None,
    *,
    clicks: int | None = None,
) -> InstanceQuality:
    """Compare a finished label map with the true one.

    Parameters
    ----------
    labels, truth
        ``(H, W)``, 0 where no object is. Two objects match at a threshold if their IoU
        is greater than it: from 0.5 on, each matches one at most.
    ignored
        ``(H, W)``; such pixels belong to no object. A found object without a match that
        lies in them by more than half is not surplus.
    clicks
        All clicks made on the image.

    Returns
    -------
    All shares in 0..1; 1 where neither map holds an object.

    Raises
    ------
    ValueError
        If the shapes differ or a label is negative.
    """
    _check(labels, truth)
    counted = np.ones(truth.shape, bool) if ignored is None else ~ignored
    best, areas = best_matches(labels, truth, counted)
    whole = _areas(labels)
    hidden = {k for k, area in whole.items() if areas.get(k, 0) < area / 2}
    objects = len(_areas(truth[counted]))

    def at(threshold: float) -> tuple[int, int]:
        """Matched pairs, and found objects that count."""
        matched = {label for label, value in best.items() if value > threshold}
        return len(matched), len(whole.keys() - (hidden - matched))

    shares = [_share(pairs, objects + n - pairs) for pairs, n in map(at, THRESHOLDS)]
    pairs, found = at(THRESHOLDS[0])
    matched = [value for value in best.values() if value > THRESHOLDS[0]]
    return InstanceQuality(
        objects,
        found,
        tuple(shares),
        sq=float(np.mean(matched)) if matched else _share(0, objects + found),
        rq=_share(2 * pairs, objects + found),
        clicks=clicks,
    )


def _check(labels: LabelMap, truth: LabelMap) -> None:
    if labels.shape != truth.shape:
        raise ValueError(
            f"the label map is of shape {labels.shape}, the true one of {truth.shape}; "
            "compare maps of the same image"
        )
    lowest = min(labels.min(initial=0), truth.min(initial=0))
    if lowest < 0:
        raise ValueError(
            f"there is a label {lowest}; objects are numbered from 1, 0 is background"
        )


def _share(part: int, whole: int) -> float:
    """1 of nothing: an empty map is right about an empty image."""
    return part / whole if whole else 1.0


def best_matches(
    labels: LabelMap, truth: LabelMap, counted: Mask
) -> tuple[dict[int, float], dict[int, int]]:
    """The greatest IoU of each found object, and its area; of counted pixels."""
    found, true = labels[counted], truth[counted]
    areas, true_areas = _areas(found), _areas(true)
    touching = (found > 0) & (true > 0)
    base = int(true.max(initial=0)) + 1
    codes = found[touching].astype(np.int64) * base + true[touching]
    pairs, overlaps = np.unique(codes, return_counts=True)
    best: dict[int, float] = {}
    for pair, overlap in zip(pairs.tolist(), overlaps.tolist(), strict=True):
        label, other = divmod(pair, base)
        either = areas[label] + true_areas[other] - overlap
        best[label] = max(best.get(label, 0.0), overlap / either)
    return best, areas


def _areas(values: LabelMap) -> dict[int, int]:
    """Label -> pixels, without the background."""
    labels, areas = np.unique(values, return_counts=True)
    return {int(k): int(n) for k, n in zip(labels, areas, strict=True) if k}


def instance_summary(images: Sequence[InstanceQuality]) -> dict[str, float]:
    """The row of a table: means over images, ``objects`` and ``clicks`` in all.

    ``msa``, ``ap50``, ``ap75``, ``pq``, ``sq``, ``rq``; where clicks were counted
    ``clicks_per_image`` and ``clicks_per_object`` (of the truth).

    Raises
    ------
    ValueError
        If there is no image.
    """
    if not images:
        raise ValueError("there is no image to sum up; finish a label map first")
    measures = {
        "msa": [image.msa for image in images],
        "ap50": [image.precision(0.5) for image in images],
        "ap75": [image.precision(0.75) for image in images],
        "pq": [image.pq for image in images],
        "sq": [image.sq for image in images],
        "rq": [image.rq for image in images],
    }
    objects = sum(image.objects for image in images)
    row: dict[str, float] = {"images": len(images), "objects": objects}
    row |= {name: float(np.mean(values)) for name, values in measures.items()}
    made = [image.clicks for image in images if image.clicks is not None]
    if made:
        row["clicks"], row["clicks_per_image"] = sum(made), float(np.mean(made))
        if objects:
            row["clicks_per_object"] = sum(made) / objects
    return row
