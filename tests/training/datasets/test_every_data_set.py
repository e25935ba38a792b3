"""Each data set of the table is read from the folder that its site hands out."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from tests.training.datasets.miniatures import MINIATURES, Writer
from training.datasets import DATASETS, check, open_dataset

CASES = [
    pytest.param(name, write, id=f"{name}-{number}" if number else name)
    for name, writers in MINIATURES.items()
    for number, write in enumerate(writers)
]
every_data_set = pytest.mark.parametrize(("name", "write"), CASES)


def test_every_data_set_has_a_miniature() -> None:
    assert set(MINIATURES) == set(DATASETS)


@every_data_set
def test_the_objects_are_those_that_were_drawn(
    name: str, write: Writer, tmp_path: Path
) -> None:
    drawn = write(tmp_path)

    data = open_dataset(name, tmp_path)

    assert list(data.samples()) == sorted(drawn.truths)
    for sample, truth in drawn.truths.items():
        found = data.read(sample)
        assert found.name == sample
        assert found.truth.dtype == found.ignored.dtype == bool
        np.testing.assert_array_equal(found.truth, truth)
        np.testing.assert_array_equal(found.ignored, drawn.ignored)
        assert found.others is None or not (found.others & truth).any()


@every_data_set
def test_images_come_as_the_camera_gave_them(
    name: str, write: Writer, tmp_path: Path
) -> None:
    drawn = write(tmp_path)

    data = open_dataset(name, tmp_path)
    found = data.read(data.samples()[0])

    assert found.image.dtype == drawn.image.dtype
    assert found.image.shape == drawn.image.shape
    if drawn.exact:
        np.testing.assert_array_equal(found.image, drawn.image)
    else:  # a JPEG: objects stay red, and red stays the first channel
        red, _, blue = found.image[found.truth].mean(axis=0)
        assert red > 3 * blue


@every_data_set
def test_a_complete_folder_is_counted(name: str, write: Writer, tmp_path: Path) -> None:
    drawn = write(tmp_path)

    assert DATASETS[name].missing(tmp_path) == []
    assert f"complete: {len(drawn.truths)} objects" in check(name, tmp_path)[0]


@every_data_set
def test_a_file_that_is_missing_is_named_with_the_place_to_get_it(
    name: str, write: Writer, tmp_path: Path
) -> None:
    drawn = write(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    needed = [path for path in files if not path.name.endswith(drawn.unnoticed or "?")]

    assert needed
    for path in needed:
        aside = path.rename(tmp_path / "aside")
        said = " ".join(DATASETS[name].missing(tmp_path))
        with pytest.raises(ValueError, match="Get the data set from"):
            open_dataset(name, tmp_path)
        aside.rename(path)
        assert path.stem.split("#")[0] in said
        assert DATASETS[name].source in said


@every_data_set
def test_an_empty_folder_is_not_taken_for_a_data_set(
    name: str, write: Writer, tmp_path: Path
) -> None:
    said = check(name, tmp_path)

    assert str(tmp_path) in said[0]
    assert DATASETS[name].source in said[-1]


@every_data_set
def test_the_data_set_s_own_folder_will_do_as_root(
    name: str, write: Writer, tmp_path: Path
) -> None:
    drawn = write(tmp_path)

    own = DATASETS[name].base(tmp_path)

    assert list(open_dataset(name, own).samples()) == sorted(drawn.truths)


@every_data_set
def test_samples_stay_the_same_and_travel_to_other_processes(
    name: str, write: Writer, tmp_path: Path
) -> None:
    write(tmp_path)
    data = open_dataset(name, tmp_path)
    first = data.read(data.samples()[0])

    sent = pickle.loads(pickle.dumps(data))
    last = data.read(data.samples()[-1])

    assert list(sent.samples()) == list(open_dataset(name, tmp_path).samples())
    np.testing.assert_array_equal(sent.read(first.name).image, first.image)
    np.testing.assert_array_equal(data.read(first.name).truth, first.truth)
    assert data.read(last.name).name == last.name


@every_data_set
def test_a_sample_that_does_not_exist_is_refused(
    name: str, write: Writer, tmp_path: Path
) -> None:
    write(tmp_path)
    data = open_dataset(name, tmp_path)
    image = data.samples()[0].rpartition("/")[0]

    for sample in ("nothing/1", "nothing", "", f"{image}/0", f"{image}/x"):
        with pytest.raises(ValueError, match="there is no object"):
            data.read(sample)
