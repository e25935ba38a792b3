"""Whole training runs: killed, shared among processes, fed with broken images."""

from __future__ import annotations

import csv
import json
import logging
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.tiny_data import (
    SMALL,
    WITHOUT,
    command,
    environment,
    write_images,
    write_sets,
)
from training.__main__ import main
from training.early_stopping import Marks
from training.engine import Trainer, read_checkpoint
from training.loop import Settings, train
from training.memory import sentence, told
from training.recipe import overridden
from training.recipes.cells import CellsRecipe
from training.run_folder import RunFolder
from training.sources import CELL_SETS, cell_sets, training_set, validation_sets

RECIPE = overridden(CellsRecipe(), SMALL)
EXACT = (*SMALL, "precision='fp32'")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_sets(tmp_path / "data")
    monkeypatch.setenv("ISEG_DATA", str(root))
    return root


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in the processes that are started: sums in the same order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def tensors(path: Path) -> dict[str, torch.Tensor]:
    state = read_checkpoint(path)
    flat = {
        f"{kind} {k}": v for kind in ("net", "averaged") for k, v in state[kind].items()
    }
    for number, slot in state["optimiser"]["state"].items():
        flat |= {f"optimiser {number} {k}": v for k, v in slot.items()}
    return flat


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def wait_for(is_there: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    while not is_there():
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.02)


@pytest.mark.slow
def test_a_killed_run_that_is_resumed_equals_the_uninterrupted_one(
    data: Path, tmp_path: Path
) -> None:
    """
    Given a run that is killed without warning (SIGKILL) somewhere after a checkpoint,
    when the same command goes on with --resume,
    then weights, averaged weights and the optimiser's memory are those of a run that
    nobody killed, to the last bit.
    """
    steps = (*SMALL, "steps=7")
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    order = command(
        "train", "cells", "--out", str(killed), "--minutes", "0", settings=steps
    )
    started = subprocess.Popen(order, env=environment(data), stderr=subprocess.DEVNULL)
    try:
        wait_for((killed / "checkpoint.pt").exists, started)
    finally:
        started.send_signal(signal.SIGKILL)
        started.wait()
    reached = read_checkpoint(killed / "checkpoint.pt")["step"]

    resumed = [*order, "--resume"]
    subprocess.run(resumed, env=environment(data), check=True, capture_output=True)

    train(overridden(CellsRecipe(), steps), whole, Settings(workers=0))
    assert 0 < reached < 7
    assert read_checkpoint(killed / "checkpoint.pt")["step"] == 7
    found, expected = (tensors(run / "checkpoint.pt") for run in (killed, whole))
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), name


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(data: Path, tmp_path: Path) -> None:
    """
    Given the same batches, once worked through in two parts by one process and once
    shared by two processes that torchrun starts,
    when both have taken three steps,
    then the networks are equal to the last bit, batch norms' statistics included.
    """
    together, alone = tmp_path / "together", tmp_path / "alone"
    train_order = command(
        "train", "cells", "--out", str(together), "--workers", "0",
        settings=(*EXACT, "steps=3"),
    )[3:]  # fmt: skip
    order = [
        sys.executable, "-m", "torch.distributed.run", "--standalone",
        "--nproc-per-node=2", "-m", "training", *train_order,
    ]  # fmt: skip
    done = subprocess.run(
        order, env=environment(data), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

    parts = overridden(CellsRecipe(), (*EXACT, "steps=3", "accumulate=2"))
    train(parts, alone, Settings(workers=0))

    found, expected = (tensors(run / "checkpoint.pt") for run in (together, alone))
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor), name
    start = json.loads((together / "run.json").read_text())[0]
    assert start["processes"] == 2
    for column in ("wide", "zoom"):
        one, other = (float(rows(r / "log.csv")[-1][column]) for r in (together, alone))
        assert one == pytest.approx(other, abs=2e-4)


def test_parts_of_a_batch_add_up(data: Path) -> None:
    """The first gradient of two equal halves is the whole batch's."""
    recipe = overridden(CellsRecipe(), (*EXACT, "batch=2", "no_gradient=(1.0,)"))
    from training.sources import Samples

    samples = Samples(cell_sets(data, WITHOUT), recipe.samples, seed=0)
    twice = [samples[0], samples[0]]
    whole = Trainer(recipe, torch.device("cpu"))
    halves = Trainer(replace(recipe, accumulate=2), torch.device("cpu"))

    one, other = (trainer.learnt(twice) for trainer in (whole, halves))

    assert one["wide"] == pytest.approx(other["wide"], rel=1e-4)
    for (name, p), q in zip(
        whole.net.named_buffers(), halves.net.buffers(), strict=True
    ):
        if "running_mean" in name and "image" in name:
            torch.testing.assert_close(p, q, rtol=1e-3, atol=1e-5)


def test_a_run_keeps_all_that_is_needed_to_know_what_it_was(
    data: Path, tmp_path: Path
) -> None:
    recipe = replace(RECIPE, steps=2, validate=2)

    train(recipe, tmp_path / "run", Settings(workers=0, board=True))

    run = tmp_path / "run"
    (start,) = json.loads((run / "run.json").read_text())
    assert start["recipe"]["batch"] == 4
    assert start["packages"]["torch"] == version("torch")
    (clicks,) = rows(run / "clicks.csv")
    assert (clicks["step"], clicks["robot"], clicks["objects"]) == ("2", "ritm", "2")
    assert 1 <= float(clicks["noc85"]) <= float(clicks["noc90"]) <= 20
    (line,) = rows(run / "log.csv")
    assert 0 < float(line["network"]) <= 1
    assert line["skipped"] == "0"
    assert (run / "sheets" / "0000002.png").stat().st_size > 5000
    assert list((run / "tensorboard").glob("events*"))
    assert read_checkpoint(run / "best.pt")["step"] == 2


def test_a_resumed_run_says_what_changed_and_writes_no_line_twice(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = tmp_path / "run"
    train(replace(RECIPE, steps=2, validate=1, clicked=0), run, Settings(workers=0))
    for name in ("validation.csv", "log.csv"):
        with (run / name).open("a") as file:
            file.write("9,of,a,killed,run,0\n")

    with caplog.at_level(logging.WARNING):
        longer = replace(RECIPE, steps=3, validate=1, clicked=0, learning_rate=1e-4)
        train(longer, run, Settings(workers=0, resume=True))

    assert [row["step"] for row in rows(run / "validation.csv")] == ["1", "2", "3"]
    assert [row["step"] for row in rows(run / "log.csv")] == ["2", "3"]
    assert "steps=3 (was 2)" in caplog.text
    assert "learning_rate=0.0001 (was 0.002)" in caplog.text
    assert [s["step"] for s in json.loads((run / "run.json").read_text())] == [0, 2]


def test_a_run_is_not_overwritten_by_mistake(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(replace(RECIPE, steps=1), tmp_path, Settings(workers=0))

    assert main(["train", "cells", "--out", str(tmp_path)]) == 2
    assert "holds a run already; go on with --resume" in capsys.readouterr().err


def test_two_processes_do_not_train_in_one_folder(data: Path, tmp_path: Path) -> None:
    with (
        RunFolder(tmp_path).locked(),
        pytest.raises(ValueError, match="another process is training in"),
    ):
        train(replace(RECIPE, steps=1), tmp_path, Settings(workers=0))


def test_ctrl_c_leaves_a_checkpoint_and_says_how_to_go_on(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    step = Trainer.train_step

    def interrupted(self, samples):
        if self.step == 2:
            raise KeyboardInterrupt
        return step(self, samples)

    monkeypatch.setattr(Trainer, "train_step", interrupted)
    words = [f"--set={one}" for one in (*SMALL, "steps=5")]

    code = main(["train", "cells", "--out", str(tmp_path), "--workers", "0", *words])

    assert code == 130
    assert read_checkpoint(tmp_path / "checkpoint.pt")["step"] == 2
    assert "stopped at step 2; --resume goes on from there" in caplog.text


def test_a_night_survives_broken_images(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given one file that is no image, one without labels and one whose labels are of
    another size,
    when a network is trained,
    then the run goes on without them, names each, and counts them.
    """
    folder = data / "cells/usiigaci/train"
    (folder / "images/field0.png").write_bytes(b"no image")
    (folder / "labels/field1.png").unlink()
    small = data / "cells/dsb2018/val/labels/field0.png"
    write_images(tmp_path / "other", 1)
    import cv2

    cv2.imwrite(str(folder / "labels/field2.png"), np.zeros((9, 9), np.uint16))
    assert small.exists()

    with caplog.at_level(logging.WARNING):
        train(replace(RECIPE, steps=1), tmp_path / "run", Settings(workers=0))

    skipped = rows(tmp_path / "run/skipped.csv")
    assert [Path(r["image and reason"].split(": ")[0]).name for r in skipped] == [
        "field0.png", "field1.png", "field2.png",
    ]  # fmt: skip
    assert rows(tmp_path / "run/log.csv")[-1]["skipped"] == "3"
    assert "the image is (160, 160), its labels (9, 9)" in caplog.text


def test_an_image_that_breaks_while_it_is_used_is_skipped(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training import sources

    made = sources.make_sample

    def picky(source, settings, rng):
        if source.name == "dsb2018/field1":
            raise ValueError("a hole in it")
        return made(source, settings, rng)

    monkeypatch.setattr(sources, "make_sample", picky)
    train(replace(RECIPE, steps=6), tmp_path / "run", Settings(workers=0))

    skipped = rows(tmp_path / "run/skipped.csv")
    assert skipped
    assert {r["image and reason"] for r in skipped} == {
        "dsb2018/field1: ValueError: a hole in it"
    }
    assert read_checkpoint(tmp_path / "run/checkpoint.pt")["step"] == 6


def test_a_set_without_a_single_good_image_ends_the_run_with_its_name(
    data: Path,
) -> None:
    for path in (data / "cells/dsb2018/train/labels").glob("*"):
        path.unlink()

    with pytest.raises(ValueError, match=r"no image of .*dsb2018.* can be used"):
        cell_sets(data, WITHOUT)


def test_a_broken_image_moves_no_other_into_the_training(data: Path) -> None:
    """What is held out stays held out, whatever the files before it are like."""
    folder = data / "cells/usiigaci/train"
    before = [i.name for i in training_set(folder, 1.0, 3).images]
    (folder / "images/field0.png").write_bytes(b"no image")

    after = [i.name for i in training_set(folder, 1.0, 3).images]
    trained = [i.name for i in training_set(folder, 1.0, 3, kept=False).images]

    assert after == before
    assert not set(trained) & set(before)
    assert len(trained) + len(before) == CELL_SETS["usiigaci"][1] - 1  # all but it


def test_a_set_left_out_chooses_no_weights_either(data: Path) -> None:
    left = validation_sets(data, (*WITHOUT, "usiigaci"))

    assert list(left) == ["dsb2018/val", "yeast_phase_lifecycle/train"]
    with pytest.raises(ValueError, match="must name some of"):
        cell_sets(data, ("usigaci",))


def test_a_run_ends_when_the_robot_needs_no_fewer_clicks(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training import clicked_validation

    looks = iter([5.0, 4.0, 4.5, 4.2, 1.0])

    def measured(self, net, step, folder):
        return {"iou@1": 0.5, "noc85": (now := next(looks)), "noc90": now}

    monkeypatch.setattr(clicked_validation.ClickedValidation, "log", measured)
    recipe = replace(RECIPE, steps=9, validate=1, validated=0, patience=2)

    train(recipe, tmp_path, Settings(workers=0))

    assert read_checkpoint(tmp_path / "checkpoint.pt")["step"] == 4
    assert read_checkpoint(tmp_path / "best.pt")["step"] == 2


def test_patience_survives_a_resumption() -> None:
    marks = Marks().after({"noc85": 3, "noc90": 5, "iou@1": 0.6})
    worse = marks.after({"noc85": 3, "noc90": 6, "iou@1": 0.9})
    tie = worse.after({"noc85": 4, "noc90": 4, "iou@1": 0.7})

    assert (marks.clicks, marks.looks) == (4, 0)
    assert (worse.clicks, worse.looks, worse.is_over(1), worse.is_over(0)) == (
        4, 1, True, False,
    )  # fmt: skip
    assert (tie.first, tie.looks) == (0.7, 0)


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried"), "--set accumulate=2"),
        (MemoryError(), "batch=4, accumulate=1, samples.side=32"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
            "you tried",
        ),
        (
            RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."),
            "set --workers 1 and --resume",
        ),
    ],
)
def test_out_of_memory_names_the_setting_that_helps(
    problem: Exception, said: str
) -> None:
    with pytest.raises(ValueError, match="memory") as caught, told(RECIPE, 2):
        raise problem

    assert said in str(caught.value)


def test_a_single_sample_too_large_for_memory_wants_smaller_windows() -> None:
    recipe = replace(RECIPE, batch=2, accumulate=2)

    assert "--set samples.side=16" in sentence(recipe, MemoryError())


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    with pytest.raises(RuntimeError, match="shapes"), told(RECIPE, 2):
        raise RuntimeError("shapes do not match")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("accumulate=3", "batch=4 cannot be shared out in accumulate=3"),
        ("samples.side=30", "multiple of 16, got 30"),
        ("precision='fp8'", "precision='fp8' is not one of"),
        ("samples.strategy='brs'", "samples.strategy='brs' is not one of ['few'"),
        ("samples.ifcn.stp=3", "no setting called 'stp'; did you mean 'step'"),
        ("steps=0", "steps must be at least 1, got 0"),
        ("steps='many'", "it is str, a value like 6000 is needed"),
    ],
)
def test_settings_that_cannot_be_are_refused(setting: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        overridden(RECIPE, [setting])


def test_what_is_no_checkpoint_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(b"a letter")

    with pytest.raises(ValueError, match=r"checkpoint\.pt is not a checkpoint"):
        Trainer(RECIPE, torch.device("cpu")).restore(path)


def test_a_checkpoint_of_another_width_is_refused(data: Path, tmp_path: Path) -> None:
    train(replace(RECIPE, steps=1), tmp_path, Settings(workers=0))

    with pytest.raises(ValueError, match="another width"):
        train(replace(RECIPE, width=16), tmp_path, Settings(workers=0, resume=True))


def test_without_tensorboard_a_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.logs import TensorBoard

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)

    with pytest.raises(ValueError, match="pip install tensorboard"):
        TensorBoard(tmp_path, 0)
    shutil.rmtree(tmp_path)
