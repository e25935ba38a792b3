"""Click logs: what a user did to one plane, as a file that can be replayed."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import napari_iseg
from napari_iseg.arrays import Box, Grid, ImageLike, Labels, Mask, image_grid
from napari_iseg.atomic_files import written_whole
from napari_iseg.clicks import Click, Clicks
from napari_iseg.segmented_objects import SegmentedObject
from napari_iseg.segmenter import Patch, Segmenter
from napari_iseg.session import Overlap, Session

logger = logging.getLogger(__name__)

FORMAT = "napari-iseg click log"
VERSION = 1


@dataclass(frozen=True, slots=True)
class RunLengths:
    """A mask as lengths of runs, row by row: background first, then in turn."""

    box: Box
    runs: tuple[int, ...]

    @classmethod
    def of(cls, box: Box, mask: Mask) -> RunLengths:
        flat = mask.ravel()
        changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        edges = np.concatenate([[0], changes, [flat.size]])
        runs = np.diff(edges).tolist()
        return cls(box, tuple([0, *runs] if flat[0] else runs))

    @property
    def mask(self) -> Mask:
        """``box.shape``."""
        turns = np.arange(len(self.runs)) % 2 == 1
        return np.repeat(turns, self.runs).reshape(self.box.shape)

    @property
    def patch(self) -> Patch:
        return Patch(self.mask.astype(np.float32), (self.box.top, self.box.left))


@dataclass(frozen=True, slots=True)
class LoggedObject:
    """One object of a log.

    ``times`` are seconds, one for each click, or empty. An object without clicks has
    a ``mask``; one whose clicks corrected a segmentation has that one as ``prior``.
    """

    label: int
    clicks: Clicks = Clicks()
    times: tuple[float, ...] = ()
    hypothesis: int = 0
    method: str = "cells"
    mask: RunLengths | None = None
    prior: RunLengths | None = None


@dataclass(frozen=True, slots=True)
class ClickLog:
    """All that is needed to segment the same objects in the same image again.

    ``grid`` is height and width; ``plane`` and ``channels`` say which part of the
    image file it was; ``sha256`` is that of the pixels (``pixel_checksum``), None if
    it was not taken. ``in_progress`` is an object that was not accepted yet.
    """

    grid: Grid
    objects: tuple[LoggedObject, ...] = ()
    in_progress: LoggedObject | None = None
    image: str | None = None
    sha256: str | None = None
    plane: tuple[int, ...] = ()
    channels: tuple[int, ...] | None = None
    method: str = "cells"
    threshold: float = 0.5
    overlap: Overlap = Overlap.KEEP
    package: str = ""

    @classmethod
    def of(
        cls,
        session: Session,
        *,
        image: str | None = None,
        sha256: str | None = None,
        plane: Iterable[int] = (),
        channels: Iterable[int] | None = None,
    ) -> ClickLog:
        """What is in ``session`` now, masks included."""
        return cls(
            session.grid,
            tuple(_logged(one) for one in session.objects.values()),
            None if session.is_blank else _in_progress(session),
            image,
            sha256,
            tuple(plane),
            None if channels is None else tuple(channels),
            session.method,
            session.threshold,
            session.overlap,
            napari_iseg.__version__,
        )

    def session(self) -> Session:
        """The session as it was, without predicting anything.

        Raises
        ------
        ValueError
            If an object was logged without its mask.
        """
        session = self.empty_session()
        session.adopt(_accepted(one) for one in self.objects)
        one = self.in_progress
        if one is not None:
            session.begin(
                one.label,
                one.clicks,
                hypothesis=one.hypothesis,
                prior=None if one.prior is None else one.prior.patch,
            )
        return session

    def empty_session(self) -> Session:
        """A session with the settings of this one, before the first click."""
        return Session(
            self.grid,
            threshold=self.threshold,
            overlap=self.overlap,
            method=self.method,
        )


def replay(
    log: ClickLog, image: ImageLike, segmenter: Segmenter, *, any_image: bool = False
) -> Labels:
    """Segment the objects of ``log`` again, in their order.

    An object that was logged without clicks keeps its mask. One of which this
    segmenter finds no pixel is left out, with a warning in the log.

    Parameters
    ----------
    log
        From ``read_log`` or ``ClickLog.of``.
    image
        The plane, ``(H, W)`` or ``(H, W, C)``.
    segmenter
        The method of the log, or another one to compare with.
    any_image
        Do not insist on the very pixels that were logged.

    Returns
    -------
    ``(H, W)`` int32, 0 is background.

    Raises
    ------
    ValueError
        If the image is not the one that was logged.
    """
    _check_image(log, image, any_image=any_image)
    session = log.empty_session()
    for one in log.objects:
        if len(one.clicks) == 0:
            session.adopt([_accepted(one)])
            continue
        prior = None if one.prior is None else one.prior.patch
        session.begin(one.label, one.clicks, hypothesis=one.hypothesis, prior=prior)
        _answer(session, image, segmenter)
        try:
            session.accept()
        except ValueError as problem:
            logger.warning("object %d is left out: %s", one.label, problem)
            session.clear()
    return session.labels()


def pixel_checksum(image: ImageLike) -> str:
    """Sha256 of all pixels of an image, whatever its byte order; reads all of it."""
    digest = hashlib.sha256(
        f"{tuple(image.shape)} {np.dtype(image.dtype).name}".encode()
    )
    for top in range(0, image.shape[0], 256):
        band = np.asarray(image[top : top + 256])
        digest.update(np.ascontiguousarray(band, band.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


def write_log(path: str | Path, log: ClickLog) -> None:
    """Write ``log`` whole or not at all; ValueError if there is no such folder."""
    with written_whole(Path(path)) as unfinished:
        text = json.dumps(_to_json(log), indent=1)
        unfinished.write_text(_short_lists(text), encoding="utf-8")


def read_log(path: str | Path) -> ClickLog:
    """A log that ``write_log`` wrote.

    Raises
    ------
    ValueError
        If the file is missing, no click log, of a newer version, or contradicts
        itself (a click outside the image, a label twice, ...).
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no click log at {path}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise ValueError(f"{path} is not a click log: {problem}") from problem
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{path} is not a click log: it does not say '{FORMAT}'")
    if content.get("version") != VERSION:
        raise ValueError(
            f"{path} is a click log of version {content.get('version')}; this program "
            f"reads version {VERSION}: update napari-iseg"
        )
    try:
        return _from_json(content)
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        reason = f"{problem} is missing" if isinstance(problem, KeyError) else problem
        raise ValueError(f"{path} is a damaged click log: {reason}") from problem


def _check_image(log: ClickLog, image: ImageLike, *, any_image: bool) -> None:
    grid = image_grid(image)
    if grid != log.grid:
        raise ValueError(
            f"the log is of an image of {log.grid[0]} x {log.grid[1]} pixels, this one "
            f"has {grid[0]} x {grid[1]}"
        )
    if not any_image and log.sha256 and pixel_checksum(image) != log.sha256:
        raise ValueError(
            "this is not the image of the log (its pixels differ); give that one, or "
            "allow any image of the same size"
        )


def _answer(session: Session, image: ImageLike, segmenter: Segmenter) -> None:
    request, prior = session.wanted, session.prior
    if request is None:
        return
    start = None if prior is None else prior.on(session.grid)
    predictor = segmenter.prepare(image, prior=start, others=session.others)  # type: ignore[arg-type]  # lazy, as the seam allows
    session.deliver(request, predictor.alternative_patches(request.clicks))


def _in_progress(session: Session) -> LoggedObject:
    return LoggedObject(
        session.label,
        session.clicks,
        hypothesis=session.hypothesis,
        method=session.method,
        prior=_run_lengths(session.prior),
    )


def _logged(one: SegmentedObject) -> LoggedObject:
    return LoggedObject(
        one.label,
        one.clicks,
        hypothesis=one.hypothesis,
        method=one.method,
        mask=RunLengths.of(one.box, one.mask),
        prior=_run_lengths(one.prior) if len(one.clicks) else None,
    )


def _run_lengths(prior: Patch | None) -> RunLengths | None:
    return None if prior is None else RunLengths.of(prior.box, prior.mask())


def _accepted(one: LoggedObject) -> SegmentedObject:
    if one.mask is None:
        raise ValueError(
            f"object {one.label} was logged without its mask; replay the log on its "
            "image"
        )
    return SegmentedObject(
        one.label,
        one.clicks,
        one.mask.box,
        one.mask.mask,
        one.method,
        one.hypothesis,
        None if one.prior is None else one.prior.patch,
    )


# JSON


def _short_lists(text: str) -> str:
    """Lists of numbers on one line each; a line break in JSON is never inside text."""
    one_line = partial(re.sub, r"\n\s*", " ")
    return re.sub(r"\[\n[^\[\]{}]*\]", lambda match: one_line(match[0]), text)


def _to_json(log: ClickLog) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "package": log.package,
        "image": {
            "name": log.image,
            "shape": list(log.grid),
            "sha256": log.sha256,
            "plane": list(log.plane),
            "channels": None if log.channels is None else list(log.channels),
        },
        "method": log.method,
        "threshold": log.threshold,
        "overlap": log.overlap.value,
        "objects": [_object_to_json(one) for one in log.objects],
        "in_progress": log.in_progress and _object_to_json(log.in_progress),
    }


def _object_to_json(one: LoggedObject) -> dict[str, Any]:
    return {
        "label": one.label,
        "clicks": [
            [c.row, c.column, "+" if c.is_positive else "-"] for c in one.clicks
        ],
        "times": list(one.times),
        "hypothesis": one.hypothesis,
        "method": one.method,
        "mask": _runs_to_json(one.mask),
        "prior": _runs_to_json(one.prior),
    }


def _runs_to_json(mask: RunLengths | None) -> dict[str, Any] | None:
    if mask is None:
        return None
    box = mask.box
    corners = [box.top, box.left, box.bottom, box.right]
    return {"box": corners, "runs": list(mask.runs)}


def _from_json(content: dict[str, Any]) -> ClickLog:
    image = content["image"]
    height, width = (_whole(size, "shape", 1) for size in image["shape"])
    channels = image.get("channels")
    log = ClickLog(
        (height, width),
        (),
        None,
        _text_or_none(image.get("name"), "name"),
        _text_or_none(image.get("sha256"), "sha256"),
        tuple(_whole(i, "plane") for i in image.get("plane", ())),
        None if channels is None else tuple(_whole(i, "channels") for i in channels),
        str(content["method"]),
        float(content["threshold"]),
        Overlap(content["overlap"]),
        str(content.get("package", "")),
    )
    log.empty_session()  # refuses a bad threshold
    objects = [_object_from_json(one, log.grid) for one in content["objects"]]
    current = content.get("in_progress")
    if current is not None:
        current = _object_from_json(current, log.grid)
    labels = [one.label for one in (*objects, *([current] if current else []))]
    twice = {label for label in labels if labels.count(label) > 1}
    if twice:
        raise ValueError(f"label {min(twice)} is there twice")
    return replace(log, objects=tuple(objects), in_progress=current)


def _object_from_json(content: dict[str, Any], grid: Grid) -> LoggedObject:
    clicks = Clicks(tuple(_click_from_json(*click) for click in content["clicks"]))
    clicks.check_inside(grid)
    times = tuple(float(time) for time in content.get("times", ()))
    if times and len(times) != len(clicks):
        raise ValueError(f"there are {len(times)} times for {len(clicks)} clicks")
    return LoggedObject(
        _whole(content["label"], "label", 1),
        clicks,
        times,
        _whole(content.get("hypothesis", 0), "hypothesis"),
        str(content["method"]),
        _runs_from_json(content.get("mask"), grid),
        _runs_from_json(content.get("prior"), grid),
    )


def _click_from_json(row: Any, column: Any, sign: Any) -> Click:
    if sign not in ("+", "-"):
        raise ValueError(f"a click is '+' or '-', not {sign!r}")
    return Click(_whole(row, "row"), _whole(column, "column"), sign == "+")


def _runs_from_json(content: dict[str, Any] | None, grid: Grid) -> RunLengths | None:
    if content is None:
        return None
    box = Box(*(_whole(edge, "box") for edge in content["box"]))
    runs = tuple(_whole(run, "runs") for run in content["runs"])
    if box.is_empty or box.clipped_to(grid) != box:
        raise ValueError(f"a mask at {box} is empty or leaves the image")
    height, width = box.shape
    if sum(runs) != height * width:
        raise ValueError(f"a mask of {height} x {width} pixels has {sum(runs)}")
    return RunLengths(box, runs)


def _whole(value: Any, name: str, least: int = 0) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be a whole number >= {least}, not {value!r}")
    return value


def _text_or_none(value: Any, name: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} must be text, not {value!r}")
    return value
