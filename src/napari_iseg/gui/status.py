"""What the loop is doing, in words."""

from __future__ import annotations

from napari_iseg.gui.controller import Controller, Phase
from napari_iseg.session import Session


def status_text(controller: Controller, title: str) -> str:
    """One line: state, method, device, milliseconds, whether clicks are honoured.

    Parameters
    ----------
    title
        The method's name for people.
    """
    session = controller.session
    if session is None:
        return "no plane to click on: open an image and choose it above"
    waiting = {
        Phase.PREPARING: f"preparing {title} …",
        Phase.WORKING: f"{title} is working …",
        Phase.WAITING: "not up to date: press G to run",
    }
    if controller.phase in waiting:
        return waiting[controller.phase]
    answer = controller.last_answer
    if session.is_blank:
        return f"ready · {title}"
    if answer is None:  # found earlier: undo came back to it
        return f"{title} · {_honoured(session)}"
    parts = [title, answer.device, f"{answer.milliseconds:.0f} ms"]
    return " · ".join([*parts, answer.remark or _honoured(session)])


def object_text(session: Session | None) -> str:
    """Which object is in progress and how many clicks it has."""
    if session is None:
        return "no image"
    clicks = session.clicks
    if session.is_blank:
        return f"Object {session.label} · click on it"
    plus, minus = len(clicks.positive), len(clicks.negative)
    return f"Object {session.label} · {_count(len(clicks), 'click')} (+{plus} -{minus})"


def _honoured(session: Session) -> str:
    unsatisfied = len(session.unsatisfied)
    if unsatisfied == 0:
        return "every click is satisfied"
    verb = "is" if unsatisfied == 1 else "are"
    return f"{_count(unsatisfied, 'click')} {verb} not satisfied (ringed yellow)"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
