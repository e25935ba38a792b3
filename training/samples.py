"""One training sample: an object through two windows, as a predictor will see it.

The *wide* window is centred on the first click at some scale, the *zoom* window lies
around the object (or a part of it). Both are cut from one canvas that was turned,
flipped, scaled and varied in appearance, so the answer in the first can be carried over
to the second exactly as at run time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training.appearance import rendered, varied
from training.images import IGNORED, LabelledImage
from training.shapes import drawn_labels
from training.simulated_clicks.ifcn import CELLS, Ifcn
from training.simulated_clicks.medoids import BRS, Medoids

Rng = np.random.Generator
Point = NDArray[np.float64]  # row, column
Bools = NDArray[np.bool_]  # (N, N)
Points = tuple[tuple[float, float, bool], ...]  # row, column, is_positive


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSettings:
    """Shares are probabilities, sizes are relative to the object's longer side."""

    side: int = 128  # of both windows, in pixels of the network
    canvas: int = 320  # longest side of the canvas both are cut from
    drawn: float = 0.15  # share of fields with drawn shapes
    rendered: float = 0.22  # share of real fields shown in another modality
    varied: float = 1.0  # share of fields seen by another camera, stain, file format
    wide: tuple[float, float] = (0.12, 1.3)  # object over window
    far: float = 0.25  # share of wide windows in which the object is tiny
    far_wide: tuple[float, float] = (0.025, 0.12)
    overview: float = 0.4  # share of wide windows as inference takes them ...
    overviews: tuple[int, ...] = (64, 144, 320, 720)  # ... in source pixels
    zoom: tuple[float, float] = (1.1, 2.6)  # window over object
    local: float = 0.25  # share of zoom windows that show a part only
    local_zoom: tuple[float, float] = (0.35, 1.0)
    degraded: float = 0.35  # share of zoom windows that start from a poor answer
    convention: float = 0.3  # share of zoom windows with a wider or narrower outline
    smallest: float = 20.0  # window extent in source pixels
    strategy: str = "few"  # of the first clicks: one and sometimes more, or a paper's:
    ifcn: Ifcn = CELLS  # ... "ifcn"
    medoids: Medoids = BRS  # ... "medoids"


@dataclass(frozen=True, slots=True)
class WindowSample:
    """``image`` ``(3, N, N)`` float16; the masks ``(N, N)`` bool."""

    image: NDArray[np.float16]
    truth: NDArray[np.bool_]
    others: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    outside: float  # pixels of the object beyond the window's edge


@dataclass(frozen=True, slots=True)
class Sample:
    wide: WindowSample
    zoom: WindowSample
    clicks: Points  # in the wide window
    start: NDArray[np.float16]  # (N, N) in the zoom window: a degraded answer
    from_start: bool  # begin the zoom window from ``start``, not from the wide answer
    shift: tuple[float, float, float]  # zoom pixel -> wide pixel: scale, row, column
    skipped: tuple[str, ...] = ()  # images that were drawn first and are broken


@dataclass(frozen=True, slots=True)
class Frame:
    """A square window in canvas pixels."""

    top: int
    left: int
    side: int


@dataclass(frozen=True, slots=True)
class Canvas:
    image: NDArray[np.float32]  # (S, S, 3)
    labels: NDArray[np.int32]
    valid: NDArray[np.uint8]  # 0 beyond the image's edge


def log_uniform(limits: tuple[float, float], rng: Rng) -> float:
    return float(np.exp(rng.uniform(np.log(limits[0]), np.log(limits[1]))))


def point_inside(mask: NDArray[np.bool_], rng: Rng) -> Point:
    """A pixel of ``mask`` that a person would click: rarely at the very edge."""
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)
    deep = depth[1:-1, 1:-1] > depth.max() * rng.choice([0.15, 0.5, 0.8])
    rows, columns = np.nonzero(deep & mask)
    at = rng.integers(rows.size)
    return np.array([rows[at], columns[at]], float)


def edge_point(mask: NDArray[np.bool_], rng: Rng) -> Point:
    """A pixel of ``mask`` at its boundary."""
    inner = cv2.erode(np.pad(mask, 1).astype(np.uint8), np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero(mask & (inner[1:-1, 1:-1] == 0))
    at = rng.integers(rows.size)
    return np.array([rows[at], columns[at]], float)


def turn_of(rng: Rng) -> NDArray[np.float64]:
    """A rotation or reflection, ``(2, 2)``; often a multiple of 90 degrees."""
    quarter = rng.integers(4) * np.pi / 2
    angle = quarter if rng.random() < 0.5 else rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return turn @ np.diag([1, rng.choice([-1, 1])])


@dataclass(frozen=True, slots=True)
class Source:
    """Where a sample comes from: a field, one object in it, and its picture if any."""

    labels: NDArray[np.uint16]
    label: int
    box: tuple[slice, slice]
    image: NDArray[Any] | None  # None: to be rendered
    limits: tuple[float, float] = (0.0, 1.0)  # grey values that become 0 and 1
    name: str = "drawn"

    @property
    def mask(self) -> NDArray[np.bool_]:
        return np.asarray(self.labels[self.box] == self.label)

    @property
    def origin(self) -> Point:
        return np.array([self.box[0].start, self.box[1].start], float)

    @property
    def size(self) -> float:
        return float(max(self.mask.shape))


def drawn_source(rng: Rng, side: int = 288) -> Source:
    labels = drawn_labels(side, rng)
    image = LabelledImage("drawn", labels, labels)
    label = int(rng.choice(list(image.objects) or [1]))
    box = image.objects.get(label, (slice(0, side), slice(0, side)))
    return Source(labels, label, box, None)


def make_sample(source: Source, settings: SampleSettings, rng: Rng) -> Sample:
    """Draw the two windows and what is in them."""
    turn = turn_of(rng)
    first = source.origin + point_inside(source.mask, rng) + 0.5
    middle, extents = zoom_geometry(source, settings, rng)
    extents = np.maximum(extents, settings.smallest)
    centres = np.stack([first, middle]) @ turn.T
    top = (centres - extents[:, None] / 2).min(0)
    span = float(((centres + extents[:, None] / 2).max(0) - top).max())
    scale = min(settings.canvas / span, settings.side / extents.min())
    side = int(np.ceil(span * scale))
    canvas = paint(source, turn, top, scale, side, settings, rng)
    frames = [
        frame_at((c - top) * scale, e * scale)
        for c, e in zip(centres, extents, strict=True)
    ]
    area = float(source.mask.sum()) * scale**2
    wide, zoom = (
        cut(canvas, f, source.label, area, settings.side, rng) for f in frames
    )
    if rng.random() < settings.convention:
        zoom = with_convention(zoom, rng)
    at = in_window((first @ turn.T - top) * scale, frames[0], settings.side)
    clicks = SIMULATED[settings.strategy](at, wide, settings, rng)
    return Sample(
        wide,
        zoom,
        clicks,
        degraded(zoom.truth, around(canvas, frames[1], settings.side), rng),
        bool(rng.random() < settings.degraded),
        between(frames[1], frames[0], settings.side),
    )


def zoom_geometry(
    source: Source, settings: SampleSettings, rng: Rng
) -> tuple[Point, NDArray[np.float64]]:
    """Centre of the zoom window, and the extents of both, in source pixels."""
    wide = wide_extent(source, settings, rng)
    if rng.random() < settings.local:
        centre = edge_point(source.mask, rng)
        zoom = source.size * log_uniform(settings.local_zoom, rng)
    else:
        centre = np.array(source.mask.shape) / 2
        centre += rng.normal(0, 0.1, 2) * source.size
        zoom = source.size * log_uniform(settings.zoom, rng)
    zoom = np.clip(zoom, wide / 12, wide * 5)  # keeps the canvas sharp enough for both
    return source.origin + centre, np.array([wide, zoom])


def wide_extent(source: Source, settings: SampleSettings, rng: Rng) -> float:
    """Source pixels of the first window: by the object's size, or blind to it."""
    if rng.random() < settings.overview:
        return float(rng.choice(settings.overviews)) * log_uniform((0.7, 1.5), rng)
    is_far = rng.random() < settings.far
    return source.size / log_uniform(
        settings.far_wide if is_far else settings.wide, rng
    )


def frame_at(centre: Point, extent: float) -> Frame:
    side = max(8, round(float(extent)))
    top, left = (round(float(c - side / 2)) for c in centre)
    return Frame(top, left, side)


def paint(
    source: Source,
    turn: NDArray[np.float64],
    top: Point,
    scale: float,
    side: int,
    settings: SampleSettings,
    rng: Rng,
) -> Canvas:
    """The turned and scaled field with its appearance, ``(side, side)``."""
    matrix = forward_matrix(turn, top, scale)
    labels = warp(source.labels.astype(np.float32), matrix, side, cv2.INTER_NEAREST)
    field = labels.astype(np.int32)
    inside = np.ones(source.labels.shape, np.uint8)
    valid = warp(inside, matrix, side, cv2.INTER_NEAREST)
    known = np.where(field == IGNORED, 0, field)
    is_real = source.image is not None and rng.random() >= settings.rendered
    if is_real:
        picture = real_picture(source, matrix, scale, side)
    else:
        picture = rendered(known, rng)
    is_varied = rng.random() < settings.varied
    shown = varied(picture, rng, is_real=is_real) if is_varied else picture
    return Canvas(shown, field, valid)


def forward_matrix(
    turn: NDArray[np.float64], top: Point, scale: float
) -> NDArray[np.float64]:
    """Source ``(x, y)`` to canvas ``(x, y)``; pixel centres lie at half integers."""
    rows = np.concatenate([turn * scale, (-top * scale)[:, None]], 1)
    flipped = rows[::-1][:, [1, 0, 2]]
    flipped[:, 2] += flipped[:, :2].sum(1) * 0.5 - 0.5
    return flipped


def warp(
    image: NDArray[Any], matrix: NDArray[np.float64], side: int, how: int
) -> NDArray[Any]:
    return cv2.warpAffine(image, matrix, (side, side), flags=how)


def real_picture(
    source: Source, matrix: NDArray[np.float64], scale: float, side: int
) -> NDArray[np.float32]:
    """The image itself, smoothed before it shrinks, scaled to 0..1."""
    assert source.image is not None
    low, high = source.limits
    image = source.image.astype(np.float32)
    if scale < 0.7:
        image = cv2.GaussianBlur(image, (0, 0), 0.4 / scale)
    image = warp(image, matrix, side, cv2.INTER_LINEAR)
    image = np.clip((image - low) / max(high - low, 1e-6), 0, 1.2)
    return image if image.ndim == 3 else cv2.merge([image] * 3)


def cut(
    canvas: Canvas, frame: Frame, label: int, area: float, side: int, rng: Rng
) -> WindowSample:
    """What one window shows. ``area``: of the whole object in canvas pixels."""
    valid = cropped(canvas.valid, frame, 0) > 0
    image = resized(cropped(canvas.image, frame, 0), side)
    inside = resized(valid.astype(np.float32), side) > 0.99
    if not inside.all() and inside.any():
        image[~inside] = image[inside].mean(0)
    labels = cropped(canvas.labels, frame, 0)
    truth = resized((labels == label).astype(np.float32), side) > 0.5
    ignored = ~inside | (resized((labels == IGNORED).astype(np.float32), side) > 0.5)
    shown = kept_others(labels, label, rng)
    others = (resized(shown.astype(np.float32), side) > 0.5) & ~truth
    beyond = max(0.0, area - float((labels == label).sum()))
    return WindowSample(
        np.ascontiguousarray(image.transpose(2, 0, 1)).astype(np.float16),
        truth,
        others,
        ignored,
        float(beyond) * (side / frame.side) ** 2,
    )


def cropped(array: NDArray[Any], frame: Frame, fill: float) -> NDArray[Any]:
    """The frame's pixels; ``fill`` where it leaves the canvas."""
    bottom, right = frame.top + frame.side, frame.left + frame.side
    rows, columns = array.shape[:2]
    inner = array[max(frame.top, 0) : bottom, max(frame.left, 0) : right]
    margins = (
        (max(-frame.top, 0), max(bottom - rows, 0)),
        (max(-frame.left, 0), max(right - columns, 0)),
    )
    if not any(m for pair in margins for m in pair):
        return inner
    return np.pad(inner, margins + ((0, 0),) * (array.ndim - 2), constant_values=fill)


def resized(array: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    how = cv2.INTER_AREA if array.shape[0] > side else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(array), (side, side), interpolation=how)


def kept_others(labels: NDArray[np.int32], label: int, rng: Rng) -> NDArray[np.bool_]:
    """The other objects that are already accepted: none, all or some."""
    around = (labels > 0) & (labels != label) & (labels != IGNORED)
    mood = rng.random()
    if mood < 0.4:
        return np.zeros_like(around)
    if mood < 0.7:
        return around
    return around & (rng.random(256) < 0.5)[labels % 256]


def in_window(at: Point, frame: Frame, side: int) -> tuple[float, float]:
    """A place on the canvas in pixels of the window."""
    row, column = np.array([at[0] - frame.top, at[1] - frame.left]) * side / frame.side
    return float(row - 0.5), float(column - 0.5)


def few_clicks(
    at: tuple[float, float], wide: WindowSample, _settings: SampleSettings, rng: Rng
) -> Points:
    """The click the window was centred on, sometimes with a few more of either kind."""
    clicks = [(*at, True)]
    if rng.random() < 0.2:
        for _ in range(rng.integers(1, 4)):
            positive = bool(rng.random() < 0.4)
            region = wide.truth if positive else ring(wide, rng)
            if region.any():
                row, column = point_inside(region, rng)
                clicks.append((float(row), float(column), positive))
    return tuple(clicks)


def ifcn_clicks(
    at: tuple[float, float], wide: WindowSample, settings: SampleSettings, rng: Rng
) -> Points:
    return planned(settings.ifcn, at, wide, rng)


def medoid_clicks(
    at: tuple[float, float], wide: WindowSample, settings: SampleSettings, rng: Rng
) -> Points:
    return planned(settings.medoids, at, wide, rng)


def planned(
    plan: Ifcn | Medoids, at: tuple[float, float], wide: WindowSample, rng: Rng
) -> Points:
    """A paper's clicks in the window; the one it was centred on if there are none."""
    parts = cv2.connectedComponents(wide.others.astype(np.uint8), connectivity=4)
    others = [parts[1] == label for label in range(1, parts[0])]
    clicks = plan.clicks(wide.truth, others, rng)
    if not clicks.positive:
        return ((*at, True),)
    return tuple((float(c.row), float(c.column), c.is_positive) for c in clicks)


SIMULATED = {"few": few_clicks, "ifcn": ifcn_clicks, "medoids": medoid_clicks}


def with_convention(window: WindowSample, rng: Rng) -> WindowSample:
    """The same object as somebody else draws it: a little wider, or narrower.

    The image cannot tell which; only clicks close to the outline can. So the network
    learns to take one of them as a word about the whole outline.
    """
    most = max(1.0, 0.09 * float(np.sqrt(window.truth.sum())))
    size = 2 * int(np.ceil(rng.uniform(0, most))) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    change = cv2.dilate if rng.random() < 0.5 else cv2.erode
    drawn = change(window.truth.astype(np.uint8), kernel) > 0
    drawn &= ~window.others & ~window.ignored
    return replace(window, truth=drawn) if drawn.any() else window


def ring(wide: WindowSample, rng: Rng) -> NDArray[np.bool_]:
    """Where a first negative click falls: on another object or close to this one."""
    if rng.random() < 0.4 and wide.others.any():
        return wide.others
    size = 2 * int(rng.integers(2, 10)) + 1
    grown = cv2.dilate(wide.truth.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    return grown & ~wide.truth & ~wide.ignored


def around(canvas: Canvas, frame: Frame, side: int) -> NDArray[np.int32]:
    """The labels in a window, ``(N, N)``."""
    labels = cropped(canvas.labels, frame, 0).astype(np.float32)
    return cv2.resize(labels, (side, side), interpolation=cv2.INTER_NEAREST).astype(
        np.int32
    )


def degraded(
    truth: NDArray[np.bool_], labels: NDArray[np.int32], rng: Rng
) -> NDArray[np.float16]:
    """An answer as a poor method would give it, ``(N, N)``, 0..1.

    Too large, too small, cut, moved, merged with neighbours, with a blob too many, the
    wrong object altogether, or nothing; sometimes two of these.
    """
    mask = truth
    for _ in range(1 + int(rng.random() < 0.3)):
        mask = FLAWS[rng.integers(len(FLAWS))](mask, truth, labels, rng)
    wobble = cv2.resize(rng.standard_normal((8, 8), np.float32), mask.shape[::-1])
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), rng.uniform(0.5, 2))
    poor = soft * rng.uniform(0.8, 1) + 0.08 * wobble * (soft > 0.02)
    return np.clip(poor, 0, 1).astype(np.float16)


def kernel_of(truth: NDArray[np.bool_], rng: Rng) -> NDArray[np.uint8]:
    """A disc between a pixel and half the object's size."""
    most = max(2.0, float(np.sqrt(truth.sum())) / 2)
    size = int(np.exp(rng.uniform(0, np.log(most))))
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * size + 1, 2 * size + 1))


def too_large(mask: Bools, truth: Bools, _labels: NDArray[np.int32], rng: Rng) -> Bools:
    return cv2.dilate(mask.astype(np.uint8), kernel_of(truth, rng)) > 0


def too_small(mask: Bools, truth: Bools, _labels: NDArray[np.int32], rng: Rng) -> Bools:
    return cv2.erode(mask.astype(np.uint8), kernel_of(truth, rng)) > 0


def cut_off(mask: Bools, truth: Bools, _labels: NDArray[np.int32], rng: Rng) -> Bools:
    return mask & ~half_plane(truth, rng)


def moved(mask: Bools, truth: Bools, _labels: NDArray[np.int32], rng: Rng) -> Bools:
    size = max(2, int(np.sqrt(truth.sum()) / 3))
    return np.roll(mask, rng.integers(-size, size + 1, 2), (0, 1))


def merged(mask: Bools, truth: Bools, labels: NDArray[np.int32], rng: Rng) -> Bools:
    """With some of the neighbours, and often with what lies between."""
    joined = mask | neighbours(truth, labels, rng)
    if rng.random() < 0.5:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
        joined = cv2.morphologyEx(joined.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0
    return joined


def with_blob(mask: Bools, truth: Bools, _labels: NDArray[np.int32], rng: Rng) -> Bools:
    """With one to three ellipses that have nothing to do with the image."""
    drawn = mask.astype(np.uint8)
    size = float(np.sqrt(truth.sum())) + 4
    for _ in range(rng.integers(1, 4)):
        at = rng.uniform(0, truth.shape[0], 2)
        if truth.any() and rng.random() < 0.7:
            at = edge_point(truth, rng)[::-1] + rng.normal(0, size / 3, 2)
        axes = tuple(int(a) for a in size * np.exp(rng.uniform(-2, 0.7, 2)) + 1)
        where = (int(at[0]), int(at[1]))
        cv2.ellipse(drawn, where, axes, rng.uniform(0, 180), 0, 360, 1, -1)
    return drawn > 0


def wrong_object(
    _mask: Bools, truth: Bools, labels: NDArray[np.int32], rng: Rng
) -> Bools:
    return neighbours(truth, labels, rng)


def nothing(mask: Bools, _truth: Bools, _labels: NDArray[np.int32], _rng: Rng) -> Bools:
    return np.zeros_like(mask)


def neighbours(
    truth: NDArray[np.bool_], labels: NDArray[np.int32], rng: Rng
) -> NDArray[np.bool_]:
    """Some of the other objects in the window."""
    others = np.unique(labels[(labels > 0) & ~truth & (labels != IGNORED)])
    return np.isin(labels, others[rng.random(others.size) < rng.uniform(0.1, 1)])


FLAWS = (
    too_large,
    too_large,
    too_small,
    cut_off,
    moved,
    merged,
    merged,
    with_blob,
    with_blob,
    wrong_object,
    nothing,
)


def half_plane(truth: NDArray[np.bool_], rng: Rng) -> NDArray[np.bool_]:
    """One side of a random line near the object's middle."""
    rows, columns = np.indices(truth.shape)
    middle = np.argwhere(truth).mean(0) if truth.any() else np.array(truth.shape) / 2
    angle = rng.uniform(0, 2 * np.pi)
    along = (rows - middle[0]) * np.sin(angle) + (columns - middle[1]) * np.cos(angle)
    return np.asarray(along > rng.normal(0, 0.15) * np.sqrt(truth.sum()))


def between(zoom: Frame, wide: Frame, side: int) -> tuple[float, float, float]:
    """Scale and offsets that take a zoom pixel's centre to wide pixels."""
    ratio = zoom.side / wide.side
    per_pixel = side / wide.side
    row = (zoom.top - wide.top) * per_pixel + (ratio - 1) / 2
    column = (zoom.left - wide.left) * per_pixel + (ratio - 1) / 2
    return ratio, row, column
