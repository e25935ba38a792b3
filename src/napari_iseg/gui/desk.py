"""One window's work: its image, its controller and what is drawn of them. No Qt."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol
from weakref import WeakKeyDictionary

from napari_iseg.catalog import AUTOMATIC, ENTRIES
from napari_iseg.clicks import Click
from napari_iseg.gui.comparing import Comparing
from napari_iseg.gui.controller import Controller, Runner
from napari_iseg.gui.engine import Engine, Method, Sight
from napari_iseg.gui.finding import Finding, Task
from napari_iseg.gui.image_annotations import AnnotatedPlane, ImageAnnotations
from napari_iseg.gui.intensity_choice import IntensityChoice, IntensityRule
from napari_iseg.gui.keys import handlers
from napari_iseg.gui.labelled_stack import LabelledStack
from napari_iseg.gui.layers import Edits, LayersView
from napari_iseg.gui.own_models import OwnModel
from napari_iseg.gui.planes import (
    ChannelChoice,
    PlaneIndex,
    channel_count,
    full_resolution,
    guessed_channel_axis,
    plane_image,
)
from napari_iseg.gui.preferences import Preferences
from napari_iseg.own_data import OwnPlane
from napari_iseg.polished import is_polished, polished_if
from napari_iseg.segmented_objects import SegmentedObject
from napari_iseg.segmenter import Segmenter
from napari_iseg.session import Overlap, Session

logger = logging.getLogger(__name__)
P = ParamSpec("P")


class Tell(Protocol):
    """How the user hears of something."""

    def info(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


@dataclass(slots=True, eq=False)
class Work:
    """What was done on one image: kept while the image layer lives."""

    annotations: ImageAnnotations
    channels: ChannelChoice
    objects: Any = None
    sights: dict[Any, Sight] = field(default_factory=dict)


# outlives the dock: closing and reopening it loses nothing
_WORK: WeakKeyDictionary[Any, Work] = WeakKeyDictionary()


def reported(
    method: Callable[Concatenate[WorkDesk, P], None],
) -> Callable[Concatenate[WorkDesk, P], None]:
    """Tell the user what went wrong instead of raising into napari or Qt."""

    @wraps(method)
    def heard(self: WorkDesk, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as problem:  # noqa: BLE001 - nothing may escape into Qt
            self.complain(problem)

    return heard


class WorkDesk:
    """Where images, layers, sessions and predictions of one viewer meet.

    Parameters
    ----------
    later
        Calls a function when napari has finished what it is doing now.
    redraw
        Called whenever what controls show may have changed.
    """

    def __init__(
        self,
        viewer: Any,
        runner: Runner,
        engine: Engine,
        *,
        tell: Tell,
        later: Callable[[Callable[[], None]], None],
        redraw: Callable[[], None],
        preferences: Preferences,
    ) -> None:
        self._tell = tell
        self._later = later
        self._redraw = redraw
        self._is_shut = False
        self._is_opening = False
        self._annotated: AnnotatedPlane | None = None
        self._plane: PlaneIndex | None = None
        self._problem: str | None = None
        self._images_seen = 0
        self._reopened: SegmentedObject | None = None
        self._rule = preferences.intensities
        self._overlap = preferences.overlap
        self._models = preferences.models
        self._engine = engine
        self._runner = runner
        self.controller = Controller(self, runner, engine)
        self.comparing = Comparing(runner, redraw, self.complain)
        self.finding = Finding(runner, engine.finder, redraw, self.complain)
        self.finder = next(iter(AUTOMATIC))  # name of the method that needs no click
        self.controller.method = Method(device=preferences.device)
        self.controller.is_live = preferences.live
        self.layers = LayersView(
            viewer, self._edits(), handlers(self), preferences.point_size
        )
        self._know_own()

    # What there is

    @property
    def session(self) -> Session | None:
        return self.controller.session

    @property
    def work(self) -> Work | None:
        image = self.layers.image
        return None if image is None else _WORK.get(image)

    @property
    def channels(self) -> ChannelChoice:
        return ChannelChoice() if self.work is None else self.work.channels

    @property
    def rule(self) -> IntensityRule:
        return self._rule

    @property
    def overlap(self) -> Overlap:
        return self._overlap

    @property
    def problem(self) -> str | None:
        """Why there is no plane to click on, if there is an image."""
        return self._problem

    # What the user chooses

    @reported
    def open_image(self, image: Any | None) -> None:
        """Work on another image layer, or on none."""
        if image is None:
            self._leave_image()
            return
        work = _WORK.get(image) or _new_work(image)
        self._open(image, work)

    @reported
    def choose_objects(self, layer: Any | None) -> None:
        """Write objects into another Labels layer; None makes a new one."""
        image = self.layers.image
        if image is None:
            raise ValueError("there is no image yet; open one first")
        highest = 0 if layer is None else _highest_label(layer)
        fresh = Work(ImageAnnotations(highest), self.channels, layer)
        self._open(image, fresh)

    @reported
    def choose_channels(self, choice: ChannelChoice) -> None:
        """Let the method see other channels."""
        work, image = self.work, self.layers.image
        if work is None or image is None:
            return
        if choice.axis != work.channels.axis:
            if work.annotations.object_count:
                raise ValueError(
                    "the channel axis cannot change while there are objects: their "
                    "planes would be others; save and delete them first"
                )
            self._replace_objects(image, Work(ImageAnnotations(), choice))
            return
        work.channels = choice
        self._look()

    @reported
    def choose_intensities(self, rule: IntensityRule) -> None:
        """Find black and white for the method in another way."""
        self._rule = rule
        self._look()

    @reported
    def choose_overlap(self, overlap: Overlap) -> None:
        """Who gets a pixel that two objects claim."""
        self._overlap = overlap
        if self.session is not None:
            self.session.overlap = overlap
        self._redraw()

    @reported
    def choose_method(self, name: str) -> None:
        """Outlines are polished afterwards if they were before."""
        method = self.controller.method
        name = polished_if(name, polish=is_polished(method.name))
        self.controller.use(replace(method, name=name))

    @reported
    def choose_polish(self, *, polish: bool) -> None:
        """Have a graph cut draw outlines to where the image has contrast, or not."""
        method = self.controller.method
        name = polished_if(method.name, polish=polish)
        self.controller.use(replace(method, name=name))

    @reported
    def choose_device(self, device: str) -> None:
        self.controller.use(replace(self.controller.method, device=device))

    @reported
    def be_live(self, *, is_live: bool) -> None:
        """Predict after every click, or only when told."""
        self.controller.is_live = is_live
        self.controller.refresh()

    @reported
    def compare(self, methods: Sequence[str]) -> None:
        """Count a robot's clicks with ``methods`` on all that was accepted."""
        work, image = self.work, self.layers.image
        if work is None or image is None:
            raise ValueError("there is no image to compare on; open one and choose it")
        device = self.controller.method.device

        def build(name: str) -> Segmenter:
            return self._engine.segmenter(Method(name, device))

        self.comparing.start(self._accepted(work, image), methods, build)

    @reported
    def load_own(self, own: OwnModel) -> None:
        """Make a model file a method, and choose it."""
        device = self.controller.method.device

        def use(_: object) -> None:
            self.choose_method(own.name)
            self._remember_own(own)
            self._tell.info(f"{own.name} answers your clicks now")

        self._tell.info(f"Loading {own.name} …")
        take = self._engine.take_own
        self._runner.start(lambda: take(own, device), use, self.complain)

    @reported
    def _remember_own(self, own: OwnModel) -> None:
        self._models.put(own)

    @reported
    def _know_own(self) -> None:
        """Model files of earlier sessions are methods again; what is gone is told."""
        self._engine.know_own(self._models.models())
        for own in self._models.newly_missed():
            self._tell.warning(
                f"{own.path} is not there any more: {own.name} is no method until the "
                "file is back, or is loaded from where it is now"
            )

    @property
    def own_methods(self) -> dict[str, OwnModel]:
        """Model files that are known, by the names of their methods."""
        return self._engine.own_methods

    @reported
    def choose_finder(self, name: str) -> None:
        """Find objects by another method when told to find all."""
        self.finder = name
        self._redraw()

    @reported
    def find_all(self) -> None:
        """Find every object of the shown plane, and accept it."""
        work, session, sight = self.work, self.session, self.controller.sight
        if work is None or session is None or sight is None:
            raise ValueError("there is no plane to search; open an image and choose it")
        method = Method(self.finder, self.controller.method.device)

        def take(found: Sequence[SegmentedObject]) -> str:
            return self._take_found(work, session, found)

        self.finding.start(Task(method, sight, take))

    def to_teach(self, labels: Any | None) -> Callable[[], Sequence[OwnPlane]]:
        """What reads the objects that a network can be taught from, on any thread.

        ``labels`` is a Labels layer that fits on the image; None: what was accepted.

        Raises
        ------
        ValueError
            If there is no image.
        """
        work, image = self.work, self.layers.image
        if work is None or image is None:
            raise ValueError("there is no image to learn from; open one and choose it")
        if labels is None:
            accepted = self._accepted(work, image)
            return lambda: accepted
        intensities = self._intensities(image)
        painted = LabelledStack(
            image, labels, self.layers.plane(), work.channels, intensities
        )
        return painted.planes

    def _take_found(
        self, work: Work, session: Session, found: Sequence[SegmentedObject]
    ) -> str:
        """Accept what was found on the plane of ``session``; says what came of it."""
        number = session.adopt_found(found, work.annotations.next_label)
        self.controller.refresh()
        if not found:
            return "No object was found; try another method, or click."
        if not number:
            return "Nothing new was found: all of it is accepted already."
        (method,) = {one.method for one in found}
        said = f"{number} objects found" if number > 1 else "1 object found"
        if method not in ENTRIES:
            return f"{said}. Click on one to correct it."
        self.choose_method(method)
        return f"{said}. Click on one to correct it, by {ENTRIES[method].title}."

    def _accepted(self, work: Work, image: Any) -> list[OwnPlane]:
        """The planes of ``image`` on which there are accepted objects."""
        return [
            OwnPlane(
                " ".join([image.name, *map(str, one.plane.hidden)]),
                self._sight(work, image, one.plane).image,  # type: ignore[arg-type]  # as in engine
                tuple(one.session.objects.values()),
            )
            for one in work.annotations
            if one.session.objects
        ]

    # What commands do

    def take_polarity(self, *, is_positive: bool) -> None:
        self.layers.take_polarity(is_positive=is_positive)
        self._redraw()

    def swap_polarity(self) -> None:
        self.take_polarity(is_positive=not self.layers.is_positive)

    def hide_preview(self, *, is_hidden: bool) -> None:
        self.layers.hide_preview(is_hidden=is_hidden)

    def undo_by_hand(self) -> bool:
        return self.layers.undo_by_hand()

    def step_object(self, step: int) -> None:
        """Reopen the object before or after the one in progress, and go there."""
        session = self.session
        if session is None or not session.objects:
            return
        labels = sorted({*session.objects, session.label})
        at = labels.index(session.label)
        if session.is_blank:
            labels.pop(at)
            at -= step > 0
        self.reopen(labels[(at + step) % len(labels)])

    def reopen(self, label: int) -> None:
        """Work on an accepted object again; the one in progress is accepted first."""
        session = self.session
        if session is None or (label == session.label and not session.is_blank):
            return
        if not session.is_blank and not self.controller.do(self._put_away):
            return
        wanted = session.objects.get(label)
        if self.controller.do(lambda s: s.reopen(label)):
            self._reopened = wanted
            self.look_at_object()

    def _put_away(self, session: Session) -> None:
        """Accept the object in progress; one that was only looked at as it was."""
        one = self._reopened
        if one is None or (one.label, one.clicks, one.hypothesis) != (
            session.label,
            session.clicks,
            session.hypothesis,
        ):
            session.accept()
            return
        session.clear()
        session.adopt([one])

    @reported
    def look_at_object(self) -> None:
        """Move the camera to the object in progress."""
        session, plane = self.session, self._plane
        found = None if session is None else session.mask
        if found is not None and plane is not None:
            self.layers.look_at(found[0], plane)

    def click(self, click: Click) -> None:
        """One click on the object in progress; gives a new object a free label.

        If none is in progress, a click on an object that a method found corrects that.
        """
        work, session = self.work, self.session
        if work is not None and session is not None:
            work.annotations.number_next(session)
        label = self._found_at(click)
        if label is None:
            self.controller.do(lambda s: s.click(click))
        else:
            self.controller.do(lambda s: s.correct(label, click))

    def _found_at(self, click: Click) -> int | None:
        """The label of what a click corrects: an object that began without clicks."""
        session = self.session
        if session is None or not session.is_blank:
            return None
        one = session.object_at(click.row, click.column)
        is_found = one is not None and (one.prior is not None or not len(one.clicks))
        return one.label if one is not None and is_found else None

    def adopt_session(self, session: Session) -> None:
        """Go on with a session of this plane that was saved.

        Raises
        ------
        ValueError
            If its size is another one or there is work on this plane already.
        """
        current, annotated = self.session, self._annotated
        if current is None or annotated is None or self.controller.sight is None:
            raise ValueError("there is no image to continue on; open it first")
        if session.grid != current.grid:
            raise ValueError(
                f"these clicks are of a plane of {session.grid[0]} x "
                f"{session.grid[1]} pixels, this one has {current.grid[0]} x "
                f"{current.grid[1]}; open their image"
            )
        if current.objects or not current.is_blank:
            raise ValueError(
                "there are clicks or objects on this plane already; choose a new "
                "objects layer or another plane first"
            )
        annotated.session = session
        self.controller.open(session, self.controller.sight)

    # What is shown

    def show(self) -> None:
        """Draw layers and controls as the session is."""
        if self._is_shut:
            return
        try:
            if self._annotated is not None and self._plane is not None:
                self.layers.show(
                    self._annotated,
                    self._plane,
                    overwrite=self._overlap is Overlap.OVERWRITE,
                )
        except Exception as problem:  # noqa: BLE001 - nothing may escape into Qt
            self.complain(problem)
        self._redraw()

    def complain(self, problem: Exception) -> None:
        """One sentence for the user; the whole story for the log."""
        message = str(problem) or type(problem).__name__
        message = message[0].upper() + message[1:]
        if isinstance(problem, ValueError):
            logger.info("refused: %s", message)
            self._tell.warning(message)
        else:
            logger.error("failed", exc_info=problem)
            self._tell.error(f"{type(problem).__name__}: {message}")

    def shut_down(self) -> None:
        """The dock is closed: give the viewer back, keep the work."""
        if not self._is_shut:
            self._is_shut = True
            self.controller.give_up()
            self.layers.shut_down()

    # Within

    def _edits(self) -> Edits:
        return Edits(
            added=self._added,
            removed=self._removed,
            moved=self._moved,
            lost=self._lost,
            replaced=self._replaced,
            plane_changed=self._plane_changed,
            polarity_changed=self._polarity_changed,
            list_changed=self._list_changed,
        )

    @reported
    def _added(self, click: Click) -> None:
        self.click(click)

    @reported
    def _removed(self, click: Click) -> None:
        self.controller.do(lambda s: s.remove(click))

    @reported
    def _moved(self, old: Click, new: Click) -> None:
        self.controller.do(lambda s: s.replace(old, new))

    @reported
    def _plane_changed(self) -> None:
        if not self._is_opening and self.layers.image is not None:
            self._look()

    def _polarity_changed(self) -> None:
        if not self._is_shut:
            self._redraw()

    def _list_changed(self) -> None:
        if self._is_shut or self._is_opening:
            return
        self._redraw()
        self._later(self._open_first_image)

    @reported
    def _open_first_image(self) -> None:
        images = self.layers.images
        is_new = len(images) > self._images_seen
        self._images_seen = len(images)
        if is_new and self.layers.image is None and not self._is_shut:
            self.open_image(self.layers.active_image)

    def _lost(self) -> None:
        if not self._is_opening:
            # napari is in the middle of removing: layers cannot be added now
            self._later(self._heal)

    @reported
    def _heal(self) -> None:
        if self._is_shut or self.layers.image is None:
            return
        if not self.layers.is_image_there:
            self._leave_image()
            self._tell.info("The image was removed; its labels stay where they are")
            return
        self.controller.refresh()
        self._tell.info(
            "A layer of the plugin was deleted and is back; close the plugin's dock to "
            "be rid of it, delete objects in its table"
        )

    def _replaced(self) -> None:
        self._later(self._start_afresh)

    @reported
    def _start_afresh(self) -> None:
        image = self.layers.image
        if image is None or self._is_shut:
            return
        self.layers.set_aside_objects()
        self._open(image, _new_work(image))
        self._tell.info(
            "The image has other data now: its annotation starts afresh, the labels "
            "made before are in their own layer"
        )

    def _open(self, image: Any, work: Work) -> None:
        self._is_opening = True
        try:
            self.layers.open(image, work.channels.axis, work.objects)
        finally:
            self._is_opening = False
        work.objects = self.layers.objects
        _WORK[image] = work
        self._images_seen = len(self.layers.images)
        self._look()

    def _replace_objects(self, image: Any, work: Work) -> None:
        self._is_opening = True
        try:
            self.layers.remove_empty_objects()
        finally:
            self._is_opening = False
        self._open(image, work)

    def _leave_image(self) -> None:
        self._is_opening = True
        try:
            self.layers.close()
        finally:
            self._is_opening = False
        self._annotated = self._plane = self._problem = None
        self.controller.close()

    def _look(self) -> None:
        """Open the session of the plane that the viewer shows."""
        work, image = self.work, self.layers.image
        if work is None or image is None:
            return
        try:
            plane = self.layers.plane()
            sight = self._sight(work, image, plane)
        except ValueError as problem:
            self._no_plane(problem)
            return
        self._problem = None
        key = plane.without(work.channels.axis)
        grid = plane_image(image, plane, work.channels).grid
        self._plane = plane
        self._annotated = work.annotations.on(key, grid, self._overlap)
        self._annotated.session.overlap = self._overlap
        self.controller.open(self._annotated.session, sight)

    def _no_plane(self, problem: ValueError) -> None:
        self._annotated = self._plane = None
        self._problem = str(problem)
        self.layers.show_nothing()
        self.controller.close()

    def _sight(self, work: Work, image: Any, plane: PlaneIndex) -> Sight:
        """The same eyes for the same view: what they found out is kept."""
        intensities = self._intensities(image)
        key = plane.without(work.channels.axis), work.channels, intensities
        if key not in work.sights:
            work.sights[key] = Sight(
                plane_image(image, plane, work.channels),
                full_resolution(image),
                intensities,
            )
        return work.sights[key]

    def _intensities(self, image: Any) -> IntensityChoice:
        intensities = IntensityChoice(self._rule)
        if self._rule is not IntensityRule.CONTRAST:
            return intensities
        low, high = image.contrast_limits
        return replace(intensities, limits=(float(low), float(high)))


def _new_work(image: Any) -> Work:
    axis = guessed_channel_axis(image)
    if axis is not None and axis >= image.ndim - 2:
        axis = None
    # a method sees three channels at most; the user may choose others
    few = None if channel_count(image, axis) <= 3 else (0, 1, 2)
    return Work(ImageAnnotations(), ChannelChoice(axis, few))


def _highest_label(layer: Any) -> int:
    return int(max(0, layer.data.max()))
