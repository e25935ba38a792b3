"""``python -m training`` from images on disk to a table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from napari_iseg.nets.window_model import net_from
from napari_iseg.weights import read_card, read_tensors, sha256_of
from tests.fakes import BrightSegmenter
from training.__main__ import main
from training.benchmark_sets import BENCHMARKS, sampled_objects
from training.engine import Trainer, save
from training.evaluate import evaluate, read_curves, write_curves
from training.export import export
from training.images import LabelledImage, held_out, read_folder
from training.metrics import summary
from training.recipe import Recipe
from training.report import put_between_markers
from training.robots import Ritm

NAMES = ("bright", "drawn", "ritm")


@pytest.fixture
def drawn(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The two images as a benchmark called 'drawn'."""
    monkeypatch.setattr(
        "training.benchmark_sets.BENCHMARKS",
        {**BENCHMARKS, "drawn": lambda _root: read_folder(folder)},
    )
    return folder


def test_a_robot_s_clicks_are_measured_and_survive_a_file(
    drawn: Path, tmp_path: Path
) -> None:
    objects = sampled_objects("drawn", drawn, 0)

    curves = evaluate(BrightSegmenter(), objects, Ritm(), NAMES)
    write_curves(curves, tmp_path / "deep" / "curves.jsonl")

    assert len(curves) == sum(len(i.objects) for i in read_folder(drawn))
    assert read_curves(tmp_path / "deep" / "curves.jsonl") == curves
    assert summary(curves)["iou@20"] > 0.9
    assert summary(curves)["obedience"] > 0.9


def test_a_sample_of_a_set_is_the_same_every_time_and_even_over_images(
    drawn: Path,
) -> None:
    chosen = [found.name for found in sampled_objects("drawn", drawn, 4)]

    assert chosen == [found.name for found in sampled_objects("drawn", drawn, 4)]
    assert sorted(name.split("/")[0] for name in chosen) == ["one", "one", "two", "two"]


def test_the_evaluation_command_prints_a_table(
    drawn: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(
        "napari_iseg.load_segmenter", lambda *_, **__: BrightSegmenter()
    )
    results = tmp_path / "curves.jsonl"

    code = main(
        ["evaluate", "bright", "--data", "drawn", "--limit", "2", "-o", str(results)]
    )

    assert code == 0
    assert "| bright | drawn | ritm | 2 |" in capsys.readouterr().out


def test_the_report_writes_between_the_markers_and_as_json(tmp_path: Path) -> None:
    results, readme = tmp_path / "curves.jsonl", tmp_path / "README.md"
    write_curves([], results)
    results.write_text(
        json.dumps(
            {
                **dict(zip(("method", "data", "robot"), NAMES, strict=True)),
                "sample": "one/1",
                "ious": [0.8, 0.95],
                "obeyed": [True, True],
                "seconds": [0.02, 0.01],
            }
        )
        + "\n"
    )
    readme.write_text("before\n<!-- table:begin -->\nold\n<!-- table:end -->\nafter\n")

    code = main(
        [
            "report",
            str(results),
            "--into",
            str(readme),
            "--json",
            str(tmp_path / "t.json"),
        ]
    )

    text = readme.read_text()
    assert code == 0
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| 0.800 | 0.950 |" in text
    assert json.loads((tmp_path / "t.json").read_text())[0]["noc90"] == 2


def test_a_document_without_markers_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing here")

    with pytest.raises(ValueError, match="no lines '<!-- table:begin -->'"):
        put_between_markers(tmp_path / "README.md", "table")


def test_exported_weights_are_small_and_match_their_card(tmp_path: Path) -> None:
    save(Trainer(Recipe(width=8), torch.device("cpu")), tmp_path / "checkpoint.pt")
    output = tmp_path / "out" / "cells.safetensors"

    export(tmp_path / "checkpoint.pt", output, None, "a recipe")

    card = read_card(output.with_suffix(".json"))
    assert card.sha256 == sha256_of(output)
    assert card.size == output.stat().st_size < 1_000_000
    assert "dsb2018" in card.trained_on


def test_training_goes_on_from_exported_weights(tmp_path: Path) -> None:
    trained = Trainer(Recipe(width=8, seed=5), torch.device("cpu"))
    save(trained, tmp_path / "checkpoint.pt")
    output = tmp_path / "cells.safetensors"
    export(tmp_path / "checkpoint.pt", output, None, "a recipe")

    fresh = Trainer(Recipe(width=8), torch.device("cpu"))
    fresh.begin_from(output)

    for name, tensor in trained.averaged.named_parameters():
        found = dict(fresh.net.named_parameters())[name]
        torch.testing.assert_close(found, tensor, atol=1e-3, rtol=1e-3)
    with pytest.raises(ValueError, match="another width or number of hypotheses"):
        Trainer(Recipe(width=16), torch.device("cpu")).begin_from(output)


def test_exported_weights_answer_like_the_trained_ones(tmp_path: Path) -> None:
    """Also where a variance is beyond the range of half precision."""
    trainer = Trainer(Recipe(width=8), torch.device("cpu"))
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
    "command", ["train", "evaluate", "report", "export", "latency"]
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


def test_no_image_is_both_trained_on_and_held_out(images: list[LabelledImage]) -> None:
    kept, out = held_out([*images, *images], 2)

    assert len(kept) + len(out) == 4
    assert len(out) == 2
