"""Labels and clicks as files, and back."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_iseg.click_log import read_log
from napari_iseg.gui.planes import ChannelChoice
from napari_iseg.gui.saving import open_clicks, save_clicks, save_labels
from tests.gui.conftest import Bench, squares


def test_labels_are_saved_as_a_tiff(bench, tmp_path):
    bench.click(15, 15)
    bench.accept()

    path = save_labels(tmp_path / "mine", bench.objects)

    assert path.name == "mine.tif"
    assert np.array_equal(tifffile.imread(path), bench.objects.data)


def test_labels_of_a_stack_are_saved_whole_without_the_channel_axis(tmp_path):
    bench = Bench(squares(3, 2, 60, 70))
    bench.desk.choose_channels(ChannelChoice(1))
    bench.viewer.dims.point = (2, 0, 0, 0)
    bench.click(2, 0, 15, 15)
    bench.accept()

    path = save_labels(tmp_path / "stack.tif", bench.objects)

    saved = tifffile.imread(path)
    assert saved.shape == (3, 60, 70)
    assert (saved[2] == 1).sum() == 100


def test_clicks_are_saved_and_gone_on_with(bench, tmp_path):
    bench.click(15, 15)
    bench.accept()
    bench.click(40, 40)
    (path,) = save_clicks(tmp_path / "cells.iseg.json", bench.desk.work, "cells")

    again = Bench(squares(60, 70))
    open_clicks(path, again.desk)
    again.settle()

    assert (again.objects.data == 1).sum() == 100
    assert [tuple(p) for p in again.positive.data] == [(40, 40)]
    assert read_log(path).image == "cells"


def test_each_plane_has_its_own_file(tmp_path):
    bench = Bench(squares(3, 60, 70))
    for z in (0, 2):
        bench.viewer.dims.point = (z, 0, 0)
        bench.click(z, 15, 15)

    paths = save_clicks(tmp_path / "cells.iseg.json", bench.desk.work, "cells")

    assert [path.name for path in paths] == ["cells-0.iseg.json", "cells-2.iseg.json"]
    assert read_log(paths[1]).plane == (2,)


def test_no_clicks_are_not_saved(bench, tmp_path):
    with pytest.raises(ValueError, match="no clicks to save yet"):
        save_clicks(tmp_path / "cells.iseg.json", bench.desk.work, "cells")


def test_clicks_of_another_image_are_refused(bench, tmp_path):
    bench.click(15, 15)
    (path,) = save_clicks(tmp_path / "cells.iseg.json", bench.desk.work, "cells")

    with pytest.raises(ValueError, match="of a plane of 60 x 70 pixels, this one has"):
        open_clicks(path, Bench(squares(80, 90)).desk)


def test_clicks_are_not_opened_over_other_work(bench, tmp_path):
    bench.click(15, 15)
    (path,) = save_clicks(tmp_path / "cells.iseg.json", bench.desk.work, "cells")

    with pytest.raises(ValueError, match="there are clicks or objects on this plane"):
        open_clicks(path, bench.desk)
