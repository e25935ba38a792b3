"""Which method suits a user's own data."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from napari_iseg import Click, Session
from napari_iseg.click_log import ClickLog, write_log
from tests.fakes import BrightSegmenter
from tests.training.fake_methods import BRIGHT, PICKY, WORSE
from training.__main__ import main
from training.personal import available


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Two objects, accepted after one click and after two."""
    image = np.full((80, 120), 40, np.uint8)
    for column in (30, 90):
        cv2.circle(image, (column, 40), 14, 200, -1)
    cv2.imwrite(str(tmp_path / "mine.png"), image)
    session = Session(image.shape, method="bright")
    for column, clicks in ((30, 1), (90, 2)):
        for i in range(clicks):
            session.click(Click(40, column + i))
        request = session.wanted
        assert request is not None
        answers = BrightSegmenter().prepare(image).alternative_patches(request.clicks)
        session.deliver(request, answers)
        session.accept()
    path = tmp_path / "mine.iseg.json"
    write_log(path, ClickLog.of(session, image="mine.png"))
    return path


def test_the_methods_are_ranked_on_the_user_s_own_masks(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["compare", str(log), "--methods", WORSE, BRIGHT, "--workers", "0"]

    code = main(command)

    told = capsys.readouterr().out
    assert code == 0
    first, second = (line for line in told.splitlines() if line.startswith("| tests"))
    assert first.startswith(f"| {BRIGHT} | 1.0 | 0 | 1.00 |")
    assert second.startswith(f"| {WORSE} |")
    assert f"On your 2 objects '{BRIGHT}' needs 1.0 clicks on average" in told
    assert "You made 1.5 clicks an object." in told
    assert "2 of the 2 masks were made with 'bright', which favours it" in told


def test_a_method_that_fails_is_told(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = cv2.imread(str(log.with_name("mine.png")), cv2.IMREAD_UNCHANGED)
    image[0, 0] = 7
    cv2.imwrite(str(log.with_name("mine.png")), image)

    code = main(["compare", str(log), "--methods", PICKY, "--workers", "0"])

    said = capsys.readouterr()
    assert code == 1
    assert "RuntimeError: a seven" in said.err
    assert "There is nothing to compare" in said.out


def test_methods_that_cannot_be_built_here_are_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def only_one(name: str, **_: object) -> BrightSegmenter:
        if name != "graph-cut":
            raise ValueError("its weights are not here")
        return BrightSegmenter()

    monkeypatch.setattr("napari_iseg.load_segmenter", only_one)

    found = available()

    assert found == ["graph-cut"]
    assert "'cells' is left out: its weights are not here" in capsys.readouterr().out
