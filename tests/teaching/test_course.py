"""A course from the user's objects to weights that are kept only if they are better."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
from safetensors.numpy import load_file

from napari_iseg.clicks import Clicks
from napari_iseg.intensities import GivenLimits, Percentiles, ScaledImage
from napari_iseg.own_data import OwnPlane, Standing
from napari_iseg.taught import taught_methods
from napari_iseg.teaching import course as courses
from napari_iseg.teaching.course import Course, News, Outcome, memory_told, taught
from napari_iseg.teaching.learning import Pace, learnt
from napari_iseg.teaching.lesson import VOID, Lesson, lesson_of
from napari_iseg.teaching.lesson_files import read_lesson, write_lesson
from napari_iseg.teaching.views import Views, held_in, shown
from napari_iseg.weights import read_card, read_tensors, sha256_of
from napari_iseg.windows import Window
from tests.teaching.conftest import plane_of_cells

SHORT = Pace(steps=2, batch=2, clicks=1)


@pytest.fixture
def lesson() -> Lesson:
    return lesson_of([plane_of_cells("one", 1), plane_of_cells("two", 2)])


def standing(*clicks: int) -> Standing:
    return Standing("any", clicks, clicks, 0.5, 1.0)


def judged(monkeypatch: pytest.MonkeyPatch, before: int, after: int) -> None:
    """The robot needs these numbers of clicks, whatever was taught."""
    found = {"before": standing(*[before] * 4), "after": standing(*[after] * 4)}
    monkeypatch.setattr(
        courses, "fared", lambda segmenter, held, stage, tell: found[stage]
    )


# ------------------------------------------------------------------- what is learnt


def test_three_in_ten_objects_are_held_out_and_no_object_is_both(lesson: Lesson):
    def names(examples):
        return {(e.plane.name, e.found.label) for e in examples}

    assert (len(lesson.learnt), len(lesson.held_out)) == (8, 4)
    assert not names(lesson.learnt) & names(lesson.held_out)


def test_too_few_objects_are_told_with_how_many_are_needed():
    few = replace(plane_of_cells(), wanted=(1, 2, 3, 4))

    with pytest.raises(ValueError, match=r"are 4 of the 6 objects .* accept 2 more"):
        lesson_of([few])
    with pytest.raises(ValueError, match=r"there is 1 of the 6 objects"):
        lesson_of([replace(few, wanted=(1,))])


def test_specks_do_not_count():
    plane = plane_of_cells()
    plane.labels[0, :5] = 7

    assert [one.label for one in plane.objects] == [1, 2, 3, 4, 5, 6]


def test_what_is_held_out_is_neither_object_nor_background_to_what_is_learnt(
    lesson: Lesson,
):
    """Also in another tile of the same image."""
    example = lesson.learnt[0]
    plane, found = example.plane, example.found
    held = held_in(lesson, replace(plane))
    window = Window(0, 0, 160, 160)
    first = next(iter(Clicks.at([(found.box.top, found.box.left)])))

    seen = shown(example, window, held, first)

    hidden = np.isin(plane.labels, [one.label for one in held])
    assert hidden.any()
    assert (seen.counted == ~hidden).all()
    assert not (seen.others & hidden).any()
    assert (seen.truth == (plane.labels == found.label)).all()
    assert seen.outside == 0


def test_void_pixels_teach_nothing(lesson: Lesson):
    example = lesson.learnt[0]
    example.plane.labels[:20] = VOID
    first = next(iter(Clicks.at([(30, 30)])))

    seen = shown(example, Window(0, 0, 160, 160), [], first)

    assert not seen.counted[:20].any()
    assert seen.counted[20:].all()


def test_views_are_the_same_for_a_seed_and_hold_their_first_click(lesson: Lesson):
    one, again = (list(Views(lesson, 3, seed=5).batches(6)) for _ in range(2))

    for batch, same in zip(one, again, strict=True):
        assert len({view.truth.shape for view in batch}) == 1
        for view, other in zip(batch, same, strict=True):
            assert (view.image == other.image).all()
            assert view.image.shape == (*view.truth.shape, 3)
            row, column = view.first.row, view.first.column
            near = view.truth[max(0, row - 2) : row + 3, max(0, column - 2) :]
            assert near[:, :5].any()
    assert {batch[0].truth.shape[0] for batch in one} == {112, 128}


def test_learning_brings_the_objects_nearer(weights: Path):
    """Given a network that knows nothing, when it is taught, then it costs less."""
    import torch

    from napari_iseg.nets.window_model import net_from
    from napari_iseg.teaching.learning import Desk

    lesson = lesson_of([plane_of_cells()])
    pace = Pace(steps=40, batch=4, clicks=0, rate=5e-3, averaged=0.5, drawn_back=0)
    old = read_tensors(weights)

    new = learnt(old, lesson, pace, "cpu", lambda step: None)

    batches = list(Views(lesson, 4, seed=9).batches(3))
    costs = []
    for tensors in (old, new):
        net = net_from(tensors).eval()
        with torch.no_grad():
            rng = np.random.default_rng(0)
            costs.append(
                np.mean([float(Desk(net, b, "cpu").loss(pace, rng)) for b in batches])
            )
    assert costs[1] < 0.95 * costs[0]
    assert {k: v.dtype for k, v in new.items()} == {k: v.dtype for k, v in old.items()}


def test_without_steps_nothing_changes(weights: Path, lesson: Lesson):
    old = read_tensors(weights)

    new = learnt(old, lesson, replace(SHORT, steps=0), "cpu", lambda step: None)

    assert all((new[name] == old[name]).all() for name in old)


def test_statistics_of_batch_norms_are_kept(weights: Path, lesson: Lesson):
    old = read_tensors(weights)

    new = learnt(old, lesson, SHORT, "cpu", lambda step: None)

    kept = [name for name in old if "running_" in name]
    assert kept
    assert all((new[name] == old[name]).all() for name in kept)
    assert any((new[name] != old[name]).any() for name in old)


# ------------------------------------------------------------------ what is kept


def test_better_weights_are_kept_with_their_card(
    weights: Path, lesson: Lesson, monkeypatch: pytest.MonkeyPatch, taught: Path
):
    judged(monkeypatch, before=4, after=3)
    before = weights.read_bytes()
    news: list[News] = []

    outcome = courses.taught(
        Course(name="worms", weights=weights, pace=SHORT), lesson, news.append
    )

    assert taught_methods() == ["cells+worms"]
    assert outcome.path == taught / "cells+worms.safetensors"
    assert weights.read_bytes() == before
    assert News("learning", 2, 2) in news
    card = read_card(taught / "cells+worms.json")
    assert card.sha256 == sha256_of(outcome.path)
    assert card.trained_on == ("8 objects of the user in one, two",)
    assert sha256_of(weights) in card.recipe
    rows = list(card.results.values())
    assert [(row["robot"], row["objects"], row["noc90"]) for row in rows] == [
        ("ritm", 4, 4.0),
        ("ritm", 4, 3.0),
    ]
    assert outcome.sentence().startswith("Kept as 'cells+worms': on 4 objects")
    assert "needs 3.00 clicks" in outcome.sentence()
    assert "4.00 before (so few objects may say so by chance)" in outcome.sentence()
    assert load_file(outcome.path).keys() == load_file(weights).keys()


@pytest.mark.parametrize("after", [4, 5])
def test_weights_that_are_not_better_leave_nothing(
    weights: Path, lesson: Lesson, monkeypatch: pytest.MonkeyPatch, after: int
):
    judged(monkeypatch, before=4, after=after)

    outcome = taught(Course(weights=weights, pace=SHORT), lesson, lambda news: None)

    assert outcome.path is None
    assert taught_methods() == []
    assert outcome.sentence().startswith("Not kept: on 4 objects that were held out")
    assert outcome.sentence().endswith("Accept more objects and try again.")


def test_a_certain_gain_is_told_without_doubt():
    clicks = standing(*[6] * 9), standing(*[3] * 9)

    assert "by chance" not in Outcome(9, *clicks, Path("a+b.safetensors")).sentence()


def test_the_robot_really_clicks_on_what_is_held_out(
    weights: Path, lesson: Lesson, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("napari_iseg.own_data.MOST", 2)
    news: list[News] = []

    outcome = taught(
        Course(weights=weights, pace=replace(SHORT, steps=1)), lesson, news.append
    )

    assert len(outcome.before.clicks) == len(outcome.after.clicks) == 4
    assert [one.stage for one in news if one.done == one.total] == [
        "before",
        "learning",
        "after",
    ]


def test_a_name_that_is_taken_is_refused_before_anything_is_computed(
    weights: Path, lesson: Lesson, taught: Path
):
    taught.mkdir()
    (taught / "cells+mine.safetensors").write_bytes(b"old")
    news: list[News] = []

    with pytest.raises(ValueError, match="old weights are never overwritten"):
        courses.taught(Course(name="mine", weights=weights), lesson, news.append)

    assert news == []


def test_a_method_without_a_network_cannot_be_taught(lesson: Lesson):
    with pytest.raises(ValueError, match=r"'Graph cut' has no network .* 'Cells'"):
        taught(Course(method="graph-cut"), lesson, lambda news: None)


@pytest.mark.parametrize(
    "problem",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ..."),
        RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
    ],
)
def test_memory_that_runs_out_is_one_sentence(problem: Exception):
    with pytest.raises(ValueError, match=r"^memory ran out while teaching; close"):  # noqa: SIM117
        with memory_told():
            raise problem


def test_other_mistakes_are_not_taken_for_it():
    with pytest.raises(RuntimeError, match="shapes"), memory_told():
        raise RuntimeError("shapes do not match")


# ----------------------------------------------------- on the way to another process


def own_plane(side: int = 160, **settings) -> OwnPlane:
    plane = plane_of_cells()
    image = ScaledImage(plane.image.image, **settings)
    return OwnPlane("cells", lambda: image, plane.objects)


@pytest.mark.parametrize("rule", [Percentiles(1, 99), GivenLimits(3, 200)])
def test_a_lesson_is_read_as_it_was_written(tmp_path: Path, rule):
    write_lesson(tmp_path / "a", [own_plane(intensities=rule)], {"name": "mine"})

    (plane,), settings = read_lesson(tmp_path / "a")

    original = plane_of_cells()
    assert settings == {"name": "mine"}
    assert (plane.labels == original.labels).all()
    assert (plane.image.image == original.image.image).all()
    assert plane.image.intensities == rule
    assert plane.wanted == (1, 2, 3, 4, 5, 6)


def test_of_a_large_image_only_surroundings_are_read(tmp_path: Path):
    """Given an image larger than memory, then its far parts are never computed."""
    read: list[tuple[int, int]] = []

    def block(block_id):
        read.append(block_id)
        return np.zeros((5000, 5000), np.uint8)

    chunks = ((5000,) * 20, (5000,) * 20)
    empty = np.zeros((0, 0), np.uint8)
    image = da.map_blocks(block, chunks=chunks, dtype=np.uint8, meta=empty)
    near = plane_of_cells().objects
    far = [
        replace(one, label=one.label + 6, box=one.box.moved(92_160, 92_160))
        for one in near
    ]
    plane = OwnPlane("huge", lambda: ScaledImage(image), (*near, *far))

    write_lesson(tmp_path / "a", [plane], {})

    planes, _ = read_lesson(tmp_path / "a")
    assert [one.wanted for one in planes] == [(1, 2, 3, 4, 5, 6), (7, 8, 9, 10, 11, 12)]
    assert max(max(one.labels.shape) for one in planes) < 1200
    assert set(read) == {(0, 0), (18, 18)}


def test_the_process_tells_news_and_the_result(tmp_path: Path):
    settings = {"name": "worms", "steps": 1}
    write_lesson(tmp_path / "a", [own_plane()], settings)

    answer = process(tmp_path / "a")

    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    assert answer.returncode == 0, answer.stderr
    assert lines[0] == {"stage": "before", "done": 0, "total": 3}
    assert set(lines[-1]) == {"method", "sentence"}
    assert lines[-1]["method"] in (None, "cells+worms")


def test_the_process_tells_what_cannot_be_in_one_line(tmp_path: Path):
    plane = own_plane()
    few = OwnPlane("cells", plane.image, plane.objects[:2])
    write_lesson(tmp_path / "a", [few], {"name": "worms"})

    answer = process(tmp_path / "a")

    assert answer.returncode == 2
    (line,) = answer.stdout.splitlines()
    assert json.loads(line)["problem"].startswith("there are 2 of the 6 objects")


def process(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "napari_iseg.teaching", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
