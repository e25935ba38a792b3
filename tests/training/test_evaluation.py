"""The evaluator: nothing lost, nothing repeated, the same for any number of workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.fakes import BrightSegmenter
from tests.training.fake_methods import BRIGHT, PICKY, SLOW, Worse
from training.__main__ import main
from training.datasets import BenchmarkObject
from training.evaluation import (
    Clicking,
    Method,
    Order,
    Workers,
    click_curve,
    evaluate,
    read_curves,
)
from training.evaluation.clicking import replayed
from training.evaluation.jobs import OBJECTS_A_JOB
from training.evaluation.methods import method_of
from training.evaluation.working import client_of, results_of
from training.metrics import ClickCurve, iou, summary
from training.robots import ROBOTS

HERE = Workers(0)
NAMES = ("bright", "drawn", "ritm")
ROOT = Path(__file__).parents[2]
TIMES = ("seconds", "cpu_seconds")


def order(folder: Path, *methods: str, **changes: Any) -> Order:
    asked = tuple(Method(name=name) for name in methods or (BRIGHT,))
    return Order(
        methods=asked, data=(str(folder),), robots=("ritm",), root=folder, **changes
    )


def without_times(path: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [{k: v for k, v in one.items() if k not in TIMES} for one in lines]


def disk() -> BenchmarkObject:
    rows, columns = np.indices((80, 90))
    truth = (rows - 40) ** 2 + (columns - 45) ** 2 < 15**2
    image = (40 + 120 * truth).astype(np.uint8)
    return BenchmarkObject("image/1", image, truth, np.zeros_like(truth))


# One object


def test_every_answer_of_a_curve_is_measured() -> None:
    found = disk()

    curve = click_curve(BrightSegmenter(), found, ROBOTS["ritm"], NAMES)

    assert curve.ious == (1.0,)
    assert curve.clicks == ((40, 45, True),)
    for series in (curve.obeyed, curve.seconds, curve.cpu_seconds, curve.hamming):
        assert len(series) == 1
    assert curve.boundary_ious == curve.coverage == (1.0,)
    assert curve.start_iou == 0


def test_every_method_is_asked_by_the_same_user() -> None:
    found = disk()

    first, second = (
        click_curve(method, found, ROBOTS["hasty"], (name, "drawn", "hasty"))
        for method, name in ((BrightSegmenter(), "a"), (Worse(), "b"))
    )

    assert first.clicks[0] == second.clicks[0]


def test_another_object_is_clicked_on_elsewhere() -> None:
    found = disk()
    other = BenchmarkObject("image/2", found.image, found.truth, found.ignored)

    places = {
        click_curve(BrightSegmenter(), one, ROBOTS["hasty"], NAMES).clicks[0]
        for one in (found, other)
    }

    assert len(places) == 2


def test_an_oracle_takes_the_hypothesis_that_is_right() -> None:
    how = Clicking(is_oracle=True)

    plain = click_curve(Worse(), disk(), ROBOTS["ritm"], NAMES)
    oracle = click_curve(Worse(), disk(), ROBOTS["ritm"], NAMES, how)

    assert plain.ious[0] < 1
    assert oracle.ious == (1.0,)


def test_a_degraded_mask_is_what_the_first_click_corrects() -> None:
    how = Clicking(from_degraded=True, most=3)

    curve = click_curve(BrightSegmenter(), disk(), ROBOTS["ritm"], NAMES, how)

    assert 0.75 <= curve.start_iou <= 0.85
    assert curve == click_curve_again(curve, how)


def click_curve_again(curve: ClickCurve, how: Clicking) -> ClickCurve:
    again = click_curve(BrightSegmenter(), disk(), ROBOTS["ritm"], NAMES, how)
    return replace(again, seconds=curve.seconds, cpu_seconds=curve.cpu_seconds)


def test_the_other_objects_are_given_only_if_asked_for() -> None:
    class Curious(BrightSegmenter):
        seen: list[object] = []  # noqa: RUF012 - of this test

        def prepare(self, image, prior=None, others=None):
            self.seen.append(others)
            return super().prepare(image, prior, others)

    found = replace(disk(), others=np.zeros((80, 90), bool))

    for with_others in (False, True):
        how = Clicking(with_others=with_others)
        click_curve(Curious(), found, ROBOTS["ritm"], NAMES, how)

    assert Curious.seen[0] is None
    assert Curious.seen[1] is found.others


def test_a_mask_is_found_again_from_its_clicks() -> None:
    found, how = disk(), Clicking(is_oracle=True)
    curve = click_curve(Worse(), found, ROBOTS["ritm"], NAMES, how)

    mask = replayed(Worse(), found, curve, how)

    assert iou(found.truth, mask) == curve.ious[-1]


# Orders and jobs


def test_a_job_is_a_few_objects_of_one_image(folder: Path) -> None:
    jobs = order(folder).jobs()

    assert len(jobs) == 2
    for job in jobs:
        assert len({name.split("/")[0] for name in job.samples}) == 1
        assert len(job.samples) <= OBJECTS_A_JOB


def test_what_a_table_calls_a_method_is_how_to_ask_for_it() -> None:
    for text in ("cells", "cells (oracle)", "cells zoom=1.7 side=96 (oracle)"):
        assert method_of(text).title == text


def test_settings_that_change_results_are_in_the_names(folder: Path) -> None:
    plain = order(folder)
    spoilt = order(folder, from_degraded=True)

    assert plain.title_of(str(folder)) == folder.name
    assert spoilt.title_of("grabcut") == "grabcut (degraded)"


def test_policies_belong_to_methods_that_work_by_windows() -> None:
    method = Method(name=BRIGHT, policy=("zoom=2",))

    with pytest.raises(ValueError, match="does not work by windows"):
        method.build()


# A file of results


def test_results_survive_a_file_and_are_not_measured_twice(
    folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "deep" / "curves.jsonl"

    first = evaluate(order(folder), path, HERE)
    before = path.read_bytes()
    second = evaluate(order(folder), path, HERE)

    assert (first.before, first.measured) == (0, 12)
    assert (second.before, second.measured) == (12, 0)
    assert path.read_bytes() == before
    assert summary(read_curves(path))["iou@20"] > 0.9


def test_a_part_of_a_set_is_taken_up_by_the_whole(folder: Path, tmp_path: Path) -> None:
    whole, grown = tmp_path / "whole.jsonl", tmp_path / "grown.jsonl"

    evaluate(order(folder), whole, HERE)
    evaluate(order(folder, limit=4), grown, HERE)
    ending = evaluate(order(folder), grown, HERE)

    assert (ending.before, ending.measured) == (4, 8)
    assert without_times(grown) == without_times(whole)


def test_one_object_that_fails_costs_no_other(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "curves.jsonl"
    image = cv2.imread(str(folder / "images" / "one.png"), cv2.IMREAD_UNCHANGED)
    image[0, 0] = 7
    cv2.imwrite(str(folder / "images" / "one.png"), image)
    command = ["evaluate", PICKY, BRIGHT, "--data", str(folder), "-o", str(path)]

    code = main([*command, "--workers", "0"])

    said = capsys.readouterr()
    assert code == 1
    assert len(read_curves(path)) == 18
    assert f"'{PICKY}' failed on " in said.out
    assert "RuntimeError: a seven" in said.out
    assert "second line" not in said.out
    assert "6 failed; the same command tries those again" in said.err


def test_other_settings_are_not_mixed_in(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "curves.jsonl"
    evaluate(order(folder, clicks=1), path, HERE)

    with pytest.raises(ValueError, match=r"other\s+settings .*clicks=1.*--replace"):
        evaluate(order(folder, clicks=2), path, HERE)
    ending = evaluate(order(folder, clicks=2), path, HERE, replace_others=True)

    assert (ending.before, ending.measured) == (0, 12)
    assert len(read_curves(path)) == 12


def test_results_older_than_settings_are_not_taken_for_ours(
    folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "curves.jsonl"
    evaluate(order(folder), path, HERE)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        del line["settings"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    with pytest.raises(ValueError, match="unknown ones"):
        evaluate(order(folder), path, HERE)


def test_ctrl_c_says_how_to_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("training.evaluation.evaluate", interrupted)

    code = main(["evaluate", BRIGHT, "--data", str(folder), "-o", "x.jsonl"])

    assert code == 130
    assert "the same command goes on from there" in capsys.readouterr().err


def test_the_command_prints_a_table_with_every_combination(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", BRIGHT, f"{BRIGHT} (oracle)", "--data", str(folder)]

    command += ["--robot", "ritm", "hasty", "--limit", "2", "--workers", "0"]

    code = main([*command, "-o", str(tmp_path / "curves.jsonl")])

    said = capsys.readouterr()
    assert code == 0
    for robot in ("ritm", "hasty"):
        for method in (BRIGHT, f"{BRIGHT} (oracle)"):
            assert f"| {method} | {folder.name} | {robot} | 2 |" in said.out
    assert "8 objects measured" in said.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cells", "--data", "nothing"], "no data set is called 'nothing'"),
        (["sells", "--data", "grabcut"], "did you mean 'cells'"),
        (["cells", "--data", "x", "--robot", "r2d2"], "no robot is called 'r2d2'"),
        ([BRIGHT, BRIGHT, "--data", "x"], "asked for twice"),
        ([BRIGHT, "--data", "a/x", "b/x"], "'x' is asked for twice"),
        ([BRIGHT, "--data", "x", "--clicks", "0"], "--clicks must be at least 1"),
        ([BRIGHT, "--data", "x", "--limit", "-1"], "--limit at least 0"),
        (["nosuch.module:f", "--data", "x"], "no method is at 'nosuch.module:f'"),
        (["tests.fakes:f", "--data", "x"], "no method is at 'tests.fakes:f'"),
    ],
)
def test_mistakes_are_answered_in_one_sentence(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = str(tmp_path / "curves.jsonl")

    code = main(["evaluate", *arguments, "--workers", "0", "-o", output])

    error = capsys.readouterr().err
    assert code == 2
    assert message in error
    assert error.count("\n") == 1


def test_a_negative_number_of_workers_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--workers must not be negative, got -1"):
        evaluate(order(folder), tmp_path / "curves.jsonl", Workers(-1))


def test_a_scheduler_that_is_not_there_is_named(folder: Path, tmp_path: Path) -> None:
    workers = Workers(address="nonsense://x")

    with pytest.raises(ValueError, match="no dask scheduler answers at nonsense://x"):
        evaluate(order(folder), tmp_path / "curves.jsonl", workers)


def test_no_more_processes_are_started_than_there_are_jobs() -> None:
    assert Workers(8).processes(3) == 3
    assert Workers(0).processes(3) == 0
    assert Workers().processes(1) == 0


def test_a_worker_that_died_is_what_became_of_its_objects(folder: Path) -> None:
    class Future:
        def exception(self) -> Exception:
            return MemoryError("killed\nby the system")

        def release(self) -> None:
            pass

    job = order(folder).jobs()[0]

    failures = results_of(Future(), job)

    assert [one.sample for one in failures] == list(job.samples)
    assert all("MemoryError: killed" in str(one) for one in failures)


# Other processes


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a cluster of two processes, as the command starts one."""
    with client_of(Workers(2), jobs=9) as client:
        yield client.scheduler.address


def test_a_file_does_not_show_how_many_workers_there_were(
    folder: Path, tmp_path: Path, scheduler: str
) -> None:
    alone, together = tmp_path / "alone.jsonl", tmp_path / "together.jsonl"
    both = order(folder, BRIGHT, f"{SLOW}")
    both = Order(**{**fields_of(both), "robots": ("hasty", "ritm"), "limit": 6})

    evaluate(both, alone, HERE)
    evaluate(both, together, Workers(address=scheduler))

    assert without_times(together) == without_times(alone)
    assert len(without_times(alone)) == 24


def fields_of(one: Order) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}


def test_a_killed_evaluation_goes_on_and_loses_nothing(
    folder: Path, tmp_path: Path, scheduler: str
) -> None:
    path, whole = tmp_path / "curves.jsonl", tmp_path / "whole.jsonl"
    command = [sys.executable, "-m", "training", "evaluate", SLOW, "--robot", "hasty"]
    command += ["--data", str(folder), "-o", str(path), "--workers", "0"]
    evaluation = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)

    while not (path.is_file() and path.read_bytes().count(b"\n") >= 2):
        assert evaluation.poll() is None, evaluation.stderr
        time.sleep(0.02)
    os.kill(evaluation.pid, signal.SIGKILL)
    evaluation.communicate()
    survived = path.read_bytes().count(b"\n")
    with path.open("ab") as file:
        file.write(b'{"method": "torn')
    remarks: list[str] = []
    asked = Order(**{**fields_of(order(folder, SLOW)), "robots": ("hasty",)})
    ending = evaluate(asked, path, Workers(address=scheduler), tell=remarks.append)
    evaluate(asked, whole, HERE)

    assert 2 <= survived < 12
    assert (ending.before, ending.measured) == (survived, 12 - survived)
    assert len(remarks) == 1
    assert "it is cut off, and its object measured again" in remarks[0]
    assert without_times(path) == without_times(whole)
