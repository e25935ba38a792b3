"""A cell from frame to frame in CVAT; everything is in the installed package."""

from napari_iseg.cvat.tracking import handler, init_context

__all__ = ["handler", "init_context"]
