"""``python -m training`` from images on disk to a table."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from napari_iseg.nets.window_model import net_from
from napari_iseg.weights import read_card, read_tensors, sha256_of
from training.__main__ import main
from training.datasets import DATASETS
from training.engine import Trainer, save
from training.evaluation import write_curves
from training.export import export, measured
from training.images import read_folder
from training.metrics import ClickCurve
from training.recipes.cells import CellsRecipe


def test_exported_weights_are_small_and_match_their_card(tmp_path: Path) -> None:
    save(Trainer(CellsRecipe(width=8), torch.device("cpu")), tmp_path / "checkpoint.pt")
    output = tmp_path / "out" / "cells.safetensors"

    export(tmp_path / "checkpoint.pt", output, None, "a recipe")

    card = read_card(output.with_suffix(".json"))
    assert card.sha256 == sha256_of(output)
    assert card.size == output.stat().st_size < 1_000_000
    assert "dsb2018" in card.trained_on


def test_a_card_is_of_one_method(tmp_path: Path) -> None:
    results = tmp_path / "curves.jsonl"
    write_curves(
        [
            ClickCurve(method, "drawn", "ritm", "a/1", (0.9,), (True,), (0.1,))
            for method in ("cells", "graph-cut")
        ],
        results,
    )

    with pytest.raises(ValueError, match="several methods or robots on 'drawn'"):
        measured(results)


def test_training_goes_on_from_exported_weights(tmp_path: Path) -> None:
    trained = Trainer(CellsRecipe(width=8, seed=5), torch.device("cpu"))
    save(trained, tmp_path / "checkpoint.pt")
    output = tmp_path / "cells.safetensors"
    export(tmp_path / "checkpoint.pt", output, None, "a recipe")

    fresh = Trainer(CellsRecipe(width=8), torch.device("cpu"))
    fresh.begin_from(output)

    for name, tensor in trained.averaged.named_parameters():
        found = dict(fresh.net.named_parameters())[name]
        torch.testing.assert_close(found, tensor, atol=1e-3, rtol=1e-3)
    with pytest.raises(ValueError, match="another width or number of hypotheses"):
        Trainer(CellsRecipe(width=16), torch.device("cpu")).begin_from(output)


def test_exported_weights_answer_like_the_trained_ones(tmp_path: Path) -> None:
    """Also where a variance is beyond the range of half precision."""
    trainer = Trainer(CellsRecipe(width=8), torch.device("cpu"))
    trainer.averaged.state_dict()["up_eighth.join.1.running_var"].fill_(2e5)
    save(trainer, tmp_path / "checkpoint.pt")
    output = tmp_path / "cells.safetensors"
    torch.manual_seed(0)
    image, guides = torch.rand(1, 3, 64, 64), torch.rand(1, 4, 64, 64)

    export(tmp_path / "checkpoint.pt", output, None, "a recipe")

    shipped = net_from(read_tensors(output)).eval()
    with torch.no_grad():
        expected = trainer.averaged.eval()(image, guides).logits
        found = shipped(image, guides).logits
    torch.testing.assert_close(found, expected, atol=0.02, rtol=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "cells", "--data", "nothing"], "no data set is called 'nothing'"),
        (["evaluate", "sells", "--data", "grabcut"], "did you mean 'cells'"),
        (["evaluate", "cells", "--data", "x", "--robot", "r2d2"], "no robot is called"),
        (["train", "cells", "--set", "bach=1"], "did you mean 'batch'"),
        (["export", "nosuch.pt", "-o", "x.safetensors"], "no checkpoint at nosuch.pt"),
        (["report", "nosuch.jsonl"], "nosuch.jsonl"),
    ],
)
def test_mistakes_are_answered_in_one_sentence(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir("/")

    code = main(arguments)

    assert code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        "train",
        "ablate",
        "evaluate",
        "report",
        "compare",
        "datasets",
        "export",
        "latency",
        "serving",
    ],
)
def test_every_command_explains_itself(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])

    assert stop.value.code == 0
    assert "usage" in capsys.readouterr().out


def test_waiting_times_are_printed_for_arrays_and_lazy_images(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from napari_iseg import load_segmenter

    segmenter = load_segmenter(device="cpu")
    monkeypatch.setattr("napari_iseg.load_segmenter", lambda *_, **__: segmenter)

    code = main(["latency", "--side", "2048", "--objects", "1"])

    table = capsys.readouterr().out
    assert code == 0
    assert "| 2048 x 2048, 16-bit | first |" in table
    assert "| 16384 x 16384, 16-bit, dask | later |" in table


def test_a_folder_without_images_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"no images in .*images; set ISEG_DATA"
    ):
        read_folder(tmp_path)


def test_a_missing_label_image_is_named(folder: Path) -> None:
    (folder / "labels" / "two.png").unlink()

    with pytest.raises(FileNotFoundError, match=r"two\.png is missing"):
        read_folder(folder)


def test_the_data_sets_are_listed_with_their_folders(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["datasets"])

    told = capsys.readouterr().out
    assert code == 0
    for name in DATASETS:
        assert f"| `{name}` |" in told


def test_a_folder_is_checked_for_what_is_missing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    complete = main(["datasets", "--check", "folder", str(folder)])
    said = capsys.readouterr().out
    lacking = main(["datasets", "--check", "grabcut", str(tmp_path / "nosuch")])

    assert complete == 0
    assert said == "folder is complete: 12 objects in 2 images.\n"
    assert lacking == 1
    assert "Get the data set from" in capsys.readouterr().out
