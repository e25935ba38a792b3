"""BRS in the window: undo, stop and closing end a refinement between its steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from napari_iseg import Click, Clicks, Session
from napari_iseg.gui.engine import Engine, Method, Question, Sight
from napari_iseg.gui.intensity_choice import IntensityChoice
from napari_iseg.gui.status import status_text
from napari_iseg.nets.question import Question as Asked
from napari_iseg.refine.brs import BRS
from napari_iseg.refine.descent import Cancelled
from napari_iseg.refine.papers import segmenter_of
from napari_iseg.refine.polish import Polished
from tests.gui.conftest import Bench
from tests.refine.test_brs import Deaf, picture

CELL = Click(60, 70)
CONTRADICTED = Click(60, 62, is_positive=False)
CLICKS = Clicks((CELL, CONTRADICTED))


def brs(most: float = 1e3) -> BRS:
    """Around a network that hears too little of what clicks say, ``most`` at most."""
    return BRS(segmenter_of(Deaf(most=most)))


def question(clicks: Clicks, image: np.ndarray) -> Question:
    session = Session(image.shape)
    for click in clicks:
        session.click(click)
    sight = Sight(image, image, IntensityChoice())
    assert session.wanted is not None
    return Question(session.wanted, sight, None, session.others, Method())


def watched(
    monkeypatch: pytest.MonkeyPatch, after_each: Callable[[int], object]
) -> list[int]:
    """Counts how often a network is asked in a refinement."""
    counted: list[int] = []
    ask = Asked.__init__

    def counting(self: Asked, *args: Any, **kwargs: Any) -> None:
        ask(self, *args, **kwargs)
        inner = self.ask

        def once(maps: Any) -> Any:
            counted.append(1)
            after_each(len(counted))
            return inner(maps)

        object.__setattr__(self, "ask", once)

    monkeypatch.setattr(Asked, "__init__", counting)
    return counted


@pytest.mark.parametrize("kind", ["as it is", "polished"])
def test_a_refinement_ends_at_the_next_step_when_nobody_waits(monkeypatch, kind):
    """Given a click that the network contradicts, which takes many steps,
    when the question is given up after the second of them,
    then no third one is made."""
    image = picture()
    asked = question(CLICKS, image)
    segmenter = brs() if kind == "as it is" else Polished(brs())
    engine = Engine(lambda name, *, device: segmenter)
    counted = watched(monkeypatch, lambda n: asked.given_up.set() if n == 2 else None)

    with pytest.raises(Cancelled):
        engine.answer(asked)

    assert len(counted) == 2


def test_the_next_question_is_answered_as_if_nothing_had_been_broken_off(monkeypatch):
    image = picture()
    engine = Engine(lambda name, *, device: brs())
    first = question(CLICKS, image)
    first.given_up.set()
    with pytest.raises(Cancelled):
        engine.answer(first)

    again = engine.answer(question(CLICKS, image))

    fresh = brs().prepare(first.sight.image()).alternative_patches(CLICKS)  # type: ignore[arg-type]
    assert np.array_equal(again.patches[0][0].probability, fresh[0][0].probability)


def test_a_click_that_cannot_be_satisfied_is_named_and_marked():
    """Given a network that no clicks can turn, and one that it contradicts,
    when it is answered,
    then the status line names the click and why, and its point is ringed."""
    bench = Bench(picture())
    bench.segmenter = brs(most=0.1)
    bench.click(60, 70)

    bench.layer("iseg negative").add((60, 62))
    bench.settle()

    assert bench.session.unsatisfied == (CONTRADICTED,)
    text = status_text(bench.desk.controller, "BRS")
    assert "could not satisfy click 2: " in text
    ringed = bench.layer("iseg negative").border_color
    fine = bench.positive.border_color
    assert not np.array_equal(ringed[0], fine[0])


def test_a_satisfied_click_is_said_to_be():
    bench = Bench(picture())
    bench.segmenter = brs()
    bench.click(60, 70)

    bench.layer("iseg negative").add((60, 62))
    bench.settle()

    assert bench.session.unsatisfied == ()
    text = status_text(bench.desk.controller, "BRS")
    assert text.endswith("every click is satisfied")
