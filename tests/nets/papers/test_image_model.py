"""The papers' networks as the rest of the package uses them: arrays and clicks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from napari_iseg.click_maps import DistanceMaps
from napari_iseg.clicks import Clicks
from napari_iseg.nets.papers import NETWORKS, network
from napari_iseg.nets.papers.image_model import ImageModel
from tests.nets.papers.measures import awake

ONE = Clicks.at(positive=[(10, 12)])
TWO = Clicks.at(positive=[(10, 12)], negative=[(30, 3)])


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).random((40, 33, 3), np.float32)


def model(name: str) -> ImageModel:
    torch.manual_seed(0)
    return ImageModel(awake(network(name)(width=1 / 32)))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_mask_comes_with_its_probability(name, image) -> None:
    paper = model(name)

    answer = paper.answer(paper.look(image), ONE)

    assert answer.logits.dtype == answer.scores.dtype == np.float32
    assert answer.logits.shape == (len(answer.scores), 40, 33)
    assert answer.scores.sum() == pytest.approx(1)


def test_latent_diversity_offers_its_six_masks(image) -> None:
    paper = model("latent-diversity")

    answer = paper.answer(paper.look(image), ONE)

    assert answer.scores.shape == (6,)
    assert len({mask.tobytes() for mask in answer.logits}) == 6


@pytest.mark.parametrize("name", NETWORKS)
def test_what_was_seen_serves_any_clicks_in_any_order(name, image) -> None:
    paper = model(name)
    seen = paper.look(image)
    first = paper.answer(seen, ONE)
    other = paper.answer(seen, TWO)

    again, fresh = paper.answer(seen, ONE), paper.answer(paper.look(image), TWO)

    np.testing.assert_array_equal(first.logits, again.logits)
    np.testing.assert_array_equal(other.logits, fresh.logits)
    assert (first.logits != other.logits).any()


def test_the_image_stream_runs_once_for_many_clicks(image) -> None:
    paper = model("fctsfn")
    runs: list[int] = []
    paper.net.two_streams.image.register_forward_hook(lambda *_: runs.append(1))

    seen = paper.look(image)
    for clicks in (ONE, TWO, ONE):
        paper.answer(seen, clicks)

    assert len(runs) == 1


def test_views_and_other_number_types_are_read(image) -> None:
    paper = model("ifcn")
    turned = image.transpose(1, 0, 2)

    of_view = paper.answer(paper.look(turned), ONE)
    of_doubles = paper.answer(paper.look(turned.copy().astype(np.float64)), ONE)

    np.testing.assert_array_equal(of_view.logits, of_doubles.logits)


def test_a_click_outside_the_image_is_refused(image) -> None:
    paper = model("ifcn")

    with pytest.raises(ValueError, match="outside"):
        paper.answer(paper.look(image), Clicks.at(positive=[(40, 0)]))


class Counts(NamedTuple):
    logits: Tensor


class CountsClicks(nn.Module):
    """Answers everywhere with the number of clicks it was told."""

    encoder = DistanceMaps()

    def forward(self, image: Tensor, maps: Tensor, clicks: list[Clicks]) -> Counts:
        return Counts(torch.full_like(image[:, :1], float(len(clicks[0]))))


def test_networks_that_place_regions_are_told_the_clicks(image) -> None:
    paper = ImageModel(CountsClicks())

    answer = paper.answer(paper.look(image), TWO)

    assert (answer.logits == 2).all()
