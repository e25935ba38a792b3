"""The demo: what a user does in the first minute, by a program, on a real image."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from skimage.draw import polygon2mask

from napari_iseg.arrays import Mask
from napari_iseg.clicks import Click
from napari_iseg.gui.saving import save_clicks, save_labels
from napari_iseg.session import Session

if TYPE_CHECKING:
    from napari_iseg.gui.desk import WorkDesk

CLICKS = 5  # for each object
KEPT = 0.5  # IoU from which on an object is accepted
SCREEN = "-screen 0 1400x900x24"
PATIENCE = 180.0  # seconds; the first answer loads torch on a machine of any speed


@dataclass(frozen=True, slots=True)
class Scene:
    """An image that scikit-image bundles, and objects that we outlined by hand.

    ``view`` is (top, left, bottom, right): what fills the window. ``outlines`` are
    corners (row, column) by the object's name.
    """

    image: str
    view: tuple[float, float, float, float]
    outlines: dict[str, list[tuple[float, float]]]


def bundled_scenes() -> list[Scene]:
    """The demo's scene first, then the harder ones."""
    text = files("napari_iseg.gui").joinpath("demo_outlines.json").read_text("utf-8")
    return [_scene(one) for one in json.loads(text)["scenes"]]


def _scene(content: dict[str, Any]) -> Scene:
    top, left, bottom, right = content["view"]
    outlines = {
        one["name"]: [(row, column) for row, column in one["outline"]]
        for one in content["objects"]
    }
    return Scene(content["image"], (top, left, bottom, right), outlines)


def run(output: Path, *, show: bool | None = None) -> None:
    """Click on cells in a real napari window and save what came of it.

    Leaves ``screenshot.png``, ``labels.tif``, ``clicks.iseg.json`` and ``table.md``
    in ``output``.

    Parameters
    ----------
    show
        Whether the window stays open afterwards; None: if somebody is watching.

    Raises
    ------
    ValueError
        If there is no display, and no Xvfb to stand in for one.
    """
    output.mkdir(parents=True, exist_ok=True)
    if _has_display():
        _run_in_window(output, show=_is_watched() if show is None else show)
    else:
        _run_under_xvfb(output)
    for path in sorted(output.iterdir()):
        sys.stdout.write(f"{path}\n")
    sys.stdout.write("\n" + (output / "table.md").read_text("utf-8"))


def _has_display() -> bool:
    named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return sys.platform != "linux" or bool(named)


def _is_watched() -> bool:
    """Whether a person sees the display and can close the window."""
    return sys.stdout.isatty() and "xvfb-run" not in os.environ.get("XAUTHORITY", "")


def _run_under_xvfb(output: Path) -> None:
    stand_in = shutil.which("xvfb-run")
    if stand_in is None:
        raise ValueError(
            "there is no display for the demo's window; install xvfb (apt-get install "
            "xvfb) or run it on a desktop"
        )
    program = (
        "import sys; from pathlib import Path; from napari_iseg.gui import demo; "
        "demo._run_in_window(Path(sys.argv[1]), show=False)"
    )
    command = [stand_in, "-a", "-s", SCREEN, sys.executable, "-c", program]
    subprocess.run([*command, str(output)], check=True)  # noqa: S603 - our own interpreter


def _run_in_window(output: Path, *, show: bool) -> None:
    import napari

    viewer = napari.Viewer(title="napari-iseg demo")
    viewer.window.resize(1400, 900)
    _, widget = viewer.window.add_plugin_dock_widget(
        "napari-iseg", "Interactive segmentation"
    )
    first, *others = bundled_scenes()
    tables = [_play(viewer, widget.desk, scene, output) for scene in others]
    tables.insert(0, _play(viewer, widget.desk, first, output, picture="screenshot"))
    (output / "table.md").write_text("\n".join(tables), "utf-8")
    _save(widget.desk, output)
    if show:
        napari.run()
    else:
        viewer.close()


def _play(
    viewer: Any, desk: WorkDesk, scene: Scene, output: Path, picture: str | None = None
) -> str:
    """Segment every object of a scene; the table of what each click brought."""
    import skimage.data

    desk.open_image(None)
    viewer.layers.clear()
    image = viewer.add_image(getattr(skimage.data, scene.image)(), name=scene.image)
    desk.open_image(image)
    _look_at(viewer, scene)
    curves: dict[str, list[float]] = {}
    for name, outline in scene.outlines.items():
        truth: Mask = polygon2mask(image.data.shape[:2], outline)  # type: ignore[no-untyped-call]  # no types
        curves[name] = _segment(desk, truth)
        if len(curves) == len(scene.outlines):
            # with its clicks and preview, beside the accepted ones
            title = picture or f"screenshot-{scene.image}"
            _take_picture(viewer, output / f"{title}.png")
        # a user does not keep what is mostly wrong
        is_good = _overlap(truth, _found(desk, truth.shape)) >= KEPT
        desk.controller.do(Session.accept if is_good else Session.clear)
        _settle(desk)
    return _table(curves, scene)


def _segment(desk: WorkDesk, truth: Mask) -> list[float]:
    """Click where the error is deepest, then go back to the first good answer."""
    curve: list[float] = []
    for _ in range(CLICKS):
        found = _found(desk, truth.shape)
        click = deepest_error(truth, found)
        if click is None:
            curve.append(curve[-1])
            continue
        points = desk.layers.points(is_positive=click.is_positive)
        assert points is not None
        points.add((click.row, click.column))
        _settle(desk)
        curve.append(_overlap(truth, _found(desk, truth.shape)))
    enough = next(k for k, iou in enumerate(curve) if iou >= max(curve) - 0.02)
    while desk.session is not None and len(desk.session.clicks) > enough + 1:
        desk.controller.do(lambda session: session.undo())
    _settle(desk)
    return curve


def deepest_error(truth: Mask, found: Mask) -> Click | None:
    """The wrong pixel that is farthest from right ones; None if all are right."""
    missed, surplus = truth & ~found, found & ~truth
    if not (missed | surplus).any():
        return None
    depth_missed, depth_surplus = (
        ndimage.distance_transform_edt(np.pad(wrong, 1))[1:-1, 1:-1]
        for wrong in (missed, surplus)
    )
    is_positive = bool(depth_missed.max() > depth_surplus.max())
    depth = depth_missed if is_positive else depth_surplus
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return Click(int(row), int(column), is_positive)


def _found(desk: WorkDesk, grid: tuple[int, ...]) -> Mask:
    mask = np.zeros(grid, np.bool_)
    if desk.session is not None and desk.session.mask is not None:
        box, inside = desk.session.mask
        mask[box.slices] = inside
    return mask


def _overlap(truth: Mask, found: Mask) -> float:
    return float((truth & found).sum() / (truth | found).sum())


def _table(curves: dict[str, list[float]], scene: Scene) -> str:
    numbers = range(1, CLICKS + 1)
    rows = [
        f"IoU after each click on `skimage.data.{scene.image}`, against outlines drawn "
        "by hand; each click is where the error is deepest. Objects below "
        f"{KEPT} are not accepted into the labels.",
        "",
        f"| clicks | {' | '.join(str(k) for k in numbers)} |",
        f"|---|{'---|' * CLICKS}",
    ]
    rows += [
        f"| {name} | {' | '.join(f'{iou:.2f}' for iou in curve)} |"
        for name, curve in curves.items()
    ]
    means = np.mean(list(curves.values()), axis=0)
    rows.append(f"| **mean** | {' | '.join(f'**{iou:.2f}**' for iou in means)} |")
    return "\n".join(rows) + "\n"


def _look_at(viewer: Any, scene: Scene) -> None:
    """Fill the canvas with the scene's part of the image."""
    _wait(0.3)  # the canvas takes its size when the window is drawn
    top, left, bottom, right = scene.view
    camera = getattr(viewer, "scene", viewer).camera
    camera.center = (0, (top + bottom) / 2, (left + right) / 2)
    # docks leave about 680 x 800 of the window's 1400 x 900
    camera.zoom = min(800 / (bottom - top), 680 / (right - left))


def _take_picture(viewer: Any, path: Path) -> None:
    _wait(0.5)  # thumbnails and notifications are drawn late
    viewer.screenshot(str(path), canvas_only=False, flash=False)


def _save(desk: WorkDesk, output: Path) -> None:
    save_labels(output / "labels.tif", desk.layers.objects)
    work, image = desk.work, desk.layers.image
    assert work is not None
    assert image is not None
    save_clicks(output / "clicks.iseg.json", work, image.name)


def _settle(desk: WorkDesk) -> None:
    """Let Qt work until the answer is there.

    Raises
    ------
    TimeoutError
        If it does not come.
    """
    deadline = time.monotonic() + PATIENCE
    while desk.session is not None and desk.session.wanted is not None:
        _wait(0.02)
        if time.monotonic() > deadline:
            raise TimeoutError(f"no answer came within {PATIENCE:.0f} s")
    _wait(0.05)


def _wait(seconds: float) -> None:
    from qtpy.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec()
