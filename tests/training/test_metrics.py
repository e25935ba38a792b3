"""What a series of clicks is worth: numbers by hand."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.metrics import (
    ClickCurve,
    auc,
    contradicted,
    cpu_timings,
    data_set_clicks,
    data_set_crossing,
    drops,
    failures,
    mean_after,
    mean_clicks,
    mean_ious,
    obedience,
    reached,
    summary,
    wall_timings,
)

RESULTS = Path(__file__).parents[2] / "docs" / "results.jsonl"


def curve(
    *ious: float,
    obeyed: bool = True,
    seconds: float = 0.01,
    start_iou: float = 0.0,
    **series: tuple[float, ...],
) -> ClickCurve:
    n = len(ious)
    times = (seconds,) * n
    return ClickCurve(
        "m", "d", "ritm", "s", ious, (obeyed,) * n, times, start_iou=start_iou, **series
    )


shares = st.floats(0, 1)
curves_strategy = st.lists(
    st.lists(shares, min_size=1, max_size=20).map(lambda ious: curve(*ious)),
    min_size=1,
    max_size=5,
)


class TestClicksOfAnObject:
    def test_are_counted_from_one(self) -> None:
        assert curve(0.5, 0.86, 0.91).clicks_to(0.85) == 2
        assert curve(0.5, 0.86, 0.91).clicks_to(0.9) == 3
        assert curve(0.5, 0.86).clicks_to(0.9) is None

    def test_a_dip_after_the_target_does_not_count_against_it(self) -> None:
        assert curve(0.95, 0.5, 0.95).clicks_to(0.9) == 1

    def test_a_start_that_is_good_enough_needs_no_click(self) -> None:
        given_mask = curve(0.7, 0.92, start_iou=0.86)

        assert given_mask.clicks_to(0.85) == 0
        assert given_mask.clicks_to(0.9) == 2
        assert mean_clicks([given_mask], 0.85) == 0

    def test_after_the_robot_is_content_the_last_value_stands(self) -> None:
        assert curve(0.5, 1.0).after(20) == 1

    def test_before_the_first_click_there_is_the_start(self) -> None:
        assert curve(0.9, start_iou=0.8).after(0) == 0.8
        assert curve(start_iou=1.0).after(3) == 1.0

    @given(curves=curves_strategy, a=shares, b=shares)
    def test_a_higher_target_never_takes_fewer(
        self, curves: list[ClickCurve], a: float, b: float
    ) -> None:
        low, high = sorted([a, b])

        assert mean_clicks(curves, low) <= mean_clicks(curves, high)
        assert failures(curves, low) <= failures(curves, high)


class TestTheSameClicksForAll:
    """One object needs 1 click, the other 3: the mean IoU is .7, .8, .9."""

    CURVES = (curve(0.9), curve(0.5, 0.7, 0.9))

    def test_the_mean_iou_decides_how_many(self) -> None:
        assert mean_ious(self.CURVES, 4) == pytest.approx((0, 0.7, 0.8, 0.9, 0.9))
        assert data_set_clicks(self.CURVES, 0.85) == 3
        assert mean_clicks(self.CURVES, 0.85) == 2

    def test_the_curve_is_crossed_between_clicks(self) -> None:
        assert data_set_crossing(self.CURVES, 0.85) == pytest.approx(2.5)
        assert data_set_crossing(self.CURVES, 0.7) == 1

    def test_less_than_one_click_is_no_click(self) -> None:
        assert data_set_crossing(self.CURVES, 0.1) == 1
        assert data_set_clicks(self.CURVES, 0.1) == 1

    def test_what_is_never_reached_has_no_number(self) -> None:
        assert data_set_clicks(self.CURVES, 0.95) is None
        assert data_set_crossing(self.CURVES, 0.95) is None
        assert summary(self.CURVES)["set_noc95"] == 20

    def test_starts_that_are_good_enough_need_none(self) -> None:
        curves = [curve(0.9, start_iou=0.8), curve(0.9, start_iou=0.9)]

        assert data_set_clicks(curves, 0.85) == 0

    @given(curves=curves_strategy, target=st.floats(0.01, 1))
    def test_whole_clicks_are_the_crossing_rounded_up(
        self, curves: list[ClickCurve], target: float
    ) -> None:
        clicks = data_set_clicks(curves, target)

        means = mean_ious(curves)
        if clicks is None:
            assert max(means) < target
        else:
            assert means[clicks] >= target
            assert all(value < target for value in means[:clicks])


class TestBudget:
    CURVES = (curve(0.95), curve(0.5, 0.92), curve(*[0.2] * 20))

    def test_a_failure_counts_as_twenty_clicks(self) -> None:
        assert mean_clicks(self.CURVES, 0.9) == pytest.approx((1 + 2 + 20) / 3)
        assert failures(self.CURVES, 0.9) == pytest.approx(1 / 3)

    def test_who_is_done_within_a_number_of_clicks(self) -> None:
        assert reached(self.CURVES, 0.9, 1) == pytest.approx(1 / 3)
        assert reached(self.CURVES, 0.9, 2) == pytest.approx(2 / 3)
        assert reached(self.CURVES, 0.9) == pytest.approx(2 / 3)
        assert failures(self.CURVES, 0.9, 1) == pytest.approx(2 / 3)

    def test_more_clicks_than_the_budget_count_as_the_budget(self) -> None:
        assert mean_clicks([curve(*[0.2] * 8, 0.95)], 0.9, most=5) == 5


class TestArea:
    def test_a_straight_rise_covers_its_mean(self) -> None:
        rise = curve(*[k / 20 for k in range(1, 21)])

        assert auc([rise]) == pytest.approx((0.05 + 1) / 2)

    def test_one_early_answer_covers_all(self) -> None:
        assert auc([curve(1.0)]) == 1

    def test_by_trapezoids(self) -> None:
        assert auc([curve(0.2, 0.6, 0.8)], most=3) == pytest.approx((0.4 + 0.7) / 2)

    @given(curves=curves_strategy)
    def test_lies_between_the_worst_and_the_best_mean(
        self, curves: list[ClickCurve]
    ) -> None:
        means = mean_ious(curves)[1:]

        assert min(means) - 1e-9 <= auc(curves) <= max(means) + 1e-9

    def test_one_click_has_no_area(self) -> None:
        with pytest.raises(ValueError, match="at least 2 clicks, got 1"):
            auc([curve(1.0)], most=1)


class TestDrops:
    def test_are_counted_and_measured(self) -> None:
        found = drops([curve(0.8, 0.7, 0.9, 0.6), curve(0.9)])

        assert found.share == pytest.approx(2 / 3)
        assert found.per_object == 1
        assert found.depth == pytest.approx(0.2)
        assert found.deepest == pytest.approx(0.3)

    def test_a_hair_s_breadth_is_no_drop(self) -> None:
        assert drops([curve(0.8, 0.797)]).share == 0

    def test_the_first_click_can_only_harm_a_mask_that_was_there(self) -> None:
        assert drops([curve(0.6, start_iou=0.8)]).depth == pytest.approx(0.2)
        assert drops([curve(0.6)]).per_object == 0

    @given(curves=curves_strategy)
    def test_a_curve_that_only_rises_has_none(self, curves: list[ClickCurve]) -> None:
        rising = [curve(*sorted(c.ious)) for c in curves]

        assert drops(rising).deepest == 0


def test_a_disobeyed_click_shows() -> None:
    changing = ClickCurve("m", "d", "r", "s", (0.9, 0.8), (False, True), (0.1, 0.1))
    stubborn = ClickCurve("m", "d", "r", "s", (0.9, 0.8), (True, False), (0.1, 0.1))

    assert obedience([changing, stubborn]) == 0.5
    assert contradicted([changing, stubborn]) == 0.5
    assert contradicted([changing]) == 0


def test_time_is_taken_of_first_and_later_answers() -> None:
    times = ClickCurve(
        "m", "d", "r", "s", (0.1,) * 4, (True,) * 4, (0.9, 0.1, 0.2, 0.3), (1.8,) * 4
    )

    wall, cpu = wall_timings([times]), cpu_timings([times])

    assert wall["first"].median == pytest.approx(900)
    assert wall["later"].median == pytest.approx(200)
    assert wall["later"].p95 == pytest.approx(290)
    assert wall["every"].mean == pytest.approx(375)
    assert cpu["later"].median == pytest.approx(1800)
    assert cpu_timings([curve(0.5)]) == {}


def test_a_series_is_averaged_over_those_who_have_it() -> None:
    curves = [
        curve(0.5, 0.6, boundary_ious=(0.2, 0.4), decidability=(math.inf, 3.0)),
        curve(0.5, boundary_ious=(0.6,), decidability=(1.0,)),
        curve(0.5),
    ]

    assert mean_after(curves, "boundary_ious", 2) == pytest.approx(0.5)
    assert mean_after(curves, "decidability", 1) == 1
    assert mean_after(curves, "decidability", 20) == 2
    assert mean_after(curves, "hamming", 1) is None


class TestTheRowOfATable:
    def test_by_hand(self) -> None:
        row = summary([curve(0.8, 0.9, seconds=0.02), curve(1.0, seconds=0.04)])

        assert row["objects"] == 2
        assert row["iou@1"] == pytest.approx(0.9)
        assert row["iou@20"] == pytest.approx(0.95)
        assert row["noc90"] == 1.5
        assert row["reached90@1"] == 0.5
        assert row["obedience"] == 1
        assert row["first_ms"] == pytest.approx(30)
        assert row["drops"] == 0

    def test_leaves_out_what_nobody_measured(self) -> None:
        row = summary([curve(0.8)])

        assert "start_iou" not in row
        assert not any(name.startswith(("biou", "cpu_", "hamming")) for name in row)

    def test_holds_what_was_measured(self) -> None:
        row = summary(
            [
                curve(
                    0.8,
                    start_iou=0.7,
                    cpu_seconds=(0.03,),
                    boundary_ious=(0.6,),
                    hamming=(0.01,),
                    coverage=(0.9,),
                    decidability=(2.5,),
                )
            ]
        )

        assert row["cpu_first_ms"] == pytest.approx(30)
        assert row["start_iou"] == 0.7
        found = [row[f"{k}@1"] for k in ("biou", "hamming", "coverage", "decidability")]
        assert found == [0.6, 0.01, 0.9, 2.5]

    def test_an_object_that_needed_no_click_has_no_time_but_counts(self) -> None:
        row = summary([curve(start_iou=1.0), curve(0.8, seconds=0.02)])

        assert row["objects"] == 2
        assert row["iou@1"] == pytest.approx(0.9)
        assert row["first_ms"] == pytest.approx(20)

    def test_of_nothing_there_is_none(self) -> None:
        with pytest.raises(ValueError, match="no curve to average; evaluate an object"):
            summary([])


def test_a_line_of_an_older_result_file_is_still_a_curve() -> None:
    line = RESULTS.read_text(encoding="utf-8").splitlines()[0]
    of_then = ("method", "data", "robot", "sample", "ious", "obeyed", "seconds")
    values = {k: v for k, v in json.loads(line).items() if k in of_then}

    old = ClickCurve(
        **{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    )

    assert old.clicks == old.cpu_seconds == ()
    assert old.start_iou == 0
    assert summary([old])["noc85"] == mean_clicks([old], 0.85)


def test_a_curve_survives_json() -> None:
    made = curve(
        0.5, 0.9, boundary_ious=(0.1, 0.2), clicks=((1, 2, True), (3, 4, False))
    )

    values = json.loads(json.dumps(asdict(made)))

    lists = {k: tuple(v) for k, v in values.items() if isinstance(v, list)}
    lists["clicks"] = tuple(tuple(place) for place in lists["clicks"])
    assert ClickCurve(**{**values, **lists}) == made
