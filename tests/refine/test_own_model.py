"""Networks that come as files: TorchScript and torch.export."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from napari_iseg import load_own_model, make_interactive
from napari_iseg.clicks import Click, Clicks
from napari_iseg.refine.conversion import AllAtOnce, Binary, InWindows, Reads, Softmax
from napari_iseg.refine.own_windows import OwnPredictor
from napari_iseg.refine.windowed import agrees
from tests.own_networks import Bright, Tones, discs, tiny_unet

ROOT = Path(__file__).parents[2]
IMAGE = discs((40, 50), (40, 150), (130, 100))
WITHIN = Clicks.at(positive=[(40, 50)]).adding(Click(45, 58, is_positive=False))


def scripted(net: nn.Module, path: Path, shown: Tensor) -> None:
    with warnings.catch_warnings():  # torch would rather see torch.export
        warnings.filterwarnings("ignore", "`torch.jit", FutureWarning)
        torch.jit.script(net.eval()).save(path)


def traced(net: nn.Module, path: Path, shown: Tensor) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit", FutureWarning)
        torch.jit.trace(net.eval(), shown).save(path)


def exported(net: nn.Module, path: Path, shown: Tensor) -> None:
    auto = torch.export.Dim.AUTO
    program = torch.export.export(
        net.eval(), (shown,), dynamic_shapes=({2: auto, 3: auto},)
    )
    torch.export.save(program, path)


def exported_for_one_size(net: nn.Module, path: Path, shown: Tensor) -> None:
    torch.export.save(torch.export.export(net.eval(), (shown,)), path)


Save = Callable[[nn.Module, Path, Tensor], None]
KINDS: dict[str, Save] = {
    "scripted.pt": scripted,
    "traced.pt": traced,
    "exported.pt2": exported,
    "exported for one size.pt2": exported_for_one_size,
}


@pytest.fixture(params=KINDS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Of a network that takes bright objects, in each kind of file."""
    path = tmp_path / request.param
    KINDS[request.param](Bright(), path, torch.rand(1, 1, 192, 256))
    return path


def test_a_file_answers_as_its_network_does(path: Path):
    reads = Reads(size=(192, 256)) if "one size" in path.name else Reads()
    network = make_interactive(Bright(), reads=reads, whole=True, device="cpu")

    file = load_own_model(path, whole=True, device="cpu")

    np.testing.assert_array_equal(
        file.prepare(IMAGE).automatic(),  # type: ignore[attr-defined]
        network.prepare(IMAGE).automatic(),  # type: ignore[attr-defined]
    )


def test_a_file_obeys_clicks(path: Path):
    """With maps laid over its input: its code cannot be operated on."""
    segmenter = load_own_model(path, device="cpu")
    before = {k: v.clone() for k, v in weights(segmenter).items()}
    predictor = segmenter.prepare(IMAGE)

    patch = predictor.predict_patch(WITHIN)

    assert agrees(patch, WITHIN)
    assert predictor.remark is None
    assert all(torch.equal(before[k], v) for k, v in weights(segmenter).items())


def weights(segmenter) -> dict[str, Tensor]:
    return dict(segmenter.segmenter.model.net.state_dict())


def test_clicks_on_a_file_change_what_they_change_on_its_network(tmp_path: Path):
    """The maps enter at the input, or at the first convolution: the same refinement."""
    net = tiny_unet().eval()
    exported(net, tmp_path / "net.pt2", torch.rand(1, 1, 192, 256))
    network = make_interactive(net, output=Binary(), device="cpu")

    file = load_own_model(tmp_path / "net.pt2", output=Binary(), device="cpu")

    np.testing.assert_allclose(
        file.prepare(IMAGE).predict(WITHIN),
        network.prepare(IMAGE).predict(WITHIN),
        atol=1e-4,
    )


def test_a_network_exported_for_one_size_is_shown_windows_of_this_size(tmp_path: Path):
    path = tmp_path / "net.pt2"
    exported_for_one_size(Bright(), path, torch.rand(1, 1, 96, 128))

    segmenter = load_own_model(path, whole=True, device="cpu")
    predictor = segmenter.prepare(IMAGE)
    assert isinstance(predictor, OwnPredictor)

    assert predictor.view == InWindows(side=96, largest=96)
    assert predictor.automatic().shape == IMAGE.shape
    assert agrees(predictor.predict_patch(WITHIN), WITHIN)


def test_windows_too_large_for_a_file_are_refused(tmp_path: Path):
    path = tmp_path / "net.pt2"
    exported_for_one_size(Bright(), path, torch.rand(1, 1, 96, 128))
    segmenter = load_own_model(path, view=AllAtOnce(), device="cpu")

    with pytest.raises(
        ValueError, match="reads 96 x 128 pixels only, 180 are too many"
    ):
        segmenter.prepare(IMAGE).predict(WITHIN)


def test_classes_are_chosen_as_for_a_network(tmp_path: Path):
    path = tmp_path / "tones.pt2"
    exported(Tones(), path, torch.rand(1, 1, 64, 96))
    bright = Softmax(foreground=(1, 2))

    segmenter = load_own_model(path, output=bright, device="cpu")
    mask = segmenter.prepare(IMAGE).predict(Clicks.at([(40, 50)])) > 0.5

    assert mask.sum() == pytest.approx(np.pi * 15**2, rel=0.15)


def test_an_exported_file_has_layers_to_refine(tmp_path: Path):
    """As its network: features are refined alike."""
    net = nn.Sequential(tiny_unet(), nn.ReLU(), nn.Conv2d(1, 1, 1)).eval()
    exported(net, tmp_path / "net.pt2", torch.rand(1, 1, 192, 256))
    network = make_interactive(net, output=Binary(), variant="b", device="cpu")

    file = load_own_model(
        tmp_path / "net.pt2", output=Binary(), variant="b", device="cpu"
    )

    np.testing.assert_allclose(
        file.prepare(IMAGE).predict(WITHIN),
        network.prepare(IMAGE).predict(WITHIN),
        atol=1e-4,
    )


def test_torchscript_hides_its_layers(tmp_path: Path):
    scripted(Bright(), tmp_path / "net.pt", torch.rand(1, 1, 64, 64))

    with pytest.raises(ValueError, match=r"shows no layers; .* use torch.export if it"):
        load_own_model(tmp_path / "net.pt", variant="b", device="cpu")


# ------------------------------------------------------------------- what does not work


def text(path: Path) -> None:
    path.write_text("no model")


def state_dict(path: Path) -> None:
    torch.save(Bright().state_dict(), path)


def pickled(path: Path) -> None:
    torch.save(Bright(), path)


def other_archive(path: Path) -> None:
    with ZipFile(path, "w") as archive:
        archive.writestr("letter.txt", "Dear reader")


def broken_script(path: Path) -> None:
    with ZipFile(path, "w") as archive:
        archive.writestr("net/constants.pkl", "")


def broken_export(path: Path) -> None:
    with ZipFile(path, "w") as archive:
        archive.writestr("net/archive_format", "pt2")


FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "no file": (lambda _: None, "there is no file .*net.pt"),
    "text": (
        text,
        r"net.pt is neither a TorchScript nor a torch.export file; save the",
    ),
    "weights": (state_dict, "net.pt holds weights, or a pickled network, and not the"),
    "pickled": (
        pickled,
        "net.pt holds weights, or a pickled network, and not the code",
    ),
    "archive": (
        other_archive,
        "net.pt holds something else and not the code to run it",
    ),
    "broken script": (
        broken_script,
        r"net.pt could not be read by torch \d.*; save it",
    ),
    "broken export": (
        broken_export,
        r"net.pt could not be read by torch \d.*; save it",
    ),
}


@pytest.mark.parametrize("problem", FILES)
def test_a_file_that_is_no_model_is_refused(problem: str, tmp_path: Path):
    make, sentence = FILES[problem]
    make(tmp_path / "net.pt")

    with pytest.raises(ValueError, match=sentence):
        load_own_model(tmp_path / "net.pt", device="cpu")


class Labels(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.conv(image).argmax(1, keepdim=True).float() - 0.5


class Global(Labels):
    def forward(self, image: Tensor) -> Tensor:
        return self.conv(image).mean((2, 3))


MODELS: dict[str, tuple[nn.Module, str]] = {
    "labels": (Labels(), "cannot be differentiated: .*not labels"),
    "one number": (
        Global(),
        r"has shape \(1, 3\), expected \(1, classes, height, width",
    ),
    "classes": (Tones(), "gives 3 channels, not one; say output=Softmax"),
    "two channels": (nn.Conv2d(2, 1, 1), "could not be run on an image"),
}


@pytest.mark.parametrize("save", [scripted, exported_for_one_size])
@pytest.mark.parametrize("problem", MODELS)
def test_a_model_that_cannot_be_converted_is_refused(
    problem: str, save: Save, tmp_path: Path
):
    net, sentence = MODELS[problem]
    channels = 2 if problem == "two channels" else 1
    save(net, tmp_path / "net", torch.rand(1, channels, 64, 64))
    output = Binary() if problem == "labels" else None

    with pytest.raises(ValueError, match=sentence):
        load_own_model(tmp_path / "net", output=output, device="cpu")


def test_a_pickle_in_a_file_is_not_run(tmp_path: Path):
    """torch.save files are refused before anything in them is read."""
    ran = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return Path.touch, (ran,)

    torch.save(Evil(), tmp_path / "net.pt")

    with pytest.raises(ValueError, match="holds weights, or a pickled network"):
        load_own_model(tmp_path / "net.pt", device="cpu")
    assert not ran.exists()


def test_what_the_page_shows_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Given a network for three classes and its file, as the page names them."""
    page = (ROOT / "docs" / "your_own_model.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exported(Tones(), tmp_path / "net.pt2", torch.rand(1, 1, 64, 96))
    monkeypatch.chdir(tmp_path)
    names = {"net": Tones(), "image": IMAGE}

    for block in blocks:
        exec(block.replace("label=12", "label=1").replace("label=15", "label=2"), names)

    assert len(blocks) == 3
    assert "torch.export.save(torch.export.export(" in page
