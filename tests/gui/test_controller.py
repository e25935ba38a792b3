"""The loop of clicking, turned by hand."""

from __future__ import annotations

import numpy as np

from napari_iseg import Click, Patch, Session
from napari_iseg.gui.controller import Controller, Phase
from napari_iseg.gui.engine import Answer, Method, Sight
from napari_iseg.gui.intensity_choice import IntensityChoice
from tests.gui.conftest import HandCranked

GRID = (20, 20)


class Screen:
    def __init__(self):
        self.problems = []

    def show(self):
        pass

    def complain(self, problem):
        self.problems.append(str(problem))


class Oracle:
    """Answers with a disc at the last click; fails when told to."""

    def __init__(self):
        self.questions = []
        self.problem = None

    def warm_up(self, method):
        pass

    def answer(self, question):
        self.questions.append(question)
        if self.problem:
            raise self.problem
        last = question.request.clicks.last
        rows, columns = np.indices(GRID)
        disc = (rows - last.row) ** 2 + (columns - last.column) ** 2 <= 4
        patch = Patch(disc.astype(np.float32), (0, 0))
        return Answer([(patch, 0.9), (patch, 0.4)], None, 12.0, "cpu")


def sight():
    image = np.zeros(GRID, np.uint8)
    return Sight(image, image, IntensityChoice())


def opened():
    screen, runner, oracle = Screen(), HandCranked(), Oracle()
    controller = Controller(screen, runner, oracle)
    controller.open(Session(GRID), sight())
    return controller, runner, oracle, screen


def click(row, column=5, *, is_positive=True):
    return lambda session: session.click(Click(row, column, is_positive))


def test_four_quick_clicks_are_two_predictions():
    controller, runner, oracle, _ = opened()

    for row in (3, 5, 7, 9):
        controller.do(click(row))
    runner.turn_all()

    assert [len(q.request.clicks) for q in oracle.questions] == [1, 4]
    assert controller.session.mask is not None
    assert controller.phase is Phase.READY


def test_a_late_answer_is_not_shown_for_newer_clicks_but_comes_back_with_undo():
    controller, runner, oracle, _ = opened()

    controller.do(click(3))
    controller.do(click(15))
    runner.turn()

    assert controller.session.answer is None
    controller.do(Session.undo)
    assert controller.session.answer.at(3, 5) == 1
    assert len(oracle.questions) == 1


def test_an_answer_for_another_plane_goes_to_its_own_session():
    controller, runner, _, _ = opened()
    first, second = controller.session, Session(GRID)
    controller.do(click(3))

    controller.open(second, sight())
    runner.turn_all()

    assert first.mask is not None
    assert second.mask is None


def test_stopping_drops_the_answer_and_waits_to_be_told():
    controller, runner, oracle, _ = opened()
    controller.do(click(3))

    controller.stop()
    runner.turn_all()

    assert controller.session.answer is None
    assert controller.phase is Phase.WAITING
    controller.run()
    runner.turn_all()
    assert controller.session.answer is not None
    assert len(oracle.questions) == 2


def test_a_click_after_stopping_is_answered():
    controller, runner, _, _ = opened()
    controller.do(click(3))
    controller.stop()

    controller.do(click(9))
    runner.turn_all()

    assert controller.session.answer.at(9, 5) == 1


def test_without_live_nothing_is_predicted_until_run():
    controller, runner, oracle, _ = opened()
    controller.is_live = False

    controller.do(click(3))
    assert not runner.jobs
    assert controller.phase is Phase.WAITING
    controller.run()
    runner.turn_all()

    assert controller.phase is Phase.READY
    assert len(oracle.questions) == 1


def test_a_method_that_fails_is_asked_once_and_the_clicks_stay():
    controller, runner, oracle, screen = opened()
    oracle.problem = RuntimeError("out of memory")

    controller.do(click(3))
    runner.turn_all()

    assert screen.problems == ["out of memory"]
    assert len(controller.session.clicks) == 1
    oracle.problem = None
    controller.run()
    runner.turn_all()
    assert controller.session.mask is not None


def test_a_refused_command_is_explained_and_changes_nothing():
    controller, _, _, screen = opened()

    is_done = controller.do(click(99))

    assert not is_done
    assert "outside the image" in screen.problems[0]
    assert len(controller.session.clicks) == 0


def test_without_an_image_a_command_says_what_to_do():
    controller = Controller(screen := Screen(), HandCranked(), Oracle())

    controller.do(Session.accept)

    assert screen.problems == ["there is no image to work on; open one and choose it"]


def test_another_method_answers_the_same_clicks_again():
    controller, runner, oracle, _ = opened()
    controller.do(click(3))
    runner.turn_all()

    controller.use(Method("other"))
    runner.turn_all()

    assert [q.method.name for q in oracle.questions] == ["cells", "other"]


def test_seeing_the_plane_with_other_eyes_asks_again_even_after_a_detour():
    controller, runner, oracle, _ = opened()
    here = controller.session
    controller.do(click(3))
    runner.turn_all()

    controller.open(Session(GRID), sight())
    controller.open(here, sight())
    runner.turn_all()

    assert len(oracle.questions) == 2


def test_first_answer_of_a_method_is_prepared_later_ones_are_not():
    controller, runner, _, _ = opened()

    controller.do(click(3))
    first = controller.phase
    runner.turn_all()
    controller.do(click(9))

    assert (first, controller.phase) == (Phase.PREPARING, Phase.WORKING)


def test_an_answer_that_leads_to_the_wanted_one_is_not_broken_off():
    """Given a click that is being answered, when another click is added,
    then the first answer goes on: the second one begins where it ends."""
    controller, runner, oracle, _ = opened()
    controller.do(click(3))

    controller.do(click(15))
    runner.turn()

    assert not oracle.questions[0].given_up.is_set()


def test_an_answer_that_nobody_waits_for_is_broken_off():
    """By undo, another method, another plane, a moved click, stopping or closing."""
    ways = {
        "undo": lambda c: c.do(Session.undo),
        "clear": lambda c: c.do(Session.clear),
        "move": lambda c: c.do(lambda s: s.replace(Click(3, 5), Click(9, 9))),
        "method": lambda c: c.use(Method("graph-cut")),
        "plane": lambda c: c.open(Session(GRID), sight()),
        "no image": lambda c: c.close(),
        "stop": lambda c: c.stop(),
        "closing": lambda c: c.give_up(),
    }
    for name, way in ways.items():
        controller, runner, oracle, _ = opened()
        controller.do(click(3))

        way(controller)
        runner.turn()

        assert oracle.questions[0].given_up.is_set(), name


def test_what_was_broken_off_is_no_failure_and_is_asked_again_when_wanted():
    """Given an answer that undo broke off, when redo wants it again,
    then it is asked again, and the user never heard of it."""
    controller, runner, oracle, screen = opened()
    controller.do(click(3))
    controller.do(Session.undo)
    oracle.problem = RuntimeError("cancelled")
    runner.turn()
    oracle.problem = None

    controller.do(Session.redo)
    runner.turn_all()

    assert screen.problems == []
    assert controller.session.mask is not None
