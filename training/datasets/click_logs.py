"""Click logs of the user's own: what was accepted is the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_iseg.arrays import Grid, Mask, image_grid
from napari_iseg.click_log import ClickLog, RunLengths, pixel_checksum, read_log
from napari_iseg.image_files import read_image
from training.datasets.data_set import DataSetEntry
from training.datasets.pictures import SUFFIXES
from training.datasets.scenes import MaskScene, SceneDataSet

ENDING = ".iseg.json"
LAYOUT = """\
<name>.iseg.json        saved by the plugin's "Save clicks", or by `napari-iseg segment`
<image>.<tif, png, ...>  the image that the log names, or <name>.<tif, png, ...>
"""


def is_log(path: Path) -> bool:
    return path.name.endswith(ENDING)


def logs_in(path: Path) -> list[Path]:
    """The log itself, or every log in a folder."""
    if path.is_dir():
        return sorted(one for one in path.iterdir() if is_log(one))
    return [path]


def name_of(path: Path) -> str:
    return path.name.removesuffix(ENDING)


def candidates(path: Path, log: ClickLog, folders: Sequence[Path]) -> list[Path]:
    """Where the image of a log may lie, the likeliest place first."""
    names = [log.image] if log.image else []
    names += [
        f"{name}{suffix}"
        for name in (log.image, name_of(path))
        if name
        for suffix in SUFFIXES
    ]
    places = [folder / name for folder in folders for name in names]
    return [*places, *(folder / Path(log.image or "").name for folder in folders[1:])]


def image_of_log(path: Path, log: ClickLog, folders: Sequence[Path]) -> Path:
    """The image file of a log: beside it, or in one of the other ``folders``.

    Raises
    ------
    ValueError
        If there is none: says what it should be called.
    """
    for place in candidates(path, log, [path.parent, *folders]):
        if place.is_file():
            return place
    called = f"'{log.image}'" if log.image else f"'{name_of(path)}.tif'"
    searched = " or ".join(map(str, dict.fromkeys([path.parent, *folders])))
    raise ValueError(
        f"the image of {path} is missing: there is no {called} in {searched}; put it "
        "beside the log or give its folder as the root"
    )


def read_logged_image(path: Path, log: ClickLog, image: Path) -> NDArray[Any]:
    """The plane that was clicked on.

    Raises
    ------
    ValueError
        If these are not the pixels that were clicked on.
    """
    pixels = np.ascontiguousarray(read_image(image, log.plane, log.channels))
    if image_grid(pixels) != log.grid:
        height, width = image_grid(pixels)
        raise ValueError(
            f"{path} is of an image of {log.grid[0]} x {log.grid[1]} pixels, {image} "
            f"has {height} x {width}; put the right image beside the log"
        )
    if log.sha256 and pixel_checksum(pixels) != log.sha256:
        raise ValueError(
            f"{image} is not the image of {path}: its pixels differ; put the right "
            "image beside the log"
        )
    return pixels


def on_grid(runs: RunLengths, grid: Grid) -> Mask:
    mask = np.zeros(grid, bool)
    mask[runs.box.slices] = runs.mask
    return mask


@dataclass(frozen=True)
class ClickLogs:
    """Every accepted object of some logs. ``folders``: where images may lie, too."""

    paths: Sequence[Path]
    folders: Sequence[Path] = ()

    @cached_property
    def _logs(self) -> Mapping[str, tuple[Path, ClickLog]]:
        return {name_of(path): (path, read_log(path)) for path in self.paths}

    def images(self) -> list[str]:
        return list(self._logs)

    def labels(self, image: str) -> list[str]:
        """Objects with a mask; one that is logged by its clicks alone has no truth."""
        objects = self._logs[image][1].objects
        return [str(one.label) for one in objects if one.mask is not None]

    def scene(self, image: str) -> MaskScene:
        path, log = self._logs[image]
        found = image_of_log(path, log, self.folders)
        masks: dict[str, Callable[[], Mask]] = {}
        starts: dict[str, Callable[[], Mask]] = {}
        for one in log.objects:
            if one.mask is not None:
                masks[str(one.label)] = partial(on_grid, one.mask, log.grid)
            if one.prior is not None:
                starts[str(one.label)] = partial(on_grid, one.prior, log.grid)
        pixels = read_logged_image(path, log, found)
        return MaskScene(pixels, masks, np.zeros(log.grid, bool), starts)


def opened(path: Path, folders: Sequence[Path] = ()) -> SceneDataSet:
    """A log, or every log in a folder."""
    return SceneDataSet(ClickLogs(tuple(logs_in(path)), tuple(folders)))


def gaps(path: Path, folders: Sequence[Path] = ()) -> list[str]:
    if not path.exists():
        return [f"The click log {path} is missing."]
    found = []
    for one in logs_in(path):
        try:
            image_of_log(one, read_log(one), folders)
        except ValueError as problem:
            found.append(sentence(problem))
    if path.is_dir() and not logs_in(path):
        found.append(f"There is no click log (*{ENDING}) in {path}.")
    return found


def sentence(problem: ValueError) -> str:
    text = str(problem)
    return f"{text[0].upper()}{text[1:]}."


def log_entry(folders: Sequence[Path] = ()) -> DataSetEntry:
    """Logs whose images may lie in ``folders``, too."""
    return DataSetEntry(
        "Click logs of your own: the accepted masks are the truth",
        "the plugin's 'Save clicks'",
        "your own",
        LAYOUT,
        (),
        partial(opened, folders=tuple(folders)),
        partial(gaps, folders=tuple(folders)),
    )
