"""Click logs: what was clicked can be read again, and replayed to the same labels."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_iseg.arrays import Box
from napari_iseg.click_log import (
    ClickLog,
    LoggedObject,
    RunLengths,
    pixel_checksum,
    read_log,
    replay,
    write_log,
)
from napari_iseg.clicks import Click, Clicks
from napari_iseg.session import Overlap, Session
from tests.fakes import BrightSegmenter

GRID = (30, 40)

# ------------------------------------------------------------------------ any log

clicks_ = st.lists(
    st.builds(Click, st.integers(0, 29), st.integers(0, 39), st.booleans()), max_size=5
).map(lambda items: Clicks(tuple(items)))


@st.composite
def masks(draw: st.DrawFn) -> RunLengths:
    top, left = draw(st.integers(0, 20)), draw(st.integers(0, 30))
    shape = draw(st.integers(1, 10)), draw(st.integers(1, 10))
    mask = draw(arrays(np.bool_, shape))
    return RunLengths.of(Box(top, left, top + shape[0], left + shape[1]), mask)


@st.composite
def objects(draw: st.DrawFn, label: int) -> LoggedObject:
    clicks = draw(clicks_)
    times = draw(st.sampled_from([(), tuple(0.5 * i for i in range(len(clicks)))]))
    return LoggedObject(
        label,
        clicks,
        times,
        draw(st.integers(0, 3)),
        draw(st.sampled_from(["cells", "graph-cut"])),
        draw(st.none() | masks()),
        draw(st.none() | masks()),
    )


@st.composite
def logs(draw: st.DrawFn) -> ClickLog:
    labels = draw(st.lists(st.integers(1, 999), unique=True, min_size=1, max_size=4))
    made = [draw(objects(label)) for label in labels]
    has_one_in_progress = draw(st.booleans())
    return ClickLog(
        GRID,
        tuple(made[1:]),
        made[0] if has_one_in_progress else None,
        draw(st.none() | st.text()),
        draw(st.none() | st.just("ab" * 32)),
        tuple(draw(st.lists(st.integers(0, 9), max_size=3))),
        draw(st.none() | st.just((0, 2))),
        draw(st.text()),
        draw(st.floats(0, 0.99)),
        draw(st.sampled_from(Overlap)),
        draw(st.text()),
    )


@given(log=logs())
def test_a_log_is_read_as_it_was_written(tmp_path_factory, log: ClickLog):
    path = tmp_path_factory.mktemp("log") / "cells.iseg.json"

    write_log(path, log)

    assert read_log(path) == log


@given(arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_run_lengths_are_the_mask(mask: np.ndarray):
    box = Box(2, 3, 2 + mask.shape[0], 3 + mask.shape[1])

    runs = RunLengths.of(box, mask)

    assert (runs.mask == mask).all()
    assert sum(runs.runs) == mask.size
    assert (runs.patch.mask() == mask).all()
    assert runs.patch.box == box


# ------------------------------------------------------------------- a session's log


@pytest.fixture
def image() -> np.ndarray:
    """Two bright cells that touch nothing, and a third."""
    image = np.full(GRID, 100, np.uint16)
    image[3:12, 4:14] = 900
    image[3:13, 20:35] = 800
    image[18:28, 10:30] = 950
    return image


@pytest.fixture
def session(image: np.ndarray) -> Session:
    """Four objects: plain, with a negative click, another alternative, merged."""
    session = Session(GRID, overlap=Overlap.KEEP)
    annotate(session, image, Click(5, 6))
    annotate(session, image, Click(5, 22), Click(8, 30, is_positive=False))
    annotate(session, image, Click(20, 12), alternative=1)
    session.merge([1, 2])
    return session


def annotate(session: Session, image: np.ndarray, *clicks: Click, alternative: int = 0):
    predictor = BrightSegmenter().prepare(image)
    for click in clicks:
        session.click(click)
    request = session.wanted
    session.deliver(request, predictor.alternative_patches(request.clicks))
    session.choose(alternative)
    return session.accept()


def test_replaying_a_log_gives_the_same_labels(session: Session, image: np.ndarray):
    log = ClickLog.of(session, sha256=pixel_checksum(image))

    labels = replay(log, image, BrightSegmenter())

    assert labels.dtype == np.int32
    assert (labels == session.labels()).all()
    assert set(np.unique(labels)) == {0, 1, 3}


def test_replaying_keeps_to_the_overlap_policy(image: np.ndarray):
    session = Session(GRID, overlap=Overlap.OVERWRITE)
    annotate(session, image, Click(5, 6), alternative=1)
    annotate(session, image, Click(5, 6))

    labels = replay(ClickLog.of(session), image, BrightSegmenter())

    assert (labels == session.labels()).all()
    assert (labels == 2).sum() == 90


def test_a_log_opens_as_the_session_it_was(session: Session):
    session.click(Click(1, 1))

    again = ClickLog.of(session).session()

    assert (again.labels() == session.labels()).all()
    assert again.clicks == session.clicks
    assert again.label == session.label
    assert list(again.objects) == list(session.objects)
    assert again.overlap == session.overlap
    again.clear()
    again.reopen(3)
    assert again.clicks == Clicks.at([(20, 12)])
    assert again.hypothesis == 1


def test_a_reopened_object_in_progress_is_logged_with_what_it_started_from(
    session: Session,
):
    before = session.labels() == 1
    session.reopen(1)
    session.click(Click(15, 15))

    again = ClickLog.of(session).session()

    assert again.prior.box == session.prior.box
    assert (again.prior.mask() == session.prior.mask()).all()
    assert again.clicks == session.clicks
    assert before.any()


def test_a_log_without_masks_has_to_be_replayed():
    log = ClickLog(GRID, (LoggedObject(4, Clicks.at([(1, 1)])),))

    with pytest.raises(
        ValueError, match="object 4 was logged without its mask; replay"
    ):
        log.session()


def test_an_object_that_another_method_does_not_find_is_left_out_with_a_warning(
    image: np.ndarray, caplog: pytest.LogCaptureFixture
):
    log = ClickLog(
        GRID,
        (LoggedObject(1, Clicks.at([(0, 0)])), LoggedObject(2, Clicks.at([(5, 6)]))),
    )

    with caplog.at_level(logging.WARNING):
        labels = replay(log, image, BrightSegmenter())

    assert set(np.unique(labels)) == {0, 2}
    assert "object 1 is left out: " in caplog.text


def test_the_log_of_another_image_is_not_replayed_unless_that_is_wanted(
    session: Session, image: np.ndarray
):
    log = ClickLog.of(session, sha256=pixel_checksum(image))
    brighter = image + 1

    with pytest.raises(ValueError, match="not the image of the log"):
        replay(log, brighter, BrightSegmenter())
    labels = replay(log, brighter, BrightSegmenter(), any_image=True)

    assert (labels == session.labels()).all()


def test_a_log_is_not_replayed_on_an_image_of_another_size(session: Session):
    log = ClickLog.of(session)

    with pytest.raises(ValueError, match="of 30 x 40 pixels, this one has 40 x 30"):
        replay(log, np.zeros((40, 30)), BrightSegmenter(), any_image=True)


def test_the_checksum_is_that_of_the_values_and_their_type(image: np.ndarray):
    same = [image.astype(">u2"), np.asfortranarray(image), image.copy()]

    others = [image.astype(np.int32), image.T, image + 1]

    assert {pixel_checksum(one) for one in same} == {pixel_checksum(image)}
    assert pixel_checksum(image) not in {pixel_checksum(one) for one in others}


# ----------------------------------------------------------------------------- files


def test_what_a_log_says_can_be_read_by_people(session: Session, tmp_path: Path):
    path = tmp_path / "a.iseg.json"

    write_log(path, ClickLog.of(session, image="cells [1].tif", plane=(0, 3)))

    content = json.loads(path.read_text())
    assert content["image"]["name"] == "cells [1].tif"
    assert content["image"]["shape"] == [30, 40]
    assert content["image"]["plane"] == [0, 3]
    assert content["objects"][1]["clicks"] == [[20, 12, "+"]]
    assert '[ 20, 12, "+" ]' in path.read_text()


def test_a_log_that_cannot_be_written_leaves_the_old_one(
    session: Session, tmp_path: Path
):
    path = tmp_path / "a.iseg.json"
    write_log(path, ClickLog.of(session))
    before = path.read_text()
    unwritable = replace(ClickLog.of(session), image=Path("no text"))

    with pytest.raises(TypeError):
        write_log(path, unwritable)

    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]


def test_there_must_be_a_folder_to_write_to(tmp_path: Path):
    with pytest.raises(ValueError, match=r"there is no folder .*missing"):
        write_log(tmp_path / "missing" / "a.iseg.json", ClickLog(GRID))


def test_a_missing_log_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match=r"there is no click log at .*nowhere"):
        read_log(tmp_path / "nowhere.iseg.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a click log: Expecting value"),
        (b"\xff\xfe\x00", "is not a click log: .*decode"),
        (b"[1, 2]", "is not a click log: it does not say"),
        (b'{"format": "other"}', "is not a click log: it does not say"),
        (
            b'{"format": "napari-iseg click log", "version": 9}',
            "version 9; this program reads version 1: update",
        ),
        (
            b'{"format": "napari-iseg click log", "version": 1}',
            "damaged click log: 'image' is missing",
        ),
    ],
)
def test_what_is_no_click_log_is_refused(tmp_path: Path, content: bytes, message: str):
    path = tmp_path / "a.json"
    path.write_bytes(content)

    with pytest.raises(ValueError, match=message):
        read_log(path)


CHANGES = {
    "a click outside": ("objects.0.clicks.0.0", 30, "row 30, column 6 is outside"),
    "a click between pixels": (
        "objects.0.clicks.0.0",
        1.5,
        "row must be a whole number",
    ),
    "a click of no sign": ("objects.0.clicks.0.2", "?", r"'\+' or '-', not '\?'"),
    "a label twice": ("objects.1.label", 1, "label 1 is there twice"),
    "label zero": ("objects.0.label", 0, "label must be a whole number >= 1, not 0"),
    "a true label": ("objects.0.label", True, "label must be a whole number"),
    "too few times": ("objects.1.times", [1.0], "1 times for 2 clicks"),
    "too few pixels": ("objects.0.mask.runs", [0, 1], "9 x 10 pixels has 1"),
    "a mask outside": ("objects.0.mask.box", [25, 0, 34, 10], "leaves the image"),
    "an odd box": ("objects.0.mask.box", [0, 0, 3], "missing 1 required positional"),
    "no threshold": ("threshold", 7, "threshold is in 0..1"),
    "no policy": ("overlap", "ask", "'ask' is not a valid Overlap"),
    "no shape": ("image.shape", [0, 4], "shape must be a whole number >= 1, not 0"),
    "three sides": ("image.shape", [3, 4, 5], "too many values"),
    "no name": ("image.name", 3, "name must be text, not 3"),
    "objects that are none": ("objects", 3, "not iterable"),
    "clicks that are none": ("objects.0.clicks", [[1]], "missing 2 required"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_log_that_contradicts_itself_is_refused(
    tmp_path: Path, image: np.ndarray, change: str
):
    session = Session(GRID)
    annotate(session, image, Click(5, 6))
    annotate(session, image, Click(5, 22), Click(8, 30, is_positive=False))
    path = tmp_path / "a.iseg.json"
    write_log(path, ClickLog.of(session))
    where, value, message = CHANGES[change]

    _change(path, where, value)

    with pytest.raises(ValueError, match=f"is a damaged click log: .*{message}"):
        read_log(path)


def _change(path: Path, where: str, value: object) -> None:
    content = json.loads(path.read_text())
    *parents, last = where.split(".")
    place = content
    for key in parents:
        place = place[int(key) if key.isdigit() else key]
    place[int(last) if last.isdigit() else last] = value
    path.write_text(json.dumps(content))
