"""Every cell of an image in CVAT by a U-Net; everything is in the installed package."""

from napari_iseg.cvat.detection import handler, init_context

__all__ = ["handler", "init_context"]
