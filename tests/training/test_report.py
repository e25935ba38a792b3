"""From result lines to what a reader sees."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.training.fake_methods import BRIGHT
from training.__main__ import main
from training.datasets import DATASETS
from training.evaluation import (
    Method,
    Order,
    Settings,
    Workers,
    evaluate,
    write_curves,
)
from training.evaluation.curve_files import Result, read_results
from training.metrics import MOST, ClickCurve
from training.report import (
    markdown,
    overview,
    put_between_markers,
    rows_of,
    with_limits,
)
from training.report.figures import mean_ious, pens
from training.report.folder import slug, write_report
from training.report.limits import learning_free_limit
from training.report.page import Picture, Section, Table, Text, page
from training.report.papers import beside, published, ranges, verdict
from training.report.replays import Replays
from training.report.sheets import worst
from training.report.tables import TABLES, lines_of
from training.robots import ROBOTS


def curve(
    *ious: float,
    method: str = "cells",
    data: str = "grabcut",
    robot: str = "ritm",
    sample: str = "a/1",
) -> ClickCurve:
    n = len(ious)
    return ClickCurve(method, data, robot, sample, ious, (True,) * n, (0.02,) * n)


def steps(clicks: int, *, method: str, robot: str = "ris-net") -> ClickCurve:
    """Reaches 90 % after ``clicks`` clicks."""
    return curve(*[0.5] * (clicks - 1), 0.95, method=method, robot=robot)


@pytest.fixture
def measured(folder: Path, tmp_path: Path) -> Path:
    """A result file of a method outside the catalogue on the drawn images."""
    path = tmp_path / "curves.jsonl"
    order = Order(
        methods=(Method(name=BRIGHT), Method(name=BRIGHT, is_oracle=True)),
        data=(str(folder),),
        robots=("ritm",),
        root=folder,
        clicks=5,
    )
    evaluate(order, path, Workers(0))
    return path


# Tables


def test_a_mean_over_sets_says_of_how_many() -> None:
    rows = rows_of([curve(0.8, 0.95), curve(0.9, data="other")])

    mean = rows["cells", "mean of 2 sets", "ritm"]
    assert mean["objects"] == 2
    assert mean["noc90"] == 1.5
    assert mean["iou@1"] == pytest.approx(0.85)


def test_a_document_shows_means_first_and_the_methods_of_each_set_side_by_side() -> (
    None
):
    curves = [
        curve(0.9, data=data, method=method)
        for method in ("cells", "grow-cut")
        for data in ("first", "second")
    ]

    text = overview(rows_of(curves))

    shown = [line for line in text.splitlines() if line.startswith(("| c", "| g", "<"))]
    assert [" ".join(line.split(" | ")[:2]) for line in shown] == [
        "| cells mean of 2 sets",
        "| grow-cut mean of 2 sets",
        "<details>",
        "<summary>Each data set</summary>",
        "| cells first",
        "| grow-cut first",
        "| cells second",
        "| grow-cut second",
        "</details>",
    ]


def test_a_document_about_one_set_has_one_table() -> None:
    rows = rows_of([curve(0.9)])

    assert overview(rows) == markdown(rows)


def test_a_measure_that_old_results_lack_is_left_out() -> None:
    rows = rows_of([curve(0.9)])

    for columns in TABLES.values():
        titles, *lines = lines_of(rows, columns)
        assert all(len(line) == len(titles) for line in lines)


def test_the_report_writes_between_the_markers_and_as_json(tmp_path: Path) -> None:
    results, readme = tmp_path / "curves.jsonl", tmp_path / "README.md"
    write_curves([curve(0.8, 0.95)], results)
    readme.write_text("before\n<!-- table:begin -->\nold\n<!-- table:end -->\nafter\n")
    table = tmp_path / "t.json"

    code = main(["report", str(results), "--into", str(readme), "--json", str(table)])

    text = readme.read_text()
    assert code == 0
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| 0.800 | 0.950 |" in text
    assert json.loads(table.read_text())[0]["noc90"] == 2


def test_a_document_without_markers_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing here")

    with pytest.raises(ValueError, match="no lines '<!-- table:begin -->'"):
        put_between_markers(tmp_path / "README.md", "table")


def test_an_object_that_two_files_measure_is_not_counted_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    for file in files:
        write_curves([curve(0.9)], file)

    code = main(["report", *map(str, files)])

    assert code == 2
    assert "two.jsonl measures a/1 of 'grabcut'" in capsys.readouterr().err


def test_papers_belong_to_a_whole_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_curves([curve(0.9)], tmp_path / "curves.jsonl")

    code = main(["report", str(tmp_path / "curves.jsonl"), "--papers"])

    assert code == 2
    assert "say where with -o FOLDER" in capsys.readouterr().err


# The room left


def test_the_learning_free_limit_takes_the_best_method_for_each_object() -> None:
    curves = [
        curve(0.5, 0.95, method="graph-cut", sample="a/1"),
        curve(0.95, method="grow-cut", sample="a/1"),
        curve(0.95, method="graph-cut", sample="a/2"),
        curve(0.3, 0.4, method="grow-cut", sample="a/2"),
        curve(1.0, method="cells", sample="a/1"),
    ]

    limit = learning_free_limit(curves)

    assert {one.method for one in limit} == {"learning-free limit (best of 2)"}
    assert [one.clicks_to(0.9) for one in limit] == [1, 1]
    assert len(with_limits(curves)) == 4


def test_an_object_that_one_classical_method_lacks_does_not_count() -> None:
    curves = [
        curve(0.9, method="graph-cut", sample="a/1"),
        curve(0.9, method="grow-cut", sample="a/1"),
        curve(0.9, method="graph-cut", sample="a/2"),
    ]

    assert [one.sample for one in learning_free_limit(curves)] == ["a/1"]


def test_one_classical_method_is_no_limit() -> None:
    assert learning_free_limit([curve(0.9, method="graph-cut")]) == []


# The papers


def test_every_published_number_has_a_robot_and_a_data_set_of_ours() -> None:
    for one in published():
        assert one.robot in ROBOTS
        assert one.data in DATASETS or one.measure == "later_ms"
        assert one.value > 0


@pytest.mark.parametrize(
    ("paper", "method", "clicks"),
    [
        ("LD", "graph-cut", 10.00),
        ("LD", "geodesic-matting", 14.57),
        ("LD", "random-walk", 13.77),
        ("LD", "euclidean-star", 9.20),
        ("LD", "geodesic-star", 9.12),
        ("RIS-Net", "graph-cut", 11.10),
        ("RIS-Net", "geodesic-matting", 12.44),
        ("RIS-Net", "random-walk", 12.30),
        ("RIS-Net", "euclidean-star", 8.52),
        ("RIS-Net", "geodesic-star", 8.38),
        ("RIS-Net", "grow-cut", 16.74),
        ("FCTSFN", "graph-cut", 9.70),
        ("FCTSFN", "geodesic-matting", 9.26),
        ("FCTSFN", "random-walk", 10.28),
        ("FCTSFN", "euclidean-star", 5.84),
        ("FCTSFN", "geodesic-star", 5.02),
    ],
)
def test_the_classical_numbers_on_grabcut_are_the_papers(
    paper: str, method: str, clicks: float
) -> None:
    found = [
        one.value
        for one in published()
        if (one.paper, one.method) == (paper, method)
        and (one.data, one.measure) == ("grabcut", "noc90")
    ]

    assert found == [clicks]


def test_ours_stands_beside_the_paper_s_number_of_the_same_robot() -> None:
    rows = rows_of([steps(9, method="graph-cut"), curve(0.9, robot="human")])

    tables = dict(beside(rows))

    ((titles, line),) = tables.values()
    assert list(tables) == ["RIS-Net, Table 1: clicks to 90 %, grabcut"]
    assert titles[2] == "ours, robot ris-net"
    assert line == ["Graph cut", "11.10", "9.00", "-2.10", "-"]


def test_ours_is_inside_the_papers_range_or_is_not() -> None:
    rows = rows_of([steps(10, method="graph-cut"), steps(20, method="grow-cut")])

    _, *lines = ranges(rows)

    verdicts = {line[2]: line[-1] for line in lines if line[1] == "clicks to 90 %"}
    assert verdicts == {"graph-cut": "inside", "grow-cut": "worse by 3.26"}
    assert verdict(5, 6, 7) == "better than all"


def test_more_than_twenty_clicks_are_written_so() -> None:
    texts = {one.text for one in published() if one.value == MOST + 1}

    assert texts == {"> 20"}


# Figures and sheets


def test_methods_are_told_apart_and_an_oracle_belongs_to_its_method() -> None:
    drawn = pens([f"m{i}" for i in range(7)] + ["m3 (oracle)", "learning-free limit"])

    looks = {(one.colour, one.marker, one.line) for one in drawn.values()}
    assert len(looks) == 9
    assert drawn["m3 (oracle)"].colour == drawn["m3"].colour
    assert drawn["m3 (oracle)"].line != drawn["m3"].line


def test_a_line_of_a_figure_keeps_the_last_value_of_a_finished_object() -> None:
    means = mean_ious([curve(0.5, 1.0), curve(0.7)])

    assert means[0] == pytest.approx(0.6)
    assert means[1] == means[-1] == pytest.approx(0.85)
    assert len(means) == MOST


def test_the_worst_case_is_the_one_with_most_clicks_then_the_lowest_iou() -> None:
    curves = [
        curve(0.95, sample="good"),
        curve(0.5, 0.6, sample="bad"),
        curve(0.1, 0.2, sample="worst"),
        curve(0.5, 0.95, sample="fair"),
    ]

    assert [one.sample for one in worst(curves, 3)] == ["worst", "bad", "fair"]


def test_file_names_hold_no_slash() -> None:
    assert slug("cells (oracle) on dsb2018/val") == "cells-oracle-on-dsb2018-val"


# The whole report


def test_a_report_has_tables_figures_sheets_and_a_page(
    measured: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "report"
    command = ["report", str(measured), "-o", str(output), "--worst", "2", "--papers"]

    code = main([*command, "--data", str(folder)])

    assert code == 0
    assert capsys.readouterr().err == ""
    files = {path.relative_to(output).as_posix() for path in output.rglob("*.*")}
    scene, method = slug(f"{folder.name}, robot ritm"), slug(BRIGHT)
    assert files == {
        "index.html",
        "tables.md",
        "summary.json",
        *(
            f"{kind}/{scene}.{ending}"
            for kind in ("curves", "histograms")
            for ending in ("png", "svg")
        ),
        f"sheets/{method}-on-{scene}.png",
        f"sheets/{method}-oracle-on-{scene}.png",
    }
    expected = rows_of([one.curve for one in read_results(measured)])
    found = json.loads((output / "summary.json").read_text())
    assert found[0]["noc90"] == expected[BRIGHT, folder.name, "ritm"]["noc90"]
    assert f"{found[0]['iou@1']:.3f}" in (output / "tables.md").read_text()


def test_finished_label_maps_are_compared_with_the_truth(
    measured: Path, folder: Path, tmp_path: Path
) -> None:
    command = ["report", str(measured), "-o", str(tmp_path / "report"), "--worst", "0"]

    code = main([*command, "--label-maps", "--data", str(folder)])

    tables = (tmp_path / "report" / "tables.md").read_text()
    section = tables.split("## Finished label maps")[1].split("## ")[0]
    line = next(line for line in section.splitlines() if line.startswith("| tests"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert code == 0
    assert cells[3:5] == ["2", "12"]
    assert float(cells[5]) == pytest.approx(6 * float(cells[6]), abs=0.05)
    assert float(cells[8]) == 1  # every object is found
    assert not (tmp_path / "report" / "sheets").exists()


class Links(HTMLParser):
    """What a page asks a browser to fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.found += [v or "" for name, v in attrs if name in ("src", "href")]


def test_the_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"not really")
    parts = [
        Table("Clicks & more", ["method", "NoC"], [["a<b", "3.5"], ["c", "-"]]),
        Picture(tmp_path / "a.png", "a picture"),
        Text("<script>"),
    ]

    html = page("Title", [Section("First", parts)])

    links = Links()
    links.feed(html)
    assert all(one.startswith(("data:", "#")) for one in links.found)
    assert links.tags.count("script") == 1
    assert not re.search(r"https?://|@import|url\(", html)
    assert "a&lt;b" in html
    assert "&lt;script&gt;" in html
    assert '<td class="number">3.5</td>' in html


def test_the_same_results_give_the_same_report(measured: Path, tmp_path: Path) -> None:
    results = read_results(measured)

    pages = [
        {
            path.name: path.read_bytes()
            for path in write_report(results, tmp_path / name)
        }
        for name in ("one", "two")
    ]

    assert pages[0] == pages[1]


def test_data_that_is_not_there_costs_only_its_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISEG_DATA", str(tmp_path))
    path = tmp_path / "curves.jsonl"
    made = ClickCurve(
        BRIGHT,
        "grabcut",
        "ritm",
        "a/1",
        (0.9,),
        (True,),
        (0.1,),
        clicks=((1, 1, True),),
    )
    write_curves([made], path, Settings())

    code = main(["report", str(path), "-o", str(tmp_path / "report")])

    said = capsys.readouterr().err
    assert code == 0
    assert f"no worst cases of {BRIGHT} on grabcut" in said
    assert "No worst cases of" in (tmp_path / "report" / "index.html").read_text()


def test_other_weights_or_answers_are_not_passed_off(
    measured: Path, folder: Path
) -> None:
    replays = Replays(folder, paths={folder.name: folder})
    result = read_results(measured)[0]
    other = Result(result.curve, Settings(weights="0123456789ab"))
    wrong = Result(
        ClickCurve(
            *result.group,
            result.curve.sample,
            (0.1,),
            (True,),
            (0.1,),
            clicks=result.curve.clicks[:1],
        ),
        result.settings,
    )

    with pytest.raises(
        ValueError, match="made with weights 0123456789ab, here are none"
    ):
        replays.case(other)
    with pytest.raises(
        ValueError, match=r"0\.10 is in the results; measure them again"
    ):
        replays.case(wrong)
    with pytest.raises(ValueError, match="give its path with --data"):
        Replays(folder).case(result)
