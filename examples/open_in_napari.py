"""A napari window with the dock widget open on an image; then it is yours."""

from __future__ import annotations

import napari
from skimage import data

viewer = napari.Viewer()
viewer.add_image(data.cell(), name="cell")
viewer.window.add_plugin_dock_widget("napari-iseg")
napari.run()
