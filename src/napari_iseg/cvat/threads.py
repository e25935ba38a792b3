"""How the threads of one worker wait, so that the next worker gets the cores."""

from __future__ import annotations

from collections.abc import MutableMapping

WAITING = "OMP_WAIT_POLICY"


def let_others_work(environment: MutableMapping[str, str]) -> None:
    """Threads that have nothing to do sleep, unless ``environment`` says otherwise.

    To be called before torch is imported, which reads this once. By default such
    threads spin: two busy workers of two threads on two cores then answer a quarter as
    many requests as they do asleep (``python -m training serving``).
    """
    environment.setdefault(WAITING, "PASSIVE")
