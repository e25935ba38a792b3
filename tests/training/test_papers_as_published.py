"""The papers' own recipes, from a data set in its folders to exported weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_iseg.nets.papers import NETWORKS
from napari_iseg.nets.papers.description import described
from tests.training.datasets.drawing import box, photograph
from tests.training.datasets.miniatures import sbd, voc
from training.__main__ import main
from training.crop_trainer import CropTrainer, side_by_side
from training.datasets import BenchmarkObject, open_dataset
from training.engine import read_checkpoint, save
from training.losses.pixelwise import ENTROPIES
from training.paper_recipe import PaperRecipe
from training.photographs import CUTS, Crops, Photographs, colours, crop_of
from training.recipes import RECIPES, recipe_of
from training.simulated_clicks.medoids import Medoids

CPU = torch.device("cpu")
PAPERS = [name for name in RECIPES if name in NETWORKS]
STAGES = {"ifcn": 3, "latent-diversity": 2, "fctsfn": 4, "brs": 2}
STEPS = {"fctsfn": 10}  # others 4: the last of its stages has a tenth of them
WIDTH = {"itis": 1 / 16}
GRIDS = {"itis": (32, 32), "brs": (32, 32), "fctsfn": (24, 32)}
FOUND = BenchmarkObject(
    "one/2", photograph(), box(2), np.zeros_like(box(2)), box(1)
)  # 14 x 20 of 40 x 56 pixels


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """SBD and VOC, two images each."""
    root = tmp_path / "data"
    sbd(root, "train")
    voc(root, "train")
    monkeypatch.setenv("ISEG_DATA", str(root))
    return root


def paper(name: str, **changes: object) -> PaperRecipe:
    """A paper's recipe with a narrow network and small crops, for four steps."""
    recipe = recipe_of(name, "paper")
    assert isinstance(recipe, PaperRecipe)
    grid = GRIDS.get(name, (0, 0))
    small = {"width": WIDTH.get(name, 1 / 32), "pretrained": False, "steps": 4}
    photographs = replace(recipe.photographs, grid=grid)
    framed = {"padded": False} if name in ("ifcn", "fctsfn") else {}
    changed: PaperRecipe = replace(
        recipe, photographs=photographs, **{**small, **framed, **changes}
    )
    return changed


@pytest.mark.parametrize("name", PAPERS)
def test_a_papers_recipe_runs_from_its_data_set_to_weights(
    name: str, data: Path, tmp_path: Path
) -> None:
    """
    Given a miniature of the data set that a paper trained on,
    when its recipe runs for a few steps, all its stages, and the weights are exported,
    then the file says which network it is, in its final form, and on what it was
    trained, and that the pictures' licence is not ours to give.
    """
    run, grid, steps = tmp_path / "run", GRIDS.get(name, (0, 0)), STEPS.get(name, 4)
    changes = ["pretrained=False", f"width={WIDTH.get(name, 1 / 32)}", f"steps={steps}",
               f"photographs.grid={grid}"]  # fmt: skip
    changes += ["padded=False"] if name in ("ifcn", "fctsfn") else []
    words = [f"--set={one}" for one in changes]

    code = main(["train", name, "--preset", "paper", "--workers", "0",
                 "--out", str(run), *words])  # fmt: skip
    exported = tmp_path / "weights.safetensors"
    main(["export", str(run / "checkpoint.pt"), "-o", str(exported)])

    state = read_checkpoint(run / "checkpoint.pt")
    assert code == 0
    assert (state["step"], state["stage"]) == (steps, STAGES.get(name, 1) - 1)
    assert "loss" in (run / "log.csv").read_text().splitlines()[0]
    assert described(exported).name == name
    card = exported.with_suffix(".json").read_text()
    assert recipe_of(name, "paper").photographs.data in card
    assert "as Flickr's users allow" in card


@pytest.mark.parametrize("name", ["itis", "fctsfn"])
def test_a_resumed_recipe_equals_the_uninterrupted_one(
    name: str, data: Path, tmp_path: Path
) -> None:
    """With clicks that depend on the last epoch's answers, too."""
    recipe = paper(name, batch=2, batches=(), steps=6)
    crops = Crops(open_dataset(recipe.photographs.data, data),
                  recipe.photographs, seed=0)  # fmt: skip
    recipe = recipe.sized(crops.epoch)

    def taken(trainer: CropTrainer, until: int) -> None:
        while trainer.step < until:
            first = 2 * trainer.step
            trainer.train_step([crops[first], crops[first + 1]])

    whole, interrupted = CropTrainer(recipe, CPU), CropTrainer(recipe, CPU)
    taken(whole, recipe.steps)
    taken(interrupted, recipe.steps - 2)
    save(interrupted, tmp_path / "checkpoint.pt")
    resumed = CropTrainer(recipe, CPU)
    resumed.restore(tmp_path / "checkpoint.pt")
    taken(resumed, recipe.steps)

    found = resumed.net.state_dict()
    for key, tensor in whole.net.state_dict().items():
        assert torch.equal(tensor, found[key]), key
    assert resumed.lagged.clicked == whole.lagged.clicked


def test_steps_follow_from_epochs_and_the_number_of_objects() -> None:
    """BRS: 20 and 15 epochs of 8,498 pictures' 20,172 objects, four at a time."""
    recipe = recipe_of("brs", "paper").sized(20172)

    assert recipe.steps == 35 * 5043
    assert recipe.first_steps() == [0, 20 * 5043, 35 * 5043]


def test_each_stage_has_its_batch_and_its_rate() -> None:
    """FCTSFN: one crop a step at strides 32, 16 and 8, then three; rates of each."""
    recipe = recipe_of("fctsfn", "paper").sized(30)

    firsts = recipe.first_steps()[:-1]

    assert [recipe.batch_at(first) for first in firsts] == [1, 1, 1, 3]
    assert [recipe.rate_at(stage, 0.0) for stage in range(4)] == list(recipe.rates)
    assert recipe.samples_before(recipe.steps) == 4 * 30
    strides = [recipe.trainable(n).description.arguments["stride"] for n in range(4)]
    assert strides == [32, 16, 8, 8]


def test_rates_drop_where_the_paper_says() -> None:
    """ITIS: 1e-5, from epoch 10 on 1e-6, from 15 on 3e-7."""
    recipe = recipe_of("itis", "paper")

    rates = [recipe.rate_at(0, epoch / 20) for epoch in (0, 9, 10, 14, 15, 19)]

    assert rates == pytest.approx([1e-5, 1e-5, 1e-6, 1e-6, 3e-7, 3e-7])


def test_the_encoder_of_brs_learns_a_hundred_times_slower(data: Path) -> None:
    recipe = paper("brs")
    trainer = CropTrainer(recipe.sized(4), CPU)
    crops = Crops(open_dataset("sbd/train", data), recipe.photographs, seed=0)

    trainer.train_step([crops[i] for i in range(4)])

    rates = sorted(group["lr"] for group in trainer.optimiser.param_groups)
    assert rates == pytest.approx([1e-9, 1e-7])


@pytest.mark.parametrize("cut", CUTS)
def test_an_objects_crop_shows_it(cut: str) -> None:
    """Whatever is cut out: a part of the object is in it, where the image shows it."""
    settings = Photographs(cut=cut, grid=(32, 32), turned=0.5, flipped=True)

    for seed in range(20):
        rng = np.random.default_rng(seed)
        crop = crop_of(FOUND, settings, rng, rng)
        assert crop.truth.any()
        assert crop.image[crop.truth, 0].mean() > 0.6  # the object is red
        assert crop.image[~crop.truth & ~crop.ignored, 0].mean() < 0.4
        inside = [crop.truth[int(r), int(c)] for r, c, _ in crop.clicks]
        assert inside == [positive for *_, positive in crop.clicks]


def test_the_middle_of_a_centred_crop_is_the_objects() -> None:
    """BRS: beyond the image's edge nothing counts."""
    settings = Photographs(cut="centred", grid=(64, 64), plan="medoids")

    for seed in range(10):
        rng = np.random.default_rng(seed)
        crop = crop_of(FOUND, settings, rng, rng)
        assert crop.truth[32, 32]
        assert crop.ignored.sum() >= 64 * 64 - 40 * 56


def test_a_small_image_is_enlarged_to_the_crop() -> None:
    """ITIS: 40 x 56 pixels for a crop of 80: no pixel of it lies outside."""
    settings = Photographs(cut="part", grid=(80, 80), gamma=0.05)
    rng = np.random.default_rng(0)

    crop = crop_of(FOUND, settings, rng, rng)

    assert crop.ignored[2:-2, 2:-2].sum() == 0


def test_an_epoch_has_every_object_as_often_as_it_has_pairs(data: Path) -> None:
    crops = Crops(open_dataset("sbd/train", data), Photographs(pairs=3), seed=1)

    names = [crops[i].name for i in range(crops.epoch)]

    assert crops.epoch == 12
    assert {names.count(name) for name in names} == {3}
    assert crops[5].clicks == crops[5].clicks
    assert [crops[i].name for i in range(12, 24)] != names


def test_lagged_clicks_see_the_same_crop_in_every_epoch(data: Path) -> None:
    settings = Photographs(cut="part", grid=(32, 32), lagged=True)
    crops = Crops(open_dataset("sbd/train", data), settings, seed=1)

    seen = {crops[i].name: crops[i].truth for i in range(4)}

    for i in range(4, 8):
        assert np.array_equal(seen[crops[i].name], crops[i].truth)


def test_images_of_different_sizes_share_a_batch() -> None:
    """RIS-Net trains on two whole images: what is filled up does not count."""
    rng = np.random.default_rng(0)
    large = crop_of(FOUND, Photographs(), rng, rng)
    small = crop_of(FOUND, Photographs(cut="centred", grid=(24, 24)), rng, rng)

    windows = side_by_side([large, small], CPU)

    assert windows.image.shape == (2, 3, 40, 56)
    assert windows.counted[1, 0, 24:].sum() == 0
    assert torch.equal(windows.truth[0, 0] > 0.5, torch.from_numpy(box(2)))


def test_a_sum_over_pixels_is_the_mean_times_their_number() -> None:
    logits, truth = torch.randn(2, 1, 8, 8), (torch.rand(2, 1, 8, 8) > 0.5).float()

    mean, total = (
        ENTROPIES[kind](logits, truth, torch.ones(2, 1, 8, 8)) for kind in (False, True)
    )

    torch.testing.assert_close(total, 64 * mean)


@pytest.mark.parametrize(
    ("image", "white"),
    [
        (np.full((2, 2, 3), 255, np.uint8), 1.0),
        (np.full((2, 2), 65535, np.uint16), 1.0),
        (np.full((2, 2), 0.5, np.float32), 0.5),
    ],
)
def test_images_of_any_kind_become_colours(image: np.ndarray, white: float) -> None:
    assert np.allclose(colours(image), white)
    assert colours(image).shape == (2, 2, 3)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("optimiser='sdg'", "optimiser='sdg' is not one of ['adamw', 'adam', 'sgd']"),
        ("photographs.cut='hole'", "photographs.cut='hole' is not one of ['whole'"),
        ("photographs.pair=2", "did you mean 'pairs'"),
        ("steps=4", "steps=4 leaves stage 4 of 4 without a step"),
        ("rates=(1.0,)", "rates=(1.0,) must have a value for each of the 4 stages"),
    ],
)
def test_a_mistake_in_a_published_recipe_is_answered(
    setting: str,
    message: str,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    order = ["train", "fctsfn", "--preset", "paper", "--out", str(tmp_path / "run")]

    assert main([*order, "--set", setting]) == 2
    assert message in capsys.readouterr().err


def test_a_missing_data_set_says_where_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ISEG_DATA", str(tmp_path))
    order = ["train", "brs", "--preset", "paper", "--out", str(tmp_path / "run")]

    assert main(order) == 2
    assert "Get the data set from" in capsys.readouterr().err


def test_a_plan_of_clicks_is_a_setting_like_any_other() -> None:
    settings = Photographs(plan="medoids", medoids=Medoids(positive=(2, 2)))
    rng = np.random.default_rng(0)

    crop = crop_of(FOUND, settings, rng, rng)

    assert sum(positive for *_, positive in crop.clicks) == 2
