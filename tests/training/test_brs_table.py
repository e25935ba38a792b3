"""What BRS is worth, in one command; and BRS around any method that is measured."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from napari_iseg.nets.papers.description import Description
from napari_iseg.refine.brs import BRS
from napari_iseg.refine.separated import Separated
from napari_iseg.refine.windowed import Windowed
from tests.nets.papers.measures import awake
from tests.training.fake_methods import BRIGHT
from tests.training.tiny_data import write_images
from training.__main__ import main
from training.brs_table import ROWS
from training.evaluation import Method

REFINED = "napari_iseg.refine.papers:brs"
IFCN = "napari_iseg.refine.papers:ifcn"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_images(tmp_path / "tiny", 1)
    return tmp_path / "tiny"


def weights_of(name: str, folder: Path) -> Path:
    kind = Description(name, {"width": 1 / 32})
    torch.manual_seed(0)
    path = folder / f"{name}.safetensors"
    save_file(awake(kind.build()).state_dict(), path, metadata=kind.metadata())
    return path


def test_every_way_to_make_clicks_right_is_a_row(data, tmp_path, capsys) -> None:
    asked = [IFCN, "--weights", str(weights_of("ifcn", tmp_path)), "--device", "cpu"]
    few = ["--limit", "1", "--clicks", "2", "--workers", "0"]
    where = ["--data", str(data), "-o", str(tmp_path / "brs.jsonl")]

    assert main(["brs", *asked, *where, *few]) == 0

    table = capsys.readouterr().out
    rows = [line.split("|")[2].strip() for line in table.splitlines() if "|" in line]
    assert rows[2:] == list(ROWS)
    assert table.count(" 1.00 |") >= 1  # the network alone, beside itself
    assert "robot ritm" in table.lower()


def test_a_method_gets_brs_by_its_settings(tmp_path: Path) -> None:
    weights = weights_of("ifcn", tmp_path)
    settings = ("obey=True", "brs.variant='b'", "brs.inertia=0.5")

    segmenter = Method(name=IFCN, weights=weights, device="cpu", policy=settings)
    built = segmenter.build()

    assert isinstance(built, BRS)
    assert (built.variant, built.inertia) == ("b", 0.5)
    assert built.segmenter.policy.obey


def test_a_method_that_separates_cells_can_be_measured_without() -> None:
    settings = ("separated.split=False", "brs.variant='last'")

    built = Method(name="unet-brs", device="cpu", policy=settings).build()

    assert isinstance(built, Separated)
    assert not built.split
    assert built.segmenter.variant == "last"


def test_a_method_that_comes_with_brs_keeps_it_under_other_settings(tmp_path) -> None:
    weights = weights_of("brs", tmp_path)
    settings = ("zoom=2.0", "brs.variant='last'")

    built = Method(name=REFINED, weights=weights, device="cpu", policy=settings).build()
    plain = Method(name=REFINED, weights=weights, device="cpu").build()

    assert isinstance(built, BRS)
    assert isinstance(plain, BRS)
    assert (built.segmenter.policy.zoom, built.variant) == (2.0, "last")
    assert plain.variant == "maps"
    assert isinstance(plain.segmenter, Windowed)


def test_settings_of_brs_that_there_are_none_of_are_named(tmp_path: Path) -> None:
    weights = weights_of("ifcn", tmp_path)

    with pytest.raises(ValueError, match="no setting called 'lambda'"):
        Method(name=IFCN, weights=weights, policy=("brs.lambda=1",)).build()
    with pytest.raises(ValueError, match="does not work by windows"):
        Method(name=BRIGHT, policy=("brs.inertia=1.0",)).build()
