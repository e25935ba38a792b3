"""How long a user of the window waits: from the click to the painted preview."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_iseg.clicks import Clicks

TICK = 1  # milliseconds: how often the GUI thread is looked at


def waiting_times(
    image: NDArray[np.generic], objects: Sequence[Clicks]
) -> tuple[dict[str, list[float]], list[float]]:
    """Click on objects in a real napari window.

    Parameters
    ----------
    image
        ``(H, W)``.
    objects
        The clicks on each object. The first one loads the network and is not counted.

    Returns
    -------
    Seconds of the "first" and "later" clicks until the preview is painted, and of
    "accept"; then the seconds between ticks of the GUI thread.
    """
    import napari
    from qtpy.QtCore import QTimer

    viewer = napari.Viewer(title="napari-iseg: waiting times")
    viewer.window.resize(1400, 900)
    viewer.add_image(image)
    _, widget = viewer.window.add_plugin_dock_widget(
        "napari-iseg", "Interactive segmentation"
    )
    first, *others = objects
    _visit(widget.desk, viewer, first)
    ticks = [time.perf_counter()]
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start(TICK)
    visits = [_visit(widget.desk, viewer, clicks) for clicks in others]
    timer.stop()
    viewer.close()
    times = {kind: [s for visit in visits for s in visit[kind]] for kind in visits[0]}
    return times, [float(gap) for gap in np.diff(ticks)]


def _visit(desk: Any, viewer: Any, clicks: Clicks) -> dict[str, list[float]]:
    """One object: its clicks, then accepting it."""
    viewer.camera.center = (0, clicks.items[0].row, clicks.items[0].column)
    viewer.camera.zoom = 2
    _settle(desk)
    waited = []
    for click in clicks:
        began = time.perf_counter()
        desk.click(click)
        _settle(desk)
        waited.append(time.perf_counter() - began)
    began = time.perf_counter()
    desk.controller.do(lambda session: session.accept())
    _settle(desk)
    accepted = time.perf_counter() - began
    return {"first": waited[:1], "later": waited[1:], "accept": [accepted]}


def _settle(desk: Any) -> None:
    """Let Qt work until the answer is there and painted."""
    from qtpy.QtWidgets import QApplication

    application = QApplication.instance()
    assert application is not None
    while desk.session is None or desk.session.wanted is not None:
        application.processEvents()
        time.sleep(0.0005)
    application.processEvents()  # paints what the answer changed
