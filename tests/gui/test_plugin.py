"""What napari finds in the manifest, and that it works."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import yaml
from npe2 import PluginManifest

import napari_iseg
from napari_iseg import Click, Patch, Session
from napari_iseg.click_log import ClickLog, write_log
from napari_iseg.gui import sample_data
from napari_iseg.gui.intensity_choice import (
    IntensityChoice,
    IntensityRule,
)
from napari_iseg.gui.log_reader import log_reader
from napari_iseg.gui.preferences import Preferences, read_preferences
from napari_iseg.intensities import DtypeRange, GivenLimits, Percentiles, Unscaled

MANIFEST = Path(napari_iseg.__file__).with_name("napari.yaml")
BUNDLED = ("stained_tissue", "label_free_cell", "coins", "retina", "microaneurysms")


def manifest() -> dict:
    return yaml.safe_load(MANIFEST.read_text())


def test_the_manifest_is_valid_and_everything_in_it_exists():
    found = PluginManifest.from_file(MANIFEST)

    assert found.name == "napari-iseg"
    for command in found.contributions.commands:
        module, _, name = command.python_name.partition(":")
        assert callable(getattr(import_module(module), name))


def test_the_plugin_is_in_the_menus_segment_and_annotate():
    menus = manifest()["contributions"]["menus"]

    for menu in ("napari/layers/segment", "napari/layers/annotate"):
        assert menus[menu] == [{"command": "napari-iseg.segment_image"}]


def test_defaults_of_the_manifest_are_those_of_the_code():
    settings = manifest()["contributions"]["configurations"]["annotation"]
    default = {name: one["default"] for name, one in settings["properties"].items()}
    code = Preferences()

    assert default == {
        "device": code.device,
        "live": code.live,
        "point_size": code.point_size,
        "intensities": code.intensities.value,
        "overlap": code.overlap.value,
    }


def test_choices_of_the_manifest_are_those_of_the_code():
    settings = manifest()["contributions"]["configurations"]["annotation"]
    choices = settings["properties"]["intensities"]["enum"]

    assert choices == [rule.value for rule in IntensityRule]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_preferences_are_those_that_the_user_set(plugin_settings, npe2pm):
    from napari.settings import get_plugin_settings

    npe2pm.register(PluginManifest.from_file(MANIFEST))
    get_plugin_settings("napari-iseg").annotation.live = False
    get_plugin_settings("napari-iseg").annotation.intensities = "dtype range"

    found = read_preferences()

    assert found == Preferences(live=False, intensities=IntensityRule.DTYPE)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_without_preferences_there_are_defaults(plugin_settings):
    assert read_preferences() == Preferences()


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_samples_open_without_a_network(name):
    ((image, look, kind),) = getattr(sample_data, name)()

    assert kind == "image"
    assert look["name"]
    assert min(image.shape[:2]) >= 100


def test_drawn_samples_are_stacks_with_named_axes_and_always_the_same():
    for draw, axis in ((sample_data.drawn_stack, "z"), (sample_data.drawn_series, "t")):
        ((image, look, _),) = draw()

        assert image.ndim == 3
        assert image.dtype == np.uint16
        assert look["axis_labels"][0] == axis
        assert np.array_equal(image, draw()[0][0])


def test_a_download_without_a_network_says_so_in_one_sentence(monkeypatch):
    def offline():
        raise ConnectionError("HTTPSConnectionPool(host='gitlab.com'): Max retries")

    monkeypatch.setattr("skimage.data.cells3d", offline)

    with pytest.raises(ConnectionError, match=r"downloaded once.*need no download"):
        sample_data.cells_in_3d()


def test_downloaded_cells_are_two_layers(monkeypatch):
    stack = np.zeros((60, 2, 256, 256), np.uint16)
    monkeypatch.setattr("skimage.data.cells3d", lambda: stack)

    layers = sample_data.cells_in_3d()

    assert [look["name"] for _, look, _ in layers] == ["membranes", "nuclei"]
    assert {data.shape for data, _, _ in layers} == {(60, 256, 256)}


def saved_log(folder: Path) -> Path:
    session = Session((20, 30))
    session.click(Click(5, 6))
    session.click(Click(15, 16, is_positive=False))
    patch = Patch(np.ones((4, 4), np.float32), (3, 4))
    session.deliver(session.wanted, [(patch, 1.0)])
    session.accept()
    write_log(folder / "cells.iseg.json", ClickLog.of(session))
    return folder / "cells.iseg.json"


def test_a_saved_log_opens_as_labels_and_points(tmp_path):
    path = str(saved_log(tmp_path))

    read = log_reader(path)
    labels, positive, negative = read(path)

    assert labels[2] == "labels"
    assert (labels[0] == 1).sum() == 16
    assert positive[0].tolist() == [[5, 6]]
    assert negative[0].tolist() == [[15, 16]]
    assert negative[1]["name"] == "cells negative"


def test_other_files_are_left_to_other_readers():
    assert log_reader("cells.json") is None
    assert log_reader(["a.iseg.json", "b.tif"]) is None


def test_a_file_that_is_no_log_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "other.iseg.json"
    path.write_text("{}")

    with pytest.raises(ValueError, match="is not a click log"):
        log_reader(str(path))(str(path))


PLANE = np.linspace(0, 100, 10_000).reshape(100, 100)


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        (IntensityRule.WINDOW, Percentiles()),
        (IntensityRule.CONTRAST, GivenLimits(3, 7)),
        (IntensityRule.DTYPE, DtypeRange()),
        (IntensityRule.NONE, Unscaled()),
    ],
)
def test_rules_that_read_nothing(rule, wanted):
    nothing = object()

    assert IntensityChoice(rule, (3, 7)).resolved(nothing, nothing) == wanted


def test_plane_and_volume_have_their_own_percentiles():
    volume = np.stack([PLANE, 10 * PLANE])

    plane = IntensityChoice(IntensityRule.PLANE).resolved(PLANE, volume)
    whole = IntensityChoice(IntensityRule.VOLUME).resolved(PLANE, volume)

    assert plane.high < 101
    assert whole.high > 900


def test_a_constant_plane_has_no_limits_of_its_own():
    constant = np.ones((10, 10))

    found = IntensityChoice(IntensityRule.PLANE).resolved(constant, constant)

    assert found == Percentiles()
