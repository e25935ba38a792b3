"""What napari's menus call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import napari

TITLE = "Interactive segmentation"


def segment_image(viewer: napari.Viewer) -> None:
    """Open the dock, on the active image layer if there is one."""
    active = viewer.layers.selection.active  # the dock chooses its own layer
    _, widget = viewer.window.add_plugin_dock_widget("napari-iseg", TITLE)
    desk = widget.desk
    for image in desk.layers.images:
        if image == active and image != desk.layers.image:
            desk.open_image(image)
