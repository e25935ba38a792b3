"""The plugin's layers in one viewer: the only file that touches ``viewer.layers``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer, Points
from napari.utils.colormaps.standardize_color import transform_color

from napari_iseg.arrays import Box, Mask
from napari_iseg.arrays import Labels as LabelArray
from napari_iseg.clicks import Click, Clicks
from napari_iseg.gui import own_layers
from napari_iseg.gui.geometry import pixel_at, placement_of, put_on, world_of
from napari_iseg.gui.image_annotations import AnnotatedPlane
from napari_iseg.gui.keys import LEFT_TO_LABELS, bind, unbind
from napari_iseg.gui.planes import PlaneIndex, layer_shape, shown_plane

RIGHT, MIDDLE = 2, 3  # napari's numbers of mouse buttons
PLACES = ("scale", "rotate", "shear", "translate", "affine")
MANY = 100_000  # pixels from which on writing them one by one lets the window wait
ROLES = ("objects", "preview", "negative", "positive")  # from the bottom up


@dataclass(frozen=True, slots=True)
class Edits:
    """What to call when the user edits the plugin's layers."""

    added: Callable[[Click], None]
    removed: Callable[[Click], None]
    moved: Callable[[Click, Click], None]
    lost: Callable[[], None]  # a layer was removed; called while napari removes it
    replaced: Callable[[], None]  # the image layer shows other data
    plane_changed: Callable[[], None]
    polarity_changed: Callable[[], None]
    list_changed: Callable[[], None]  # layers came, went or were renamed


@dataclass(slots=True, eq=False)
class _Opened:
    """An image with the layers that were made for it; layers, never their names."""

    image: Image
    channel_axis: int | None
    own: dict[str, Any] = field(default_factory=dict)


class LayersView:
    """Draws an annotated plane in a viewer and tells what the user edits there.

    Drawing twice looks like drawing once.
    """

    def __init__(
        self,
        viewer: Any,
        edits: Edits,
        keys: dict[str, Callable[[Any], Any]],
        point_size: float = 12,
    ) -> None:
        self._viewer = viewer
        self._edits = edits
        self._keys = keys
        self._point_size = point_size
        self._opened: _Opened | None = None
        self._button = 1
        self._is_drawing = False
        self._is_hidden = False
        self._preview_about: tuple[Any, ...] = ()  # session, label and plane
        self._strokes = 0  # painted by hand since the plugin wrote last
        self._drawn: dict[bool, tuple[Click, ...]] = {True: (), False: ()}
        self._connections: list[tuple[Any, Callable[..., Any]]] = []
        bind(viewer, keys)
        self._listen()

    # What there is

    @property
    def images(self) -> list[Any]:
        """The layers that can be segmented."""
        return [one for one in self._viewer.layers if isinstance(one, Image)]

    def label_layers(self, image: Layer, channel_axis: int | None) -> list[Any]:
        """The Labels layers that fit on ``image``."""
        shape = objects_shape(image, channel_axis)
        preview = self._own("preview")
        return [
            one
            for one in self._viewer.layers
            if isinstance(one, Labels)
            and not one.multiscale
            and one != preview
            and tuple(one.data.shape) == shape
        ]

    @property
    def active_image(self) -> Any | None:
        """The image layer the user means: the active one, else the topmost."""
        active = self._viewer.layers.selection.active
        # napari hands plugins a proxy of the active layer: find the layer itself
        chosen = [one for one in self.images if one == active]
        return (chosen or self.images or [None])[-1]

    @property
    def image(self) -> Any | None:
        return None if self._opened is None else self._opened.image

    @property
    def objects(self) -> Any | None:
        """The Labels layer that holds the accepted objects."""
        return self._own("objects")

    def points(self, *, is_positive: bool) -> Any:
        """The Points layer of one polarity; adding to it is clicking."""
        return self._own("positive" if is_positive else "negative")

    @property
    def is_image_there(self) -> bool:
        return self.image is not None and self.image in self._viewer.layers

    @property
    def is_positive(self) -> bool:
        """The polarity of a left click."""
        return bool(self._viewer.layers.selection.active != self._own("negative"))

    def plane(self) -> PlaneIndex:
        """The plane of the image that is shown; ValueError if none can be."""
        assert self._opened is not None
        return shown_plane(self._viewer, self._opened.image)

    # What is drawn

    def open(
        self, image: Image, channel_axis: int | None, objects: Labels | None
    ) -> None:
        """Work on ``image``; ``objects`` None makes a new label image for it.

        Raises
        ------
        ValueError
            If ``objects`` cannot be written or a new one does not fit into memory.
        """
        if objects is None:
            shape = objects_shape(image, channel_axis)
            objects = own_layers.objects_layer(shape)
        _check_writable(objects)
        self.close()
        opened = self._opened = _Opened(image, channel_axis)
        for is_positive in (True, False):
            layer = own_layers.click_layer(
                image.ndim, is_positive=is_positive, size=self._point_size
            )
            layer.mouse_drag_callbacks.append(self._remember_button)
            self._connect(layer.events.data, self._points_edited)
            bind(layer, self._keys)
            opened.own["positive" if is_positive else "negative"] = layer
        opened.own["preview"] = own_layers.preview_layer(image.ndim)
        opened.own["objects"] = objects
        bind(objects, self._keys, LEFT_TO_LABELS)
        self._connect(objects.events.paint, self._painted_by_hand)
        self._connect(image.events.data, self._image_replaced)
        for moved in (*PLACES, "contrast_limits"):
            self._connect(getattr(image.events, moved), self._edits.plane_changed)
        self._drawn = {True: (), False: ()}
        self._preview_about = ()
        self._strokes = 0
        self._restore_layers()
        self.take_polarity(is_positive=True)

    def close(self) -> None:
        """Let go of the image; its label image stays in the viewer."""
        opened, self._opened = self._opened, None
        if opened is None:
            return
        self._disconnect()
        self._listen()
        for role, layer in opened.own.items():
            own_layers.guard(layer, is_locked=False)
            unbind(layer, self._keys)
            if role != "objects" and layer in self._viewer.layers:
                self._viewer.layers.remove(layer)

    def shut_down(self) -> None:
        """Leave the viewer as if the plugin had never listened."""
        self.close()
        self._disconnect()
        unbind(self._viewer, self._keys)

    def set_aside_objects(self) -> None:
        """Rename the label image: it belongs to data that are gone."""
        if self.objects is not None:
            self.objects.name = f"{own_layers.OBJECTS} (before)"

    def remove_empty_objects(self) -> None:
        """Remove the label image if nothing is in it: another one takes its place."""
        layer = self.objects
        if layer is not None and not np.asarray(layer.data).any():
            self.close()
            self._viewer.layers.remove(layer)

    def show(
        self, annotated: AnnotatedPlane, plane: PlaneIndex, *, overwrite: bool
    ) -> None:
        """Draw clicks, the object in progress and the accepted ones."""
        session = annotated.session
        self._restore_layers()
        self._show_clicks(session.clicks, session.unsatisfied, plane)
        about = (session, session.label, plane)
        if session.wanted is not None and about == self._preview_about:
            # the answer to fewer clicks, paler: it is not what is asked for now
            self._fade(own_layers.STALE)
        else:
            self._show_preview(session.mask, plane)
            self._fade(own_layers.FRESH)
            self._preview_about = about
        self._show_objects(annotated, overwrite=overwrite)

    def show_nothing(self) -> None:
        """Hide clicks and preview: the viewer shows no plane of the image."""
        if self._opened is None:
            return
        plane = PlaneIndex((*(0,) * (self._opened.image.ndim - 2), None, None))
        self._preview_about = ()
        self._show_clicks(Clicks(), (), plane)
        self._show_preview(None, plane)

    def hide_preview(self, *, is_hidden: bool) -> None:
        """See the image below the preview."""
        self._is_hidden = is_hidden
        preview = self._own("preview")
        if preview is not None:
            preview.visible = not is_hidden

    def take_polarity(self, *, is_positive: bool) -> None:
        """Left clicks are positive (or negative) from now on."""
        layer = self.points(is_positive=is_positive)
        if layer is None or layer not in self._viewer.layers:
            return
        layer.mode = "add"
        self._viewer.layers.selection.active = layer

    def look_at(self, box: Box, plane: PlaneIndex) -> None:
        """Move the camera to the middle of a box, if it is not in view."""
        assert self._opened is not None
        middle = (box.top + box.bottom - 1) / 2, (box.left + box.right - 1) / 2
        world = world_of(self._opened.image, middle, plane)
        missing = self._viewer.dims.ndim - len(world)
        shown = [world[axis - missing] for axis in self._viewer.dims.displayed]
        # napari 0.9 moved the camera into the scene
        getattr(self._viewer, "scene", self._viewer).camera.center = (0.0, *shown)

    def undo_by_hand(self) -> bool:
        """Undo the newest stroke in the label image if it is newer than our writing."""
        objects = self.objects
        if objects is None or self._strokes == 0:
            return False
        if self._viewer.layers.selection.active != objects:
            return False
        self._strokes -= 1
        objects.undo()
        return True

    # Drawing

    def _show_clicks(
        self, clicks: Clicks, unsatisfied: tuple[Click, ...], plane: PlaneIndex
    ) -> None:
        for is_positive in (True, False):
            shown = clicks.positive if is_positive else clicks.negative
            layer = self.points(is_positive=is_positive)
            data = np.array([plane.position_of((c.row, c.column)) for c in shown])
            data = data.reshape(len(shown), layer.ndim)
            with self._drawing():
                if not np.array_equal(data, layer.data):
                    layer.data = data
                    layer.selected_data = set()
                _mark(layer, [click in unsatisfied for click in shown])
            self._drawn[is_positive] = shown

    def _show_preview(self, found: tuple[Box, Mask] | None, plane: PlaneIndex) -> None:
        preview = self._own("preview")
        assert self._opened is not None
        box, mask = found or (Box(0, 0, 1, 1), np.zeros((1, 1), np.bool_))
        pixels = np.ascontiguousarray(mask.T if plane.is_transposed else mask)
        shape = [1] * preview.ndim
        shape[min(plane.axes)], shape[max(plane.axes)] = pixels.shape
        data = pixels.astype(np.uint8).reshape(shape)
        if not np.array_equal(data, preview.data):
            preview.data = data
        flat = plane.without(self._opened.channel_axis)
        corner = flat.position_of((box.top, box.left))
        put_on(preview, placement_of(self._opened.image, corner, self._thick()))

    def _fade(self, opacity: float) -> None:
        preview = self._own("preview")
        if preview.opacity in (own_layers.STALE, own_layers.FRESH):  # else the user's
            preview.opacity = opacity

    def _show_objects(self, annotated: AnnotatedPlane, *, overwrite: bool) -> None:
        layer = self.objects
        assert layer is not None
        plane = annotated.plane

        def read(box: Box) -> Any:
            window = np.asarray(layer.data[plane.key(*box.slices)])
            return window.T if plane.is_transposed else window

        def write(box: Box, changed: Mask, values: LabelArray) -> None:
            if np.count_nonzero(changed) > MANY:
                write_many(box, changed, values)
                return
            rows, columns = np.nonzero(changed)
            key = plane.key(rows + box.top, columns + box.left)
            indices = tuple(np.broadcast_to(i, rows.shape) for i in key)
            with self._drawing():
                layer.data_setitem(indices, values[changed].astype(layer.data.dtype))

        def write_many(box: Box, changed: Mask, values: LabelArray) -> None:
            window = np.where(changed, values, read(box)).astype(layer.data.dtype)
            key = plane.key(*box.slices)
            with self._drawing():
                layer.data[key] = window.T if plane.is_transposed else window
                layer.refresh()

        objects = annotated.session.objects
        if annotated.painted.show(objects, read, write, overwrite=overwrite):
            self._strokes = 0

    def _restore_layers(self) -> None:
        """Put back what is missing and put everything where the image is."""
        assert self._opened is not None
        opened = self._opened
        active = self._viewer.layers.selection.active
        was_missing = False
        for role in ROLES:
            layer = opened.own[role]
            if layer not in self._viewer.layers:
                with self._drawing():
                    self._viewer.add_layer(layer)
                _take_units(layer, opened.image)
                own_layers.guard(layer)
                was_missing = True
            if role != "preview":
                thick = self._thick() if role == "objects" else None
                put_on(layer, placement_of(opened.image, None, thick))
        if was_missing and active is not None and active in self._viewer.layers:
            self._viewer.layers.selection.active = active

    def _thick(self) -> tuple[int, int] | None:
        assert self._opened is not None
        axis = self._opened.channel_axis
        return None if axis is None else (axis, layer_shape(self._opened.image)[axis])

    # Listening

    def _listen(self) -> None:
        layers, dims = self._viewer.layers, self._viewer.dims
        self._connect(layers.events.removed, self._layer_removed)
        self._connect(layers.events.inserted, self._layer_inserted)
        self._connect(layers.events.reordered, self._edits.list_changed)
        self._connect(layers.selection.events.active, self._edits.polarity_changed)
        for changed in (dims.events.point, dims.events.order, dims.events.ndisplay):
            self._connect(changed, self._edits.plane_changed)
        for layer in layers:
            self._connect(layer.events.name, self._edits.list_changed)

    def _connect(self, event: Any, callback: Callable[..., Any]) -> None:
        event.connect(callback)  # napari calls it with the event if it takes one
        self._connections.append((event, callback))

    def _disconnect(self) -> None:
        for event, callback in self._connections:
            event.disconnect(callback)
        self._connections.clear()

    def _layer_inserted(self, event: Any) -> None:
        self._connect(event.value.events.name, self._edits.list_changed)
        self._edits.list_changed()

    def _layer_removed(self, event: Any) -> None:
        opened = self._opened
        self._edits.list_changed()
        if opened is not None and event.value in (opened.image, *opened.own.values()):
            self._edits.lost()

    def _image_replaced(self, _: Any) -> None:
        self._edits.replaced()

    def _painted_by_hand(self, _: Any) -> None:
        if not self._is_drawing:
            self._strokes += 1

    def _remember_button(self, _: Any, event: Any) -> None:
        self._button = event.button

    def _points_edited(self, event: Any) -> None:
        if self._is_drawing or self._opened is None:
            return
        layer = event.source
        is_positive = layer == self._own("positive")
        action = str(getattr(event.action, "value", event.action))
        if action == "added":
            self._points_added(layer, is_positive=is_positive)
        elif action == "removed":
            self._points_removed(event.data_indices, is_positive=is_positive)
        elif action == "changed":
            self._points_moved(layer, is_positive=is_positive)

    def _points_added(self, layer: Points, *, is_positive: bool) -> None:
        button, self._button = self._button, 1
        new = layer.data[len(self._drawn[is_positive]) :]
        if button == MIDDLE:
            self._edits.plane_changed()  # draw again, without the new point
            return
        for position in new:
            row, column = self._pixel(layer, position)
            self._edits.added(Click(row, column, is_positive != (button == RIGHT)))

    def _points_removed(self, indices: Any, *, is_positive: bool) -> None:
        drawn = self._drawn[is_positive]
        for index in {int(i) % len(drawn) for i in indices} if drawn else ():
            self._edits.removed(drawn[index])

    def _points_moved(self, layer: Points, *, is_positive: bool) -> None:
        drawn = self._drawn[is_positive]
        for old, position in zip(drawn, np.array(layer.data), strict=False):
            row, column = self._pixel(layer, position)
            if (row, column) != (old.row, old.column):
                self._edits.moved(old, Click(row, column, is_positive))

    def _pixel(self, layer: Points, position: Any) -> tuple[int, int]:
        assert self._opened is not None
        world = layer.data_to_world(position)
        return pixel_at(self._opened.image, world, self.plane())

    def _own(self, role: str) -> Any:
        return None if self._opened is None else self._opened.own.get(role)

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        before, self._is_drawing = self._is_drawing, True
        try:
            yield
        finally:
            self._is_drawing = before


def objects_shape(image: Layer, channel_axis: int | None) -> tuple[int, ...]:
    """The shape of a label image for ``image``: a mask is the same in all channels."""
    shape = list(layer_shape(image))
    if channel_axis is not None:
        shape[channel_axis] = 1
    return tuple(shape)


def _check_writable(objects: Labels) -> None:
    if (
        not hasattr(objects.data, "__setitem__")
        or "dask" in type(objects.data).__module__
    ):
        raise ValueError(
            f"the labels of {objects.name!r} are computed (dask) and cannot be "
            "written; choose a new objects layer"
        )


def _take_units(layer: Layer, image: Layer) -> None:
    for name in ("units", "axis_labels"):
        if hasattr(image, name):
            setattr(layer, name, getattr(image, name))


def _mark(layer: Points, is_unsatisfied: list[bool]) -> None:
    """Ring the clicks that the answer does not honour."""
    if not is_unsatisfied:
        return
    colors = [own_layers.YELLOW if one else "white" for one in is_unsatisfied]
    wanted = transform_color(colors)
    if not np.allclose(wanted, layer.border_color):
        layer.border_color = colors
