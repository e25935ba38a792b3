"""The command line, as typed: what it writes, and one sentence for every mistake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import MappingProxyType, ModuleType

import numpy as np
import pytest
import tifffile
from safetensors.numpy import save_file

from napari_iseg import catalog, cli
from napari_iseg.catalog import AUTOMATIC, ENTRIES, Entry
from napari_iseg.cli import main
from napari_iseg.click_log import ClickLog, LoggedObject, read_log, write_log
from napari_iseg.clicks import Click, Clicks
from napari_iseg.doctor import drawn_cell
from napari_iseg.image_files import read_image, write_labels
from napari_iseg.weights import read_card, sha256_of, write_card
from tests.fakes import BrightSegmenter

CELL = np.s_[10:30, 12:40]  # rows and columns of a bright cell


@pytest.fixture
def bright(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second method, ``bright``, that needs no weights and no time."""
    module = ModuleType("bright_method")
    module.build = lambda device, weights: BrightSegmenter()
    monkeypatch.setitem(sys.modules, "bright_method", module)
    entry = Entry(
        name="bright",
        title="Bright parts",
        paper="",
        build="bright_method:build",
        summary="What is bright.",
    )
    entries = MappingProxyType({**ENTRIES, "bright": entry})
    monkeypatch.setattr(catalog, "ENTRIES", entries)
    monkeypatch.setattr(cli, "ENTRIES", entries)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    pixels = np.full((50, 60), 100, np.uint16)
    pixels[CELL] = 900
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, pixels)
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.tif"


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one sentence that a command line is refused with."""
    try:
        code = run(*arguments)
    except SystemExit as stop:
        code = stop.code
    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    assert said.err.startswith("napari-iseg")
    assert said.err.count("\n") == 1
    return said.err


def run(*arguments: object) -> int:
    """As typed after ``napari-iseg``; returns the exit code."""
    return main([str(part) for part in arguments])


# ---------------------------------------------------------------------------- segment


def test_segment_finds_every_object_by_itself(image, out, capsys):
    """Given an image with two cells,
    when it is segmented automatically,
    then the label image holds both, and the last line counts them."""
    pixels = tifffile.imread(image)
    pixels[38:46, 5:25] = 800
    tifffile.imwrite(image, pixels)

    assert run("segment", image, "--automatic", "watershed", "-o", out) == 0

    labels = tifffile.imread(out)
    assert labels[20, 20] == 1
    assert labels[42, 15] == 2
    assert labels.max() == 2
    assert capsys.readouterr().out.startswith(f"{out}: 2 objects in ")


def test_what_is_there_already_is_not_found_once_more(image, out, tmp_path, capsys):
    pixels = tifffile.imread(image)
    pixels[38:46, 5:25] = 800
    tifffile.imwrite(image, pixels)
    others = np.zeros(pixels.shape, np.uint8)
    others[CELL] = 255
    tifffile.imwrite(tmp_path / "others.tif", others)

    by = ("--automatic", "watershed", "--others", tmp_path / "others.tif")
    run("segment", image, *by, "-o", out)

    labels = tifffile.imread(out)
    assert not labels[CELL].any()
    assert labels[42, 15] == labels.max() == 1


@pytest.mark.parametrize(
    "also", ["--positive=20,20", "--log=a.iseg.json", "--prior=a.tif", "--polish"]
)
def test_finding_every_object_needs_nothing_of_clicks(image, out, capsys, also):
    said = refused(
        capsys, "segment", image, "--automatic", "watershed", also, "-o", out
    )

    name = also.partition("=")[0]
    assert f"--automatic finds every object by itself: leave {name} out" in said
    assert not out.exists()


def test_an_automatic_method_that_is_not_there_is_named(image, out, capsys):
    said = refused(capsys, "segment", image, "--automatic", "watershade", "-o", out)

    assert "did you mean 'watershed'?" in said


@pytest.mark.usefixtures("bright")
@pytest.mark.parametrize("ending", ["tif", "png", "npy"])
def test_segment_writes_the_clicked_object(image, tmp_path, capsys, ending):
    out = tmp_path / f"out.{ending}"

    code = run("segment", image, "--positive", "20,20", "--method", "bright", "-o", out)

    labels = read_image(out)
    assert code == 0
    assert (labels[CELL] == 1).all()
    assert labels.sum() == 20 * 28
    assert "out." in capsys.readouterr().out


@pytest.mark.usefixtures("bright")
def test_segment_obeys_several_clicks_of_both_kinds(image, out, capsys):
    clicks = ["--positive", "11,13", "--positive", "20,20", "--negative", "28,38"]

    run("segment", image, *clicks, "--method", "bright", "-o", out)

    labels = read_image(out)
    assert labels[11, 13] == labels[20, 20] == 1
    assert labels[28, 38] == 0
    assert "by 3 clicks" in capsys.readouterr().out


@pytest.mark.usefixtures("bright")
def test_segment_takes_a_plane_and_channels_of_a_stack(tmp_path: Path, out: Path):
    pixels = np.full((2, 3, 2, 50, 60), 100, np.uint16)  # T, Z, C, Y, X
    pixels[1, 2, 1][CELL] = 900
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, pixels, imagej=True, metadata={"axes": "TZCYX"})

    code = run(
        "segment",
        path,
        "--plane",
        "1,2",
        "--channels",
        "1",
        "--positive",
        "20,20",
        "--method",
        "bright",
        "-o",
        out,
    )

    assert code == 0
    assert (read_image(out)[CELL] == 1).all()


@pytest.mark.usefixtures("bright")
def test_a_segmentation_can_be_logged_and_replayed(image, out, tmp_path, capsys):
    log = tmp_path / "logs" / "cells.iseg.json"
    log.parent.mkdir()
    run(
        "segment",
        image,
        "--positive",
        "20,20",
        "--negative",
        "12,14",
        "--method",
        "bright",
        "-o",
        out,
        "--log",
        log,
    )

    code = run("replay", log)

    again = log.parent / "cells.labels.tif"
    assert code == 0
    assert (read_image(again) == read_image(out)).all()
    assert "1 of 1 objects" in capsys.readouterr().out
    assert read_log(log).image == "../cells.tif"
    assert read_log(log).objects[0].clicks == Clicks.at([(20, 20)], [(12, 14)])


@pytest.mark.usefixtures("bright")
def test_a_polished_segmentation_is_logged_as_such_and_replayed_so(
    image, out, tmp_path
):
    log = tmp_path / "cells.iseg.json"
    asked = ["--positive", "20,20", "--method", "bright", "--polish"]

    code = run("segment", image, *asked, "-o", out, "--log", log)

    assert code == 0
    assert read_log(log).method == "bright~polished"
    assert (read_image(out)[CELL] == 1).all()
    assert run("replay", log, "--polish") == 0
    assert (read_image(tmp_path / "cells.labels.tif") == read_image(out)).all()


# The default method, for real


def test_segment_with_the_default_method_obeys_its_clicks(tmp_path: Path, out: Path):
    pixels, truth = drawn_cell()
    path = tmp_path / "cell.tif"
    tifffile.imwrite(path, pixels)

    answer = _run(
        "segment", path, "--positive", "120,110", "--negative", "185,195", "-o", out
    )

    labels = read_image(out)
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr == ""
    assert labels[120, 110] == 1
    assert labels[185, 195] == 0
    assert (labels[truth] == 1).mean() > 0.5


def test_a_constant_image_gives_no_pixel_and_a_sentence(tmp_path, out, capsys):
    path = tmp_path / "flat.tif"
    tifffile.imwrite(path, np.full((40, 50), 7, np.uint8))

    code = run("segment", path, "--positive", "9,9", "-o", out)

    said = capsys.readouterr()
    assert code == 0
    assert not read_image(out).any()
    assert "0 pixels" in said.out
    assert "constant" in said.err
    assert said.err.count("\n") == 1


def test_weights_of_the_user_are_used(image: Path, out: Path, tmp_path: Path):
    shipped = catalog.locate(ENTRIES["cells"].weights_card())
    mine = tmp_path / "mine.safetensors"
    mine.write_bytes(shipped.read_bytes())

    code = run(
        "segment",
        image,
        "--positive",
        "20,20",
        "--weights",
        mine,
        "--device",
        "cpu",
        "-o",
        out,
    )

    assert code == 0
    assert read_image(out)[20, 20] == 1


# --------------------------------------------------------------------- its bad input


def test_a_missing_image_is_named(tmp_path, out, capsys):
    missing = tmp_path / "nowhere.tif"

    said = refused(capsys, "segment", missing, "--positive", "1,1", "-o", out)

    assert f"there is no image at {missing}" in said


@pytest.mark.parametrize("ending", ["tif", "png", "npy"])
def test_an_unreadable_image_is_named(tmp_path, out, capsys, ending):
    path = tmp_path / f"broken.{ending}"
    path.write_bytes(b"not pixels")

    said = refused(capsys, "segment", path, "--positive", "1,1", "-o", out)

    assert f"{path} cannot be read as an image" in said


def test_a_click_outside_is_named_with_the_size_of_the_image(image, out, capsys):
    said = refused(capsys, "segment", image, "--positive", "50,0", "-o", out)

    assert "row 50, column 0 is outside the image of 50 x 60 pixels" in said
    assert not out.exists()


@pytest.mark.parametrize("text", ["12", "a,b", "1,2,3", "1.5,2", ""])
def test_a_pixel_is_two_whole_numbers(image, out, capsys, text):
    said = refused(capsys, "segment", image, "--positive", text, "-o", out)

    assert "expected" in said
    assert repr(text) in said


def test_a_click_on_the_object_is_needed(image, out, capsys):
    said = refused(capsys, "segment", image, "--negative", "1,1", "-o", out)

    assert "give at least one --positive ROW,COLUMN" in said


def test_a_plane_of_a_stack_must_be_chosen(tmp_path, out, capsys):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, np.zeros((7, 50, 60), np.uint8))

    said = refused(capsys, "segment", path, "--positive", "1,1", "-o", out)

    assert "to choose a plane takes 1 indices" in said


def test_an_unknown_method_is_answered_with_the_right_name(image, out, capsys):
    said = refused(
        capsys, "segment", image, "--positive", "1,1", "-o", out, "--method", "cels"
    )

    assert "no method is called 'cels'; did you mean 'cells'?" in said


def test_a_device_that_is_not_there_is_refused(image, out, capsys):
    said = refused(
        capsys, "segment", image, "--positive", "1,1", "-o", out, "--device", "tpu"
    )

    assert "'tpu'" in said
    assert "cpu" in said


def test_a_mask_of_another_shape_is_refused(image, out, tmp_path, capsys):
    mask = tmp_path / "mask.tif"
    write_labels(mask, np.ones((60, 50), np.int32))

    for option in ("--prior", "--others"):
        said = refused(
            capsys, "segment", image, "--positive", "1,1", "-o", out, option, mask
        )
        assert (
            "mask.tif has the shape (60, 50); a mask for this image has (50, 60)"
            in (said)
        )


def test_weights_that_are_missing_or_none_or_damaged_are_refused(
    image, out, tmp_path, capsys
):
    clicks = ["segment", image, "--positive", "1,1", "-o", out, "--weights"]
    wrong = tmp_path / "wrong.safetensors"
    wrong.write_bytes(b"not weights at all")
    other = tmp_path / "other.safetensors"
    save_file({"a": np.zeros(2, np.float32)}, other)
    damaged = tmp_path / "cells.safetensors"
    card = ENTRIES["cells"].weights_card()
    damaged.write_bytes(catalog.locate(card).read_bytes() + b"\0")
    write_card(damaged.with_suffix(".json"), card)

    missing = refused(capsys, *clicks, tmp_path / "nowhere.safetensors")
    no_weights = refused(capsys, *clicks, wrong)
    of_something_else = refused(capsys, *clicks, other)
    of_another_checksum = refused(capsys, *clicks, damaged)

    assert "there is no weights file at" in missing
    assert "is not a weights file" in no_weights
    assert "not of the cells network" in of_something_else
    assert f"its card says sha256 {card.sha256}" in of_another_checksum
    assert sha256_of(damaged) in of_another_checksum
    assert read_card(damaged.with_suffix(".json")) == card


@pytest.mark.parametrize("name", ["out.gif", "nowhere/out.tif"])
def test_an_output_that_cannot_be_written_is_refused_first(
    tmp_path, capsys, monkeypatch, name
):
    def never(*_: object) -> None:
        raise AssertionError("the image is not read for nothing")

    monkeypatch.setattr(cli, "read_image", never)

    said = refused(
        capsys, "segment", "a.tif", "--positive", "1,1", "-o", tmp_path / name
    )

    assert "cannot write" in said


def test_what_is_not_given_or_not_known_is_named(image, capsys):
    without_output = refused(capsys, "segment", image, "--positive", "1,1")
    unknown_command = refused(capsys, "segmnet")
    no_command = refused(capsys)

    assert "-o" in without_output
    assert "'segmnet'" in unknown_command
    assert "COMMAND" in no_command


# ----------------------------------------------------------------------------- replay


@pytest.fixture
def log(image: Path) -> Path:
    """Two clicked objects, of which only the first one is bright."""
    path = image.with_name("cells.iseg.json")
    made = [
        LoggedObject(
            3,
            Clicks((Click(20, 20), Click(12, 14, is_positive=False))),
            method="bright",
        ),
        LoggedObject(5, Clicks.at([(45, 50)]), method="bright"),
    ]
    write_log(path, ClickLog((50, 60), tuple(made), image="cells.tif", method="bright"))
    return path


@pytest.mark.usefixtures("bright")
def test_replay_finds_the_image_beside_the_log(log, out, capsys):
    code = run("replay", log, "-o", out)

    assert code == 0
    assert set(np.unique(read_image(out))) == {0, 3}
    assert "1 of 2 objects" in capsys.readouterr().out


@pytest.mark.usefixtures("bright")
def test_replay_takes_another_image_and_method(log, image, out, tmp_path):
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    lone = moved / "log.iseg.json"
    lone.write_text(log.read_text().replace('"method": "bright"', '"method": "no"'))

    code = run("replay", lone, "--image", image, "--method", "bright", "-o", out)

    assert code == 0
    assert read_image(out)[20, 20] == 3


@pytest.mark.usefixtures("bright")
def test_a_log_that_does_not_lead_to_its_image_says_what_to_do(log, out, capsys):
    named = log.read_text()
    log.with_name("a.iseg.json").write_text(named.replace("cells.tif", "gone.tif"))
    log.with_name("b.iseg.json").write_text(named.replace('"cells.tif"', "null"))

    gone = refused(capsys, "replay", log.with_name("a.iseg.json"), "-o", out)
    nameless = refused(capsys, "replay", log.with_name("b.iseg.json"), "-o", out)

    assert "gone.tif, as the log says; give it with --image" in gone
    assert "does not name its image; give it with --image" in nameless


@pytest.mark.usefixtures("bright")
def test_the_log_of_other_pixels_is_replayed_only_if_wanted(image, out, capsys):
    log = image.with_name("a.iseg.json")
    first = ["segment", str(image), "--positive", "20,20", "--method", "bright"]
    run(*first, "-o", out, "--log", log)
    tifffile.imwrite(image, tifffile.imread(image) + 1)
    capsys.readouterr()

    said = refused(capsys, "replay", log, "-o", out)
    code = run("replay", log, "-o", out, "--any-image")

    assert "not the image of the log" in said
    assert code == 0


def test_a_log_that_is_missing_or_none_is_refused(tmp_path, image, out, capsys):
    missing = refused(capsys, "replay", tmp_path / "nowhere.json", "-o", out)
    no_log = refused(capsys, "replay", image, "-o", out)

    assert "there is no click log at" in missing
    assert "is not a click log" in no_log


# -------------------------------------------------------------- methods, doctor, demo


@pytest.mark.usefixtures("bright")
def test_methods_lists_every_method_with_licence_and_size(capsys):
    code = run("methods")

    lines = capsys.readouterr().out.splitlines()
    card = ENTRIES["cells"].weights_card()
    cells = next(line for line in lines if line.startswith("cells"))
    assert code == 0
    clicked = lines[: lines.index("")]
    assert len(clicked) == len(ENTRIES) + 2  # a title, and "bright"
    assert card.licence in cells
    assert f"{card.size / 1e6:.1f} MB" in cells
    assert "What is bright." in clicked[-1]


def test_methods_lists_those_that_need_no_click_apart(capsys):
    run("methods")

    _, finders = capsys.readouterr().out.split("without a click, by --automatic NAME:")
    assert [line.split()[0] for line in finders.strip().splitlines()] == list(AUTOMATIC)


def test_methods_tells_whose_weights_are_missing(capsys, monkeypatch):
    lost = Entry(name="lost", title="Lost", paper="", build="a:b", card="lost")
    monkeypatch.setattr(cli, "ENTRIES", {"lost": lost})

    code = run("methods")

    assert code == 0
    assert "missing" in capsys.readouterr().out


@pytest.mark.usefixtures("bright")
def test_doctor_tells_versions_and_devices_and_segments_a_cell(capsys):
    code = run("doctor", "--method", "bright")

    said = capsys.readouterr().out
    assert code == 0
    assert f"python                  {sys.version.split()[0]}" in said
    assert f"numpy                   {np.__version__}" in said
    assert "device                  cpu: " in said
    assert "bright: one click on a drawn cell: IoU 0." in said
    assert "(ok)" in said
    assert "ms" in said


@pytest.mark.usefixtures("bright")
def test_doctor_fails_if_the_cell_is_not_found(capsys, monkeypatch):
    monkeypatch.setattr(BrightSegmenter, "prepare", _blind)

    code = run("doctor", "--method", "bright")

    assert code == 1
    assert "IoU 0.00 (FAILED, below 0.7)" in capsys.readouterr().out


def test_doctor_fails_with_a_sentence_if_the_method_cannot_be_loaded(capsys):
    code = run("doctor", "--device", "tpu")

    assert code == 1
    assert "cells: FAILED: there is no device 'tpu'" in capsys.readouterr().out


@pytest.mark.parametrize("absent", ["napari", "PyQt6"])
def test_the_demo_without_napari_says_what_to_install(capsys, monkeypatch, absent):
    bindings = set(cli.QT_BINDINGS)
    gone = {absent} | (bindings if absent in bindings else set())
    monkeypatch.setattr(cli, "find_spec", lambda name: None if name in gone else name)

    said = refused(capsys, "demo")

    assert 'pip install "napari-iseg[all]"' in said


def test_the_demo_is_run_into_the_chosen_folder(monkeypatch, tmp_path):
    asked = []
    module = ModuleType("napari_iseg.gui.demo")
    module.run = asked.append
    monkeypatch.setitem(sys.modules, "napari_iseg.gui.demo", module)
    monkeypatch.setattr(cli, "find_spec", lambda name: name)

    code = run("demo", "--output", tmp_path)

    assert code == 0
    assert asked == [tmp_path]


# ---------------------------------------------------------------------- as a program


def test_a_mistake_is_one_sentence_and_exit_code_2(tmp_path: Path):
    answer = _run(
        "segment", "nowhere.tif", "--positive", "1,1", "-o", tmp_path / "a.tif"
    )

    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr == "napari-iseg: there is no image at nowhere.tif\n"


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_nothing_else_is_said_about_an_image_that_was_cut_off(tmp_path, ending: str):
    path = tmp_path / f"half.{ending}"
    noise = np.random.default_rng(0).integers(0, 999, (99, 99), np.int32)
    write_labels(path, noise)
    path.write_bytes(path.read_bytes()[:-9000])

    answer = _run("segment", path, "--positive", "1,1", "-o", tmp_path / "out.tif")

    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert f"half.{ending} cannot be read as an image" in answer.stderr


def test_the_version_and_the_help_are_there():
    version, help_ = _run("--version"), _run("--help")

    assert version.returncode == help_.returncode == 0
    assert version.stdout.startswith("napari-iseg ")
    for command in ("demo", "methods", "segment", "replay", "doctor"):
        assert command in help_.stdout


def _run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "napari_iseg.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _blind(self: object, image: np.ndarray) -> object:
    return _Blind()


class _Blind:
    def predict(self, clicks: Clicks) -> np.ndarray:
        return np.zeros((256, 256), np.float32)
