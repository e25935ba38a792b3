"""A run looks at held-out images now and then, always at the same ones."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch

from training.engine import Trainer
from training.images import LabelledImage
from training.recipes.cells import CellsRecipe
from training.samples import SampleSettings
from training.sources import TrainingSet, validation_sets
from training.validation import COLUMNS, Validation

SMALL = CellsRecipe(
    width=8, batch=2, validated=4, samples=SampleSettings(side=32, canvas=80)
)


@pytest.fixture
def held_out(images: list[LabelledImage]) -> Validation:
    return Validation(SMALL, {"drawn": TrainingSet(images, 1.0)})


def test_the_same_weights_get_the_same_marks(held_out: Validation) -> None:
    first = held_out.measure(Trainer(SMALL, torch.device("cpu")))
    again = held_out.measure(Trainer(SMALL, torch.device("cpu")))

    assert first == again
    assert all(0 <= value <= 1 for value in first.values())
    assert first["best"] >= first["first"]


def test_looking_changes_nothing_in_the_run(held_out: Validation) -> None:
    trainer = Trainer(SMALL, torch.device("cpu"))
    before = {k: v.clone() for k, v in trainer.averaged.state_dict().items()}

    held_out.measure(trainer)

    assert trainer.step == 0
    for name, tensor in trainer.averaged.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_every_look_is_a_line_of_a_table(held_out: Validation, tmp_path: Path) -> None:
    trainer, path = Trainer(SMALL, torch.device("cpu")), tmp_path / "validation.csv"

    held_out.log(trainer, path)
    trainer.step = 500
    held_out.log(trainer, path)

    with path.open() as file:
        titles, one, two = csv.reader(file)
    assert tuple(titles) == COLUMNS
    assert (one[0], two[0]) == ("0", "500")
    assert one[2:] == two[2:]


def test_nothing_is_validated_on_what_is_trained_on(tmp_path: Path) -> None:
    from training.sources import CELL_SETS, UNSEEN_SETS

    with pytest.raises(FileNotFoundError, match="no images in"):
        validation_sets(tmp_path)

    trained = {f"{name}/train" for name in CELL_SETS}
    assert not trained & set(UNSEEN_SETS)
