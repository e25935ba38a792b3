"""The benchmark of the CVAT functions: one command, two tables, one JSON file."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.__main__ import main
from training.latency import drawn_tile
from training.serving_benchmark import KINDS, Plan, annotating, asked, worker_of

TILE = drawn_tile(512, np.random.default_rng(0))


@pytest.mark.slow
def test_one_command_measures_and_writes_document_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    document, figures = tmp_path / "page.md", tmp_path / "figures.json"
    document.write_text("# Before\n<!-- table:begin -->\n<!-- table:end -->\nAfter\n")

    # 512 pixels stand for 2048 in the second table, too: no test waits for those
    code = main(
        [
            *("serving", "graph-cut", "--sides", "512", "--images", "1"),
            *("--requests", "20", "--side", "512", "--threads", "1"),
            *("--into", str(document), "-o", str(figures)),
        ]
    )

    assert code == 0
    printed = capsys.readouterr().out
    assert printed in document.read_text()
    found = json.loads(figures.read_text())
    assert len(found["latency"]) == len(KINDS)
    assert [row["workers"] for row in found["throughput"]] == [1, 2]
    for row in found["latency"]:
        assert 0 < row["first_median_ms"] < row["first_wire_ms"]
        assert 0 < row["answer_bytes"] < 100_000
        assert row["clicks"] == 5


@pytest.mark.parametrize("name", KINDS)
def test_the_files_are_what_their_names_say(name: str):
    with Image.open(io.BytesIO(KINDS[name].written(TILE))) as image:
        assert image.format == KINDS[name].format
        assert image.mode == KINDS[name].mode
        assert image.size == (512, 512)


def test_five_clicks_at_one_cell_of_an_image_that_is_new_to_the_worker():
    content = KINDS["PNG, 8 bit"].written(TILE)
    some, others = (list(annotating(content, 512, number)) for number in (1, 2))

    counts = [len(one["pos_points"]) + len(one["neg_points"]) for one in some]
    files = {one["image"] for one in some + others}

    assert counts == [1, 2, 3, 4, 5]
    assert len(files) == 2
    for text in files:
        with Image.open(io.BytesIO(base64.b64decode(text))) as image:
            assert np.array_equal(np.asarray(image), TILE >> 8)


def test_an_answer_without_a_mask_is_no_measurement():
    plan = Plan("graph-cut", threads=1)
    (request, *_) = annotating(KINDS["PNG, 8 bit"].written(TILE), 512, 0)

    with (
        worker_of(plan) as worker,
        pytest.raises(RuntimeError, match=r'answered 200: {"shapes":\[\]}'),
    ):
        asked(worker, {**request, "pos_points": []})
