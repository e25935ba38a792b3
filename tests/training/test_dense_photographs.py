"""FCN and DHSNet learn from photographs, as their papers have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat

from napari_iseg import Clicks
from napari_iseg.nets.papers.description import read_network
from napari_iseg.weights import read_card
from tests.nets.papers.measures import awake
from tests.training.datasets.drawing import GRID, write_palette
from tests.training.datasets.miniatures import MINIATURES
from training.__main__ import main
from training.class_files import CLASS_FILES
from training.datasets.scenes import VOID
from training.field_sets import opened_fields
from training.recipe import overridden
from training.recipes import recipe_of


@pytest.fixture
def photographs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Salient objects, classes of VOC and of SBD, and binary masks of VOC."""
    for name in ("ecssd", "msra10k", "voc2012", "voc2012/train", "sbd/train"):
        MINIATURES[name][0](tmp_path)
    monkeypatch.setenv("ISEG_DATA", str(tmp_path))
    return tmp_path


def test_dhsnet_learns_from_photographs_and_is_exported(
    photographs: Path, tmp_path: Path
) -> None:
    """
    Given MSRA10K as it is handed out, in miniature,
    when the paper's recipe is run on it with a tiny network,
    then every map is supervised, the run ends after its epochs, and the exported file
    is a DHSNet whose licence is not ours to give.
    """
    run, output = tmp_path / "run", tmp_path / "dhsnet.safetensors"
    words = ("width=0.1", "side=32", "pretrained=False", "photographs.grid=(32, 32)",
             "batch=1", "epochs=(2,)")  # fmt: skip
    options = [word for one in words for word in ("--set", one)]
    train = ["train", "dhsnet-brs", "--preset", "paper", "--workers", "0"]

    assert main([*train, "--out", str(run), *options]) == 0
    assert main(["export", str(run / "checkpoint.pt"), "-o", str(output)]) == 0

    with torch.no_grad():
        answer = read_network(output, "dhsnet-brs")(torch.rand(1, 3, 50, 41))
    assert answer.logits.shape == (1, 1, 50, 41)
    card = read_card(output.with_suffix(".json"))
    assert card.trained_on == ("msra10k",)
    assert "not ours to give" in card.licence


def test_photographs_are_mirrored_cropped_and_squeezed(photographs: Path) -> None:
    """
    Given a photograph,
    when fields are made of it with crops and mirror images,
    then they have the size that is wanted, void does not count, and the same number
    gives the same field.
    """
    recipe = overridden(
        recipe_of("dhsnet-brs", "paper"), ["photographs.grid=(24, 40)", "epochs=()"]
    )
    fields, _, _ = opened_fields(recipe)

    one, again = fields[5], fields[5]

    assert one.image.shape == (24, 40, 3)
    assert set(np.unique(one.classes)) <= {0, 1}
    np.testing.assert_array_equal(one.image, again.image)
    pictures = [fields[i].image for i in range(6)]
    assert any(not np.array_equal(pictures[0], other) for other in pictures[1:])


@pytest.mark.parametrize("name", ["voc2012", "voc2012/train", "sbd/train"])
def test_classes_are_read_as_distributed(photographs: Path, name: str) -> None:
    """
    Given VOC's and SBD's folders with their classes,
    when they are read for FCN,
    then a pixel has the class of its file, and void is void.
    """
    add_classes(photographs)

    data = CLASS_FILES[name].open(photographs)
    scene = data.scene(data.images()[0])

    assert set(np.unique(scene.labels)) - {VOID} == {0, 12}
    assert (VOID in scene.labels) == name.startswith("voc")


def test_a_folder_without_classes_says_so(photographs: Path) -> None:
    with pytest.raises(ValueError, match=r"SegmentationClass.* is missing"):
        CLASS_FILES["voc2012"].open(photographs)
    with pytest.raises(ValueError, match="There is no"):
        CLASS_FILES["voc2012"].open(photographs / "nowhere")


def add_classes(root: Path) -> None:
    """Class 12 and void beside the instances of VOC and SBD."""
    drawn = np.zeros(GRID, np.uint8)
    drawn[4:9, 5:12], drawn[:2] = 12, 255
    voc = root / "VOCdevkit/VOC2012"
    for path in (voc / "SegmentationObject").glob("*.png"):
        write_palette(voc / "SegmentationClass" / path.name, drawn)
    sbd = root / "benchmark_RELEASE/dataset"
    (sbd / "cls").mkdir()
    for path in (sbd / "inst").glob("*.mat"):
        classes = {"Segmentation": np.where(drawn == 255, 0, drawn)}
        savemat(sbd / "cls" / path.name, {"GTcls": classes})


def test_the_papers_recipes_are_those_of_the_papers() -> None:
    """
    Given the recipes of FCN and DHSNet as published,
    when their constants are read,
    then they are those of the papers, and the networks have the papers' size.
    """
    fcn, dhsnet = recipe_of("fcn-brs", "paper"), recipe_of("dhsnet-brs", "paper")

    strides = [fcn.trainable(n).description.arguments["stride"] for n in range(3)]
    assert strides == [32, 16, 8]
    assert (fcn.batch, fcn.momentum, fcn.weight_decay) == (1, 0.99, 5e-4)
    assert fcn.trainable().description.arguments["classes"] == 21
    assert fcn.width == dhsnet.width == 1.0
    assert dhsnet.trainable().description.arguments["side"] == 224
    assert dhsnet.batch == 12


@pytest.mark.parametrize("name", ["unet-brs", "fcn-brs", "dhsnet-brs"])
def test_what_is_trained_is_a_segmenter_that_takes_clicks(name: str) -> None:
    """
    Given a network in training,
    when a segmenter is made of it,
    then it answers a click with a probability for each pixel.
    """
    words = {"unet-brs": [], "fcn-brs": ["classes=3"], "dhsnet-brs": ["side=32"]}
    recipe = overridden(recipe_of(name), ["width=0.0625", *words[name]])
    net = awake(recipe.trainable().build())
    image = np.random.default_rng(0).integers(0, 255, (48, 40), np.uint8)

    segmenter = recipe.trainable().segmenter(net)
    answer = segmenter.prepare(image).predict(Clicks.at(positive=[(20, 20)]))

    assert answer.shape == (48, 40)
    assert np.isfinite(answer).all()


@pytest.mark.parametrize("name", ["unet-brs", "fcn-brs", "dhsnet-brs"])
def test_networks_without_clicks_have_no_ablation(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["ablate", name])
    assert "invalid choice" in capsys.readouterr().err
