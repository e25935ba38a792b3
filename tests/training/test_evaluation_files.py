"""Result files: whole lines, whatever happens."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluation import Settings, read_curves, write_curves
from training.evaluation.curve_files import (
    Result,
    appending,
    line_of,
    locked,
    mended,
    natural,
    put_in_order,
    read_results,
    result_from,
)
from training.metrics import ClickCurve

numbers = st.floats(0, 1) | st.just(math.inf)


def curve(sample: str = "a/1", *, method: str = "m", data: str = "d") -> ClickCurve:
    obeyed, seconds = (True, True), (0.1, 0.2)
    return ClickCurve(method, data, "ritm", sample, (0.5, 1.0), obeyed, seconds)


@given(st.lists(numbers, min_size=1, max_size=3), st.text(max_size=5))
def test_any_curve_survives_its_line(values: list[float], sample: str) -> None:
    n = len(values)
    one = ClickCurve(
        "m",
        "d",
        "ritm",
        sample,
        (0.5,) * n,
        (True,) * n,
        (0.1,) * n,
        decidability=tuple(values),
        clicks=((3, 4, True),) * n,
        start_iou=0.8,
    )
    result = Result(one, Settings(weights="ab", clicks=n))

    line = line_of(result)

    assert "\n" not in line
    assert result_from(json.loads(line)) == result


def test_lines_are_strict_json_where_a_measure_is_no_number() -> None:
    one = ClickCurve(
        "m", "d", "r", "s", (1.0,), (True,), (0.1,), decidability=(math.nan,)
    )

    line = line_of(Result(one))

    assert "NaN" not in line
    assert math.isnan(result_from(json.loads(line)).curve.decidability[0])


def test_files_of_the_first_version_are_read(tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    old = {"method": "m", "data": "d", "robot": "ritm", "sample": "a/1"}
    path.write_text(
        json.dumps({**old, "ious": [0.9], "obeyed": [True], "seconds": [0.1]}) + "\n"
    )

    (result,) = read_results(path)

    assert result.curve.after(1) == 0.9
    assert result.settings is None


def test_a_torn_last_line_is_cut_off_with_a_remark(tmp_path: Path) -> None:
    path = tmp_path / "curves.jsonl"
    write_curves([curve("a/1"), curve("a/2")], path)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"method": "m", "da')

    remark = mended(path)

    assert "ended in the middle of a line (19 bytes" in remark
    assert path.read_bytes() == whole
    assert mended(path) == ""


def test_a_line_without_its_end_is_cut_off_too(tmp_path: Path) -> None:
    path = tmp_path / "curves.jsonl"
    write_curves([curve("a/1")], path)
    path.write_bytes(path.read_bytes()[:-1])

    remark = mended(path)

    assert remark
    assert path.read_bytes() == b""


def test_a_file_that_is_being_written_can_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "curves.jsonl"
    write_curves([curve("a/1")], path)
    with path.open("a") as file:
        file.write('{"meth')

    curves = read_curves(path)

    assert len(curves) == 1
    assert "is unfinished: it is left out" in caplog.text


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "[]",
        "no json",
        '{"method": "m", "data": "d", "robot": "r", "sample": "s", "ious": [1.0], '
        '"obeyed": [], "seconds": []}',
    ],
)
def test_a_line_that_is_no_result_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "curves.jsonl"
    write_curves([curve()], path)
    with path.open("a") as file:
        file.write(line + "\n")

    with pytest.raises(ValueError, match=r"line 2 of .*curves\.jsonl is no result"):
        read_curves(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no result file at .*nosuch"):
        read_curves(tmp_path / "nosuch.jsonl")


def test_a_line_is_in_the_file_before_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "curves.jsonl"

    with appending(path) as append:
        append(Result(curve("a/1")))
        seen = path.read_bytes().count(b"\n")

    assert seen == 1


def test_two_evaluations_do_not_write_to_one_file(tmp_path: Path) -> None:
    path = tmp_path / "curves.jsonl"

    with (
        locked(path),
        pytest.raises(ValueError, match=r"another evaluation is writing to .*with -o"),
        locked(path),
    ):
        pass
    with locked(path):
        pass


def test_a_file_is_put_in_the_order_that_was_asked(tmp_path: Path) -> None:
    path = tmp_path / "curves.jsonl"
    came = [
        curve("a/10"),
        curve("a/9"),
        curve("a/1", method="n"),
        curve("a/1", data="before"),
    ]

    asked = [("n", "d", "ritm"), ("m", "d", "ritm")]
    put_in_order(path, [Result(one) for one in came], asked)

    found = [(one.data, one.method, one.sample) for one in read_curves(path)]
    assert found == [
        ("before", "m", "a/1"),
        ("d", "n", "a/1"),
        ("d", "m", "a/9"),
        ("d", "m", "a/10"),
    ]


@given(st.lists(st.text(max_size=6), max_size=5))
def test_names_of_any_kind_can_be_sorted(names: list[str]) -> None:
    assert sorted(sorted(names, key=natural)) == sorted(names)
