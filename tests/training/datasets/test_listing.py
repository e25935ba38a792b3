"""The list of data sets, in the terminal and in the documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.datasets.miniatures import plain_folder
from training.__main__ import main
from training.datasets import DATASETS, check, listing, open_dataset

DOCUMENT = Path(__file__).parents[3] / "docs" / "datasets.md"


def test_every_data_set_is_listed_with_source_licence_and_files() -> None:
    text = listing()

    for name, one in DATASETS.items():
        assert f"| `{name}` | {one.title} |" in text
        assert one.licence in text
        assert one.layout in text


def test_the_document_holds_the_list_as_it_is_today() -> None:
    assert listing() in DOCUMENT.read_text(), "write it anew: the document says how"


def test_the_commands_list_and_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["datasets"]) == 0
    assert capsys.readouterr().out == listing()

    assert main(["datasets", "--check", "folder", str(tmp_path)]) == 1
    assert f"The folder {tmp_path / 'images'} is missing." in capsys.readouterr().out

    plain_folder(tmp_path)
    assert main(["datasets", "--check", "folder", str(tmp_path)]) == 0
    assert "folder is complete: 4 objects in 2 images." in capsys.readouterr().out


def test_a_check_of_a_name_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="did you mean 'sbd'"):
        check("sdb", Path("nowhere"))


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "objects", "images"),
    [("grabcut", 50, 50), ("voc-subset", 931, 775), ("bitdepth_nucseg", 3336, 70)],
)
def test_the_benchmark_images_hold_what_their_readme_counts(
    name: str, objects: int, images: int, data_root: Path
) -> None:
    said = check(name, data_root)
    data = open_dataset(name, data_root)
    found = data.read(data.samples()[0])

    assert f"{objects} objects in {images} images" in said[0]
    assert found.truth.any()
    assert not (found.truth & found.ignored).any()
