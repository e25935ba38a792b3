"""The papers' networks learn from the cell pool, with the clicks that ``cells`` has."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from napari_iseg import Clicks
from napari_iseg.nets.papers import NETWORKS
from napari_iseg.nets.papers.description import read_network
from napari_iseg.nets.papers.latent_diversity import LatentDiversity
from tests.training.tiny_data import SMALL, write_sets
from training.__main__ import main
from training.engine import Trainer, read_checkpoint, save
from training.export import export
from training.images import LabelledImage
from training.loop import Settings, train
from training.paper_rows import CHOOSING, PAPER_ROWS
from training.recipe import Recipe, overridden
from training.recipes import RECIPES, recipe_of
from training.samples import SampleSettings
from training.sources import Samples, TrainingSet

CPU = torch.device("cpu")
PAPERS = [name for name in RECIPES if name in NETWORKS]
NARROW = {"itis": 1 / 16}  # others 1/32; below, a decoder has no channel of its own


def tiny(name: str, **changes: object) -> Recipe:
    """A narrow network on windows of 32 pixels."""
    return replace(
        recipe_of(name, "cells-small"),
        **{
            "width": NARROW.get(name, 1 / 32),
            "batch": 2,
            "steps": 4,
            "warm_up": 1,
            "samples": SampleSettings(side=32, canvas=80),
            **changes,
        },
    )


@pytest.fixture
def samples(images: list[LabelledImage]) -> Samples:
    settings = SampleSettings(side=32, canvas=80)
    return Samples({"drawn": TrainingSet(images, 1.0)}, settings, seed=0)


def taken(trainer: Trainer, samples: Samples, until: int) -> dict[str, float]:
    while trainer.step < until:
        first = 2 * trainer.step
        losses = trainer.train_step([samples[first], samples[first + 1]])
    return losses


@pytest.mark.parametrize("name", PAPERS)
def test_every_network_is_small_enough_for_a_laptop(name: str) -> None:
    """
    Given the recipe of a paper's network for cells,
    when its network is built as it will ship,
    then it has at most 1.5 million parameters, and cell pool, clicks and budget are
    those of the five others.
    """
    recipe, other = recipe_of(name, "cells-small"), recipe_of("ifcn", "cells-small")

    net = recipe.trainable(len(recipe.stages) - 1).build()

    assert 500_000 < sum(p.numel() for p in net.parameters()) <= 1_500_000
    assert (recipe.samples, recipe.batch, recipe.steps, recipe.no_gradient) == (
        other.samples, other.batch, other.steps, other.no_gradient,
    )  # fmt: skip


@pytest.mark.parametrize("name", PAPERS)
def test_a_resumed_paper_equals_the_uninterrupted_one(
    name: str, samples: Samples, tmp_path: Path
) -> None:
    """
    Given a run that stops in the middle, where some networks are between their stages
    and some drop features by lot,
    when it goes on from the checkpoint,
    then its weights are those of a run that was never stopped, to the last bit.
    """
    whole, interrupted = Trainer(tiny(name), CPU), Trainer(tiny(name), CPU)
    losses = taken(whole, samples, 4)
    taken(interrupted, samples, 3)
    save(interrupted, tmp_path / "checkpoint.pt")

    resumed = Trainer(tiny(name), CPU)
    resumed.restore(tmp_path / "checkpoint.pt")
    taken(resumed, samples, 4)

    assert all(math.isfinite(v) for v in losses.values())
    assert resumed.stage == len(whole.recipe.stages) - 1
    for kind in ("net", "averaged"):
        found = getattr(resumed, kind).state_dict()
        for key, tensor in getattr(whole, kind).state_dict().items():
            assert torch.equal(tensor, found[key]), key


@pytest.mark.parametrize("name", PAPERS)
def test_learning_lowers_a_papers_loss(name: str, samples: Samples) -> None:
    trainer = Trainer(tiny(name, steps=100, learning_rate=3e-3), CPU)
    batch = [samples[0], samples[1]]

    first = trainer.train_step(batch)
    for _ in range(12):
        last = trainer.train_step(batch)

    assert last["wide"] < first["wide"]


@pytest.mark.parametrize("name", PAPERS)
def test_an_exported_paper_says_which_network_it_is_of(
    name: str, samples: Samples, tmp_path: Path
) -> None:
    """
    Given a network at the end of its training,
    when its weights are exported,
    then they are read back by name alone and answer as it does.
    """
    trainer = Trainer(tiny(name), CPU)
    taken(trainer, samples, 4)
    save(trainer, tmp_path / "checkpoint.pt")
    output = tmp_path / "weights.safetensors"

    export(tmp_path / "checkpoint.pt", output, None)

    shipped, trained = read_network(output, name), trainer.averaged.eval()
    encoder, clicks = shipped.encoder, Clicks.at([(10, 12)], [(30, 30)])
    maps = torch.from_numpy(encoder(clicks, (48, 48)))[None]
    image = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    told = {"clicks": [clicks]} if name == "ris-net" else {}
    with torch.no_grad():
        expected, found = (n(image, maps, **told).logits for n in (trained, shipped))
    torch.testing.assert_close(found, expected, atol=0.05, rtol=0.05)


def test_the_second_stage_of_fctsfn_leaves_the_first_alone(samples: Samples) -> None:
    """
    Given FCTSFN, of which the refining network learns second (section 3.3),
    when its second stage has taken steps,
    then the two-stream network is to the last bit what it was at its beginning.
    """
    trainer = Trainer(tiny("fctsfn", stages=(0.5, 0.5)), CPU)
    taken(trainer, samples, 2)
    before = {k: v.clone() for k, v in trainer.averaged.state_dict().items()}

    taken(trainer, samples, 4)

    assert not any(key.startswith("refining") for key in before)
    after = trainer.net.state_dict()
    assert any(key.startswith("refining") for key in after)
    for key, tensor in before.items():
        assert torch.equal(after[key], tensor), key


def test_a_paper_is_trained_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Given the cell pool,
    when ``python -m training train ifcn --preset cells-small`` has run,
    then a robot has clicked on held-out objects with it, there is a checkpoint with
    the network's name, and the same command with another width says what is wrong.
    """
    monkeypatch.setenv("ISEG_DATA", str(write_sets(tmp_path / "data")))
    changes = ("width=0.03", "steps=2", "batch=2", "validate=2", "clicked=1")
    words = [f"--set={one}" for one in (*SMALL[1:], *changes)]
    order = ["train", "ifcn", "--preset", "cells-small", "--workers", "0",
             "--out", str(tmp_path / "run"), *words]  # fmt: skip

    assert main(order) == 0
    again = main([*order, "--resume", "--set=width=0.05"])

    state = read_checkpoint(tmp_path / "run" / "checkpoint.pt")
    assert '"ifcn"' in state["network"]["network"]
    assert (tmp_path / "run" / "clicks.csv").exists()
    assert again == 2
    assert "another width or form than the recipe" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ifcn", "--preset", "cell-small"], "did you mean 'cells-small'"),
        (["ifcn", "--set", "strid=8"], "did you mean 'stride'"),
        (["ifcn", "--set", "stages=(0.5, 0.2)"], "must be shares of the steps"),
        (["brs", "--set", "trunk='vg'"], "trunk='vg' is not one of ['densenet'"),
        (["cells", "--preset", "paper"], "'cells' has no preset 'paper'"),
    ],
)
def test_a_mistake_in_a_papers_recipe_is_answered_in_a_sentence(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_recipe_that_trains_nothing_says_so() -> None:
    with pytest.raises(NotImplementedError, match="Recipe has to say what is trained"):
        Recipe().trainable()


def test_the_fine_decoder_of_brs_comes_second_and_all_goes_on_learning(
    samples: Samples,
) -> None:
    """Section 3.1: 20 epochs without it, then 15 with it."""
    trainer = Trainer(tiny("brs", steps=7), CPU)
    taken(trainer, samples, 4)
    before = {k: v.clone() for k, v in trainer.averaged.state_dict().items()}

    taken(trainer, samples, 6)

    assert not any(key.startswith("fine.") for key in before)
    after = trainer.net.state_dict()
    assert any(key.startswith("fine.") for key in after)
    weight = "coarse.predict.weight"
    assert not torch.equal(after[weight], before[weight])


def test_itis_learns_from_its_worst_pixels_last() -> None:
    """From random weights they alone would keep every answer at a half."""
    small, paper = recipe_of("itis"), recipe_of("itis", "paper")
    row = overridden(small, PAPER_ROWS["itis"]["pixels"].settings)

    shares = [row.trainable(stage).share for stage in range(len(row.stages))]

    assert shares == [1.0, 0.25]
    assert small.trainable().share == 1.0
    assert paper.trainable().share == 0.25


def test_a_lengthened_run_does_not_go_back_to_an_earlier_stage(
    samples: Samples, tmp_path: Path
) -> None:
    """
    Given FCTSFN in its second stage,
    when the run is resumed with ten times the steps, so that its first stage would
    not be over yet,
    then it goes on with the second.
    """
    trainer = Trainer(tiny("fctsfn"), CPU)
    taken(trainer, samples, 4)
    save(trainer, tmp_path / "checkpoint.pt")

    longer = Trainer(tiny("fctsfn", steps=40), CPU)
    longer.restore(tmp_path / "checkpoint.pt")
    taken(longer, samples, 5)

    assert longer.stage == 1
    assert longer.learning_rate() == longer.recipe.learning_rate
    assert "refining.scores.weight" in longer.net.state_dict()


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("latent-diversity", ["masks=1"]),
        ("latent-diversity", CHOOSING),
        ("latent-diversity", [*CHOOSING, "shuffled=False"]),
        ("latent-diversity", ["soft=0.0", "limit=1.0"]),
        ("ris-net", ["local=False", "context=False"]),
        ("ris-net", ["fusion='max'", "discount=1.0"]),
        ("fctsfn", ["streams=1", "stages=(1.0,)"]),
        ("fctsfn", ["refines=False"]),
        ("itis", ["gaussian=False", "masked=False"]),
        ("itis", ["corrections=False", "no_gradient=(1.0,)", "trunk='resnet'"]),
        ("brs", ["refines=False", "trunk='vgg'"]),
    ],
)
def test_a_network_learns_with_an_idea_left_out(
    name: str, changes: list[str], samples: Samples
) -> None:
    trainer = Trainer(overridden(tiny(name), changes), CPU)

    losses = taken(trainer, samples, 2)

    assert 0 < losses["wide"] < 100
    assert 0 < losses["zoom"] < 100


def test_g_learns_after_f_and_leaves_it_alone(samples: Samples) -> None:
    trainer = Trainer(overridden(tiny("latent-diversity", steps=5), CHOOSING), CPU)
    taken(trainer, samples, 4)
    before = deepcopy(trainer.net.state_dict())

    taken(trainer, samples, 5)

    after = trainer.net.state_dict()
    assert trainer.stage == 1
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert changed
    assert all(name.startswith("select.") for name in changed)


@pytest.mark.parametrize("shuffled", [True, False])
def test_masks_are_shuffled_for_g_where_the_recipe_says_so(
    samples: Samples, monkeypatch: pytest.MonkeyPatch, *, shuffled: bool
) -> None:
    orders: list[Tensor | None] = []
    plain = LatentDiversity.scores

    def scores(
        net: LatentDiversity, shown: Tensor, logits: Tensor, order: Tensor | None
    ) -> Tensor:
        orders.append(order)
        return plain(net, shown, logits, order)

    monkeypatch.setattr(LatentDiversity, "scores", scores)
    changes = ["selects=True", "no_gradient=(1.0,)", f"shuffled={shuffled}"]
    recipe = overridden(tiny("latent-diversity"), changes)

    taken(Trainer(recipe, CPU), samples, 1)

    assert len(orders) == 2  # the wide window, the close one
    assert all((order is not None) == shuffled for order in orders)


def test_a_run_shows_its_networks_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both kinds of looks at held-out images work with several ranked masks."""
    monkeypatch.setenv("ISEG_DATA", str(write_sets(tmp_path / "data")))
    recipe = overridden(tiny("latent-diversity", steps=2), [SMALL[-1]])
    recipe = replace(recipe, validate=2, validated=2, clicked=1)

    train(recipe, tmp_path / "run", Settings(workers=0))

    assert (tmp_path / "run" / "validation.csv").read_text().count("\n") == 2
