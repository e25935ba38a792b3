"""Labels and clicks of an image as files, and clicks back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_iseg.atomic_files import written_whole
from napari_iseg.click_log import ClickLog, read_log, write_log
from napari_iseg.image_files import write_labels

if TYPE_CHECKING:
    from napari_iseg.gui.desk import Work, WorkDesk

LOG_ENDING = ".iseg.json"


def save_labels(path: Path, layer: Any) -> Path:
    """Write all planes of a Labels layer as TIFF; returns where.

    Axes of one pixel (where the image has its channels) are left out.
    """
    path = path if path.suffix else path.with_suffix(".tif")
    labels = np.asarray(layer.data)
    thin = tuple(a for a, n in enumerate(labels.shape[:-2]) if n == 1)
    labels = labels.squeeze(thin)
    if labels.ndim == 2:
        write_labels(path, labels.astype(np.int32, copy=False))
    else:
        import tifffile

        with written_whole(path) as unfinished:
            # said aloud: three planes are no red, green and blue
            tifffile.imwrite(
                unfinished, labels, photometric="minisblack", compression="zlib"
            )
    return path


def save_clicks(path: Path, work: Work, image_name: str) -> list[Path]:
    """Write a log for each plane with clicks; returns where.

    Several planes make several files: ``cells.iseg.json`` of plane 3 becomes
    ``cells-3.iseg.json``.

    Raises
    ------
    ValueError
        If there is not one click, or the file cannot be written.
    """
    stem = path.name.removesuffix(".json").removesuffix(".iseg")
    planes = [
        one for one in work.annotations if one.session.objects or one.session.clicks
    ]
    if not planes:
        raise ValueError("there are no clicks to save yet; click on an object first")
    written = []
    for one in planes:
        hidden = one.plane.hidden
        name = stem if len(planes) == 1 else "-".join([stem, *map(str, hidden)])
        target = path.with_name(name + LOG_ENDING)
        log = ClickLog.of(
            one.session,
            image=image_name,
            plane=hidden,
            channels=work.channels.channels,
        )
        write_log(target, log)
        written.append(target)
    return written


def open_clicks(path: Path, desk: WorkDesk) -> None:
    """Go on where a saved log ended, on the shown plane.

    Raises
    ------
    ValueError
        If it is no log, or not of an image of this size.
    """
    desk.adopt_session(read_log(path).session())
