"""Latent Diversity by clicks in CVAT; everything is in the installed package."""

from napari_iseg.cvat.interaction import handler, init_context

__all__ = ["handler", "init_context"]
