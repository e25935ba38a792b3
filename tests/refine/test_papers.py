"""The papers' networks as methods: by windows, as published, with all they offer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from napari_iseg import catalog
from napari_iseg.clicks import Click, Clicks
from napari_iseg.nets.papers import NETWORKS
from napari_iseg.nets.papers.description import Description
from napari_iseg.nets.papers.paper_model import promised_iou
from napari_iseg.refine import papers
from napari_iseg.refine.windowed import Windowed
from tests.nets.papers.measures import awake
from tests.published_papers import entry_of
from tests.tiny_papers import tiny_segmenter

ON_CELL = Clicks.at(positive=[(60, 70)])
MORE = ON_CELL.adding(Click(30, 20, is_positive=False)).adding(Click(64, 72))


def picture() -> np.ndarray:
    rows, columns = np.indices((131, 157))
    cell = (rows - 60) ** 2 + (columns - 70) ** 2 < 20**2
    noise = np.random.default_rng(0).normal(60, 8, cell.shape)
    return np.clip(noise + 90 * cell, 0, 255).astype(np.uint8)


def weights_of(name: str, folder: Path, **arguments: object) -> Path:
    kind = Description(name, {"width": 1 / 32, **arguments})
    torch.manual_seed(0)
    path = folder / f"{name}.safetensors"
    save_file(awake(kind.build()).state_dict(), path, metadata=kind.metadata())
    return path


@pytest.mark.parametrize("name", NETWORKS)
def test_a_weights_file_becomes_a_method_of_its_name(name: str, tmp_path: Path):
    build = getattr(papers, name.replace("-", "_"))

    segmenter = build(device="cpu", weights=weights_of(name, tmp_path))
    probability = segmenter.prepare(picture()).predict(MORE)

    assert segmenter.device == "cpu"
    assert probability.shape == (131, 157)
    assert np.isfinite(probability).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_an_entry_of_the_catalogue_is_all_that_a_network_needs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(catalog, "ENTRIES", {name: entry_of(name)})
    weights = weights_of(name, tmp_path)

    segmenter = catalog.load_segmenter(name, device="cpu", weights=weights)

    assert segmenter.prepare(picture()).predict(ON_CELL).shape == (131, 157)


def test_weights_of_another_network_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="weights of 'ifcn', not of 'fctsfn'"):
        papers.fctsfn(device="cpu", weights=weights_of("ifcn", tmp_path))


def test_every_mask_of_latent_diversity_is_an_alternative():
    """All six, by the probability that its selection network gives them."""
    predictor = tiny_segmenter("latent-diversity").prepare(picture())

    for clicks in (ON_CELL, MORE):
        found = predictor.alternatives(clicks)
        scores = [score for _, score in found]

        assert len(found) == 6
        assert sum(scores) == pytest.approx(1)
        assert scores == sorted(scores, reverse=True)
        np.testing.assert_array_equal(found[0][0], predictor.predict(clicks))


def test_the_image_stream_runs_once_for_all_clicks_in_a_window():
    """Given windows that are wide enough for whatever the network answers."""
    made = tiny_segmenter("fctsfn")
    segmenter = replace(made, policy=replace(made.policy, smallest=400, reconsider=0))
    streams: list[int] = []
    model = segmenter.model
    assert isinstance(model, papers.PaperModel)
    model.images.net.two_streams.image.register_forward_hook(
        lambda *_: streams.append(1)
    )
    predictor = segmenter.prepare(picture())
    predictor.predict(ON_CELL)
    window, before = predictor.state(ON_CELL).window, len(streams)

    later = predictor.state(MORE)

    assert later.window == window
    assert len(streams) == before


def test_what_was_remembered_changes_no_answer(monkeypatch: pytest.MonkeyPatch):
    usual = tiny_segmenter("fctsfn").prepare(picture()).predict(MORE)
    monkeypatch.setattr("napari_iseg.refine.windowed.REMEMBERED", 0)
    monkeypatch.setattr("napari_iseg.refine.windowed.LOOKED_AT", 0)

    forgetful = tiny_segmenter("fctsfn").prepare(picture()).predict(MORE)

    np.testing.assert_array_equal(usual, forgetful)


class Told(nn.Module):
    """Marks the mask it is told, or the whole window without one; says the clicks."""

    masked = True

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[Clicks, bool]] = []

    def encoder(self, clicks: Clicks, grid: tuple[int, int]) -> np.ndarray:
        maps = np.zeros((2, *grid), np.float32)
        for click in clicks:
            maps[int(not click.is_positive), click.row, click.column] = 1
        return maps

    def forward(self, image, maps, clicks, mask=None):
        self.heard.append((clicks[0], mask is not None))
        rows, columns = (torch.arange(side) for side in image.shape[-2:])
        row, column = (maps[0, 0] > 0).nonzero()[0]
        near = (rows[:, None] - row).abs().clamp(min=(columns - column).abs()) < 30
        logits = near.float() * 8 - 4
        return Answer(logits[None, None])


class Answer:
    def __init__(self, logits: torch.Tensor) -> None:
        self.logits = logits


def test_a_network_with_a_mask_channel_is_told_the_answer_so_far():
    """And every network that wants clicks gets those of its window, in its pixels."""
    net = Told()
    predictor = papers.segmenter_of(net).prepare(picture())

    predictor.predict(ON_CELL)
    overviews = [has_mask for _, has_mask in net.heard[:-1]]
    clicks, has_mask = net.heard[-1]

    assert has_mask
    assert not any(overviews[:1])
    assert len(clicks) == 1
    window = predictor.state(ON_CELL).window
    assert window is not None
    row, column = window.point(ON_CELL.last)
    assert abs(clicks.last.row - row) <= 0.5
    assert abs(clicks.last.column - column) <= 0.5


def test_a_window_holds_every_positive_click_even_those_that_are_not_obeyed():
    far = ON_CELL.adding(Click(125, 150)).adding(Click(62, 70))
    predictor = tiny_segmenter("ifcn").prepare(picture())

    window = predictor.state(far).window

    assert window is not None
    assert all(window.holds(click) for click in far)


def test_the_clicks_are_not_forced_on_a_network_as_published():
    segmenter = tiny_segmenter("ifcn")

    assert isinstance(segmenter, Windowed)
    assert not segmenter.policy.obey


@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        ([[50.0, 50.0], [-50.0, -50.0]], 1.0),
        ([[1e4, -1e4]], 1.0),
        ([[-50.0, -50.0]], 0.0),
        ([[np.log(3), -np.log(3)]], 0.75 / 1.25),
    ],
    ids=["sure", "refined", "empty", "doubtful"],
)
def test_the_promised_iou_is_what_the_probabilities_expect(logits, expected):
    assert promised_iou(np.float32(logits)) == pytest.approx(expected)
