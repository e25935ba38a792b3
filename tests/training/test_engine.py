"""A training run can be stopped anywhere and goes on as if it had not been."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from training.engine import Trainer, chosen, save
from training.images import LabelledImage
from training.losses import answer_loss, iou_of, region_loss
from training.recipe import overridden
from training.recipes.cells import CellsRecipe
from training.samples import SampleSettings
from training.sources import Samples, TrainingSet

SMALL = CellsRecipe(
    width=8,
    batch=2,
    warm_up=2,
    steps=8,
    samples=SampleSettings(side=32, canvas=80),
)
CPU = torch.device("cpu")


@pytest.fixture
def samples(images: list[LabelledImage]) -> Samples:
    return Samples({"drawn": TrainingSet(images, 1.0)}, SMALL.samples, seed=0)


def steps(trainer: Trainer, samples: Samples, until: int) -> None:
    while trainer.step < until:
        first = trainer.step * SMALL.batch
        trainer.train_step([samples[first + i] for i in range(SMALL.batch)])


def test_a_resumed_run_equals_the_uninterrupted_one(
    samples: Samples, tmp_path: Path
) -> None:
    whole = Trainer(SMALL, CPU)
    steps(whole, samples, 4)
    interrupted = Trainer(SMALL, CPU)
    steps(interrupted, samples, 2)
    save(interrupted, tmp_path / "checkpoint.pt")

    resumed = Trainer(SMALL, CPU)
    resumed.restore(tmp_path / "checkpoint.pt")
    steps(resumed, samples, 4)

    for name, tensor in whole.net.state_dict().items():
        assert torch.equal(tensor, resumed.net.state_dict()[name]), name
    for name, tensor in whole.averaged.state_dict().items():
        assert torch.equal(tensor, resumed.averaged.state_dict()[name]), name


def test_learning_lowers_the_loss(samples: Samples) -> None:
    trainer = Trainer(SMALL, CPU)
    batch = [samples[0], samples[1]]

    first = trainer.train_step(batch)
    for _ in range(14):
        last = trainer.train_step(batch)

    assert last["wide"] < 0.8 * first["wide"]


def test_batch_norms_learn_first_and_are_as_at_run_time_at_last(
    samples: Samples,
) -> None:
    """
    Given a run whose norms settle in its second half,
    when it is past the middle,
    then what they remember changes before and never after, while weights go on.
    """
    trainer = Trainer(replace(SMALL, settled=0.5), CPU)
    begun = remembered(trainer)

    steps(trainer, samples, 5)
    middle, weights = remembered(trainer), deepcopy(trainer.net.state_dict())
    steps(trainer, samples, 8)

    assert not torch.equal(begun, middle)
    assert torch.equal(middle, remembered(trainer))
    name = next(n for n, _ in trainer.net.named_parameters())
    assert not torch.equal(weights[name], trainer.net.state_dict()[name])


def remembered(trainer: Trainer) -> torch.Tensor:
    """The running means of all batch norms."""
    buffers = trainer.net.named_buffers()
    return torch.cat([b.flatten() for name, b in buffers if name.endswith("_mean")])


def test_a_failed_save_leaves_the_old_checkpoint(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, path = Trainer(SMALL, CPU), tmp_path / "checkpoint.pt"
    save(trainer, path)
    before = path.read_bytes()
    monkeypatch.setattr(torch, "save", broken)

    with pytest.raises(OSError, match="disk full"):
        save(trainer, path)

    assert path.read_bytes() == before


def broken(*_: object) -> None:
    raise OSError("disk full")


def test_the_learning_rate_rises_stays_and_falls_to_nothing() -> None:
    trainer = Trainer(CellsRecipe(width=8, steps=100, warm_up=10, decay=0.5), CPU)
    rates = []
    for trainer.step in range(100):
        rates.append(trainer.learning_rate() / trainer.recipe.learning_rate)

    assert rates[0] < rates[5] < rates[20] == rates[45] == 1
    assert rates[75] == pytest.approx(0.5)
    assert 0 < rates[99] < 0.05


def test_the_best_scored_hypothesis_is_the_answer() -> None:
    logits = torch.stack([torch.full((2, 2), v) for v in (-9.0, 9.0)])[None]

    answer = chosen(logits, torch.tensor([[0.1, 0.7]]))

    assert answer.shape == (1, 1, 2, 2)
    assert (answer > 0.9).all()


def test_a_perfect_answer_costs_next_to_nothing() -> None:
    truth = torch.zeros(1, 1, 16, 16)
    truth[..., 4:9, 4:9] = 1
    perfect = (truth * 40 - 20).expand(1, 3, 16, 16)

    assert region_loss(perfect, truth, torch.ones_like(truth)).max() < 0.01


def test_what_lies_outside_the_window_lowers_the_iou() -> None:
    truth = torch.ones(1, 1, 4, 4)
    logits, counted = torch.ones(1, 1, 4, 4), torch.ones(1, 1, 4, 4)

    assert iou_of(logits, truth, counted, torch.tensor([16.0])).item() == 0.5


def test_ignored_pixels_cost_nothing() -> None:
    from napari_iseg.nets.cells_net import Answer

    logits = torch.zeros(1, 1, 4, 4, requires_grad=True)
    nowhere = torch.zeros(1, 1, 4, 4)

    answer_loss(
        Answer(logits, logits, torch.zeros(1, 1)),
        torch.ones(1, 1, 4, 4),
        nowhere,
        nowhere,
        torch.zeros(1),
        best=1,
    ).backward()

    assert logits.grad is not None
    assert np.abs(logits.grad.numpy()).max() == 0


def test_settings_are_overridden_by_name() -> None:
    recipe = overridden(
        CellsRecipe(), ["batch=4", "samples.side=64", "without=('dsb2018',)"]
    )

    assert recipe.batch == 4
    assert recipe.samples.side == 64
    assert recipe.without == ("dsb2018",)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("bach=4", "no setting called 'bach'; did you mean 'batch'"),
        ("zzz=4", "no setting called 'zzz'; there are"),
        ("samples.sid=4", "did you mean 'side'"),
        ("batch=many", "'many' is not a value for 'batch'"),
    ],
)
def test_a_mistyped_setting_is_answered_in_a_sentence(
    assignment: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        overridden(CellsRecipe(), [assignment])
