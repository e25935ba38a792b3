"""How torch's threads wait: asleep, so that whoever else needs the cores gets them."""

from __future__ import annotations

from collections.abc import MutableMapping

WAITING = "OMP_WAIT_POLICY"


def let_others_work(environment: MutableMapping[str, str]) -> None:
    """Threads that have nothing to do sleep, unless ``environment`` says otherwise.

    To be called before torch is imported, which reads this once. By default such
    threads spin: two busy workers of two threads on two cores then answer a fifth of
    the requests (``python -m training serving``), and a window beside the network
    stalls four times as often (``python -m training latency --window``).
    """
    environment.setdefault(WAITING, "PASSIVE")
