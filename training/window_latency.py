"""How long a user of the napari window waits: from the click to the painted preview."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from napari_iseg import Click
from training.latency import OFFSETS, Times, drawn_tile

FRAME = 0.001  # seconds between the ticks that watch the GUI thread


def window_times(side: int, objects: int) -> tuple[Times, list[float]]:
    """Seconds from click to painted preview, and between ticks of the GUI thread."""
    import napari
    from qtpy.QtCore import QTimer

    viewer = napari.Viewer(title="napari-iseg: waiting times")
    viewer.window.resize(1400, 900)
    viewer.add_image(drawn_tile(side, np.random.default_rng(0)))
    _, widget = viewer.window.add_plugin_dock_widget(
        "napari-iseg", "Interactive segmentation"
    )
    desk = widget.desk
    clicked(desk, viewer, 0)  # loads the network, draws everything once
    gaps: list[float] = []
    before = [time.perf_counter()]
    timer = QTimer()
    timer.timeout.connect(lambda: note(gaps, before))
    before[0] = time.perf_counter()
    timer.start(int(FRAME * 1000))
    times: Times = {"first": [], "later": [], "accept": []}
    for n in range(1, objects + 1):
        for kind, seconds in clicked(desk, viewer, n).items():
            times[kind] += seconds
    timer.stop()
    viewer.close()
    return times, gaps


def note(gaps: list[float], before: list[float]) -> None:
    """Keep the time since the last tick."""
    now = time.perf_counter()
    gaps.append(now - before[0])
    before[0] = now


def clicked(desk: Any, viewer: Any, number: int) -> Times:
    """One object: its first click, later ones, and accepting it."""
    times: Times = {"first": [], "later": [], "accept": []}
    middle = 128 + 256 * (2 + number % 4), 128 + 256 * (2 + number // 4)
    viewer.camera.center = (0, *middle)
    viewer.camera.zoom = 2
    settled(desk)
    for k, (down, right) in enumerate(((0, 0), *OFFSETS)):
        click = Click(
            middle[0] + down, middle[1] + right, bool(np.hypot(down, right) < 40)
        )
        began = time.perf_counter()
        desk.click(click)
        settled(desk)
        times["later" if k else "first"].append(time.perf_counter() - began)
    began = time.perf_counter()
    desk.controller.do(lambda session: session.accept())
    settled(desk)
    times["accept"].append(time.perf_counter() - began)
    return times


def settled(desk: Any) -> None:
    """Let Qt work until the answer is there and painted."""
    from qtpy.QtWidgets import QApplication

    application = QApplication.instance()
    assert application is not None
    while desk.session is None or desk.session.wanted is not None:
        application.processEvents()
        time.sleep(0.0005)
    application.processEvents()  # paints what the answer changed


def gaps_line(gaps: list[float]) -> str:
    """How long the GUI thread did not tick."""
    worst = np.array(gaps) * 1e3
    return (
        f"GUI thread: {len(worst)} ticks, 99 % of the gaps below "
        f"{np.percentile(worst, 99):.0f} ms, longest {worst.max():.0f} ms, "
        f"{int((worst > 50).sum())} above 50 ms\n"
    )
