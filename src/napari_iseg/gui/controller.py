"""The loop of clicking: commands change the session, missing answers are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from napari_iseg.gui.engine import Answer, Method, Question, Sight
from napari_iseg.session import Request, Session


class View(Protocol):
    """What draws; drawing twice looks like drawing once."""

    def show(self) -> None: ...
    def complain(self, problem: Exception) -> None: ...


class Runner(Protocol):
    """Runs a job elsewhere, then calls back on the thread that owns the session."""

    def start(
        self,
        job: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
    ) -> None: ...


class Answerer(Protocol):
    """An ``Engine`` or a stand-in."""

    def warm_up(self, method: Method) -> None: ...
    def answer(self, question: Question) -> Answer: ...


class Phase(Enum):
    """What the loop is doing about the object in progress."""

    NO_IMAGE = auto()
    PREPARING = auto()  # the first answer of a method: it is being loaded
    WORKING = auto()
    WAITING = auto()  # an answer is missing and nobody was told to find it
    READY = auto()


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    session: Session
    question: Question


class Controller:
    """One window's loop. At most one question runs; the newest one is asked next."""

    def __init__(self, view: View, runner: Runner, answerer: Answerer) -> None:
        self._view = view
        self._runner = runner
        self._answerer = answerer
        self._running: _Asked | None = None
        self._is_dropped = False  # the user pressed stop: do not use what comes
        self._refused: Request | None = None  # stopped or failed: wait to be told
        self._told: Request | None = None  # asked for by hand
        self._answered: dict[Method, bool] = {}
        self._last: tuple[Request, Answer] | None = None
        self._seen_with: WeakKeyDictionary[Session, Sight] = WeakKeyDictionary()
        self.session: Session | None = None
        self.sight: Sight | None = None
        self.method = Method()
        self.is_live = True

    # What there is

    @property
    def phase(self) -> Phase:
        if self.session is None:
            return Phase.NO_IMAGE
        if self.session.wanted is None:
            return Phase.READY
        if self._running is None or self._is_dropped:
            return Phase.WAITING
        is_first = not self._answered.get(self.method, False)
        return Phase.PREPARING if is_first else Phase.WORKING

    @property
    def is_busy(self) -> bool:
        """Whether there is something to stop."""
        return self._running is not None and not self._is_dropped

    @property
    def last_answer(self) -> Answer | None:
        """The newest answer, if it is the one that is shown."""
        if self.session is None or self._last is None:
            return None
        request, answer = self._last
        return answer if request.clicks == self.session.clicks else None

    # What the user does

    def open(self, session: Session, sight: Sight) -> None:
        """Work on another plane, or see the same plane with other eyes."""
        if self._seen_with.get(session, sight) is not sight:
            session.image_changed()
        self._seen_with[session] = sight
        self.session = session
        self.sight = sight
        session.method = self.method.name
        self.refresh()

    def close(self) -> None:
        """There is no image any more."""
        self.session = self.sight = self._last = None
        self.refresh()

    def use(self, method: Method) -> None:
        """Answer with another method or on another device from now on."""
        if method == self.method:
            return
        self.method = method
        self._refused = None
        if self.session is not None:
            self.session.method = method.name
        self.warm_up()
        self.refresh()

    def warm_up(self) -> None:
        """Load the method now, so that the first click is fast."""
        method = self.method
        self._runner.start(
            lambda: self._answerer.warm_up(method), lambda _: None, self._view.complain
        )

    def do(self, command: Callable[[Session], object]) -> bool:
        """Change the session; False if it refused, after the user was told why."""
        if self.session is None:
            self._view.complain(
                ValueError("there is no image to work on; open one and choose it")
            )
            return False
        try:
            command(self.session)
        except Exception as problem:  # noqa: BLE001 - the user is told which
            self._view.complain(problem)
            is_done = False
        else:
            is_done = True
        self.refresh()
        return is_done

    def run(self) -> None:
        """Find the missing answer now, live or not."""
        self._refused = None
        self._told = None if self.session is None else self.session.wanted
        self.refresh()

    def stop(self) -> None:
        """Do not wait for the answer that is being found."""
        if self._running is None:
            return
        self._is_dropped = True
        self.give_up()
        self._refused = None if self.session is None else self.session.wanted
        self._told = None
        self.refresh()

    def give_up(self) -> None:
        """Let the answer that is being found be broken off: nobody waits for it."""
        if self._running is not None:
            self._running.question.given_up.set()

    def refresh(self) -> None:
        """Show what there is; ask for what is missing."""
        if not self._is_of_use():
            self.give_up()
        self._ask()
        self._view.show()

    # Within

    def _is_of_use(self) -> bool:
        """Whether the answer that is being found is wanted, or leads to what is.

        That to fewer of the same clicks does: the next one begins where it ended.
        """
        if self._running is None:
            return True
        wanted = None if self.session is None else self.session.wanted
        asked = self._running.question
        if wanted is None or self.method != asked.method:
            return False
        clicks = asked.request.clicks
        is_beginning = wanted.clicks.prefix(len(clicks)) == clicks
        return is_beginning and wanted.context == asked.request.context

    def _ask(self) -> None:
        session, sight = self.session, self.sight
        if session is None or sight is None or self._running is not None:
            return
        wanted = session.wanted
        if wanted is None or wanted == self._refused:
            return
        if not self.is_live and wanted != self._told:
            return
        question = Question(wanted, sight, session.prior, session.others, self.method)
        asked = self._running = _Asked(session, question)
        self._is_dropped = False
        self._runner.start(
            lambda: self._answerer.answer(question),
            lambda answer: self._hear(asked, answer),
            lambda problem: self._hear_failure(asked, problem),
        )

    def _hear(self, asked: _Asked, answer: Answer) -> None:
        was_dropped, self._running, self._is_dropped = self._is_dropped, None, False
        self._answered[asked.question.method] = True
        if not was_dropped:
            # under its own request: a late answer can harm nothing
            asked.session.deliver(asked.question.request, answer.patches)
            self._last = asked.question.request, answer
        self.refresh()

    def _hear_failure(self, asked: _Asked, problem: Exception) -> None:
        was_dropped, self._running, self._is_dropped = self._is_dropped, None, False
        if not asked.question.given_up.is_set():
            self._refused = asked.question.request  # once is enough; G tries again
            if not was_dropped:
                self._view.complain(problem)
        self.refresh()
