"""The user's defaults: napari's preferences page where there is one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from napari_iseg.gui.intensity_choice import IntensityRule
from napari_iseg.gui.model_shelf import ModelShelf
from napari_iseg.session import Overlap

PLUGIN = "napari-iseg"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a new dock starts with; the defaults are also those of the manifest.

    ``models`` is no setting to compare: where loaded model files are remembered.
    """

    device: str = "auto"
    live: bool = True
    point_size: float = 12.0
    intensities: IntensityRule = IntensityRule.WINDOW
    overlap: Overlap = Overlap.KEEP
    models: ModelShelf = field(default_factory=ModelShelf, compare=False)


def read_preferences() -> Preferences:
    """What the user set in napari's preferences, and the model files of the user."""
    return replace(_settings(), models=ModelShelf.of_user())


def _settings() -> Preferences:
    """What the user set.

    The defaults where napari has no page for plugins (before 0.9) or does not know
    this plugin (it is run from a source tree that is not installed).
    """
    try:
        from napari.settings import get_plugin_settings
    except ImportError:
        return Preferences()
    try:
        settings = get_plugin_settings(PLUGIN)
    except KeyError:
        return Preferences()
    chosen = settings.annotation
    return Preferences(
        device=str(chosen.device),
        live=bool(chosen.live),
        point_size=float(chosen.point_size),
        intensities=IntensityRule(chosen.intensities),
        overlap=Overlap(chosen.overlap),
    )
