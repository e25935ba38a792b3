"""What every paper's network promises, tried on each of them."""

from __future__ import annotations

from inspect import signature

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from napari_iseg.clicks import Clicks
from napari_iseg.nets.papers import NETWORKS, network
from tests.nets.papers.measures import awake, parameter_count

NARROW = 1 / 16
GRID = (48, 40)
ONE = Clicks.at(positive=[(24, 20)])
TWO = Clicks.at(positive=[(24, 20)], negative=[(5, 6)])


@pytest.fixture(params=list(NETWORKS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def net(name: str) -> nn.Module:
    torch.manual_seed(0)
    return awake(network(name)(width=NARROW)).eval()


def image_of(grid: tuple[int, int], seed: int = 0) -> Tensor:
    return torch.rand(1, 3, *grid, generator=torch.Generator().manual_seed(seed))


def maps_of(net: nn.Module, clicks: Clicks, grid: tuple[int, int]) -> Tensor:
    return torch.from_numpy(net.encoder(clicks, grid))[None]


def asked(net: nn.Module, image: Tensor, maps: Tensor, *clicks: Clicks) -> Tensor:
    """Logits; networks that place regions by clicks are told them."""
    wanted = "clicks" in signature(net.forward).parameters
    told = {"clicks": list(clicks)} if wanted else {}
    return net(image, maps, **told).logits


def answered(net: nn.Module, clicks: Clicks, grid: tuple[int, int] = GRID) -> Tensor:
    with torch.no_grad():
        return asked(net, image_of(grid), maps_of(net, clicks, grid), clicks)


@pytest.mark.parametrize("grid", [(1, 1), (31, 57), (64, 64)])
def test_logits_cover_images_of_any_size(net: nn.Module, grid) -> None:
    logits = answered(net, Clicks.at(positive=[(0, 0)]), grid)

    assert logits.dtype == torch.float32
    assert logits.shape[0] == 1
    assert logits.shape[2:] == grid
    assert logits.isfinite().all()


def test_its_encoder_draws_what_it_wants_to_see(net: nn.Module) -> None:
    maps = net.encoder(TWO, GRID)

    assert maps.shape == (2, *GRID)
    assert maps.dtype == np.float32


def test_no_click_at_all_is_a_question_too(net: nn.Module) -> None:
    assert answered(net, Clicks()).isfinite().all()


def test_each_click_moves_the_answer(net: nn.Module) -> None:
    none, one, two = (answered(net, clicks) for clicks in (Clicks(), ONE, TWO))

    assert not torch.allclose(none, one)
    assert not torch.allclose(one, two)


def test_equal_questions_have_equal_answers_whatever_came_between(
    net: nn.Module,
) -> None:
    first = answered(net, ONE)
    answered(net, TWO)

    assert torch.equal(first, answered(net, ONE))


def test_the_answer_is_differentiable_in_the_click_maps(net: nn.Module) -> None:
    maps = maps_of(net, ONE, GRID).requires_grad_()

    asked(net, image_of(GRID), maps, ONE).sigmoid().sum().backward()

    assert maps.grad is not None
    assert all(channel.any() for channel in maps.grad[0])


def test_questions_asked_together_do_not_disturb_each_other(net: nn.Module) -> None:
    images = torch.cat([image_of(GRID, seed) for seed in (1, 2)])
    maps = torch.cat([maps_of(net, clicks, GRID) for clicks in (ONE, TWO)])

    with torch.no_grad():
        together = asked(net, images, maps, ONE, TWO)
        alone = [
            asked(net, images[i : i + 1], maps[i : i + 1], (ONE, TWO)[i])
            for i in range(2)
        ]

    assert torch.allclose(together, torch.cat(alone), rtol=1e-3, atol=1e-4)


def test_what_is_asked_is_left_as_it_was(net: nn.Module) -> None:
    image, maps = image_of(GRID), maps_of(net, ONE, GRID)
    before = image.clone(), maps.clone()

    with torch.no_grad():
        asked(net, image, maps, ONE)

    assert torch.equal(image, before[0])
    assert torch.equal(maps, before[1])


def test_weights_survive_being_arrays(name: str, net: nn.Module) -> None:
    arrays = {k: v.numpy().copy() for k, v in net.state_dict().items()}
    again = network(name)(width=NARROW).eval()

    again.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()})

    assert torch.equal(answered(net, TWO), answered(again, TWO))


def test_width_is_the_only_difference_to_a_laptop_s_size(name: str) -> None:
    build = network(name)

    counts = [parameter_count(lambda w=w: build(width=w)) for w in (1, 0.5, NARROW)]

    assert counts == sorted(counts, reverse=True)
    assert counts[-1] <= 1_500_000


def test_only_the_paper_s_width_is_pretrained(name: str) -> None:
    with pytest.raises(ValueError, match=r"only width=1\.0, not width=0\.5"):
        network(name)(width=0.5, pretrained=True)


def test_offline_one_sentence_says_which_file_to_put_where(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    def offline(*_arguments: object, **_named: object) -> None:
        raise OSError("no route")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)

    with pytest.raises(ValueError, match=r"could not download .* put it at") as said:
        network(name)(pretrained=True)

    assert str(tmp_path) in str(said.value)


def test_a_name_that_is_no_paper_s_is_refused() -> None:
    with pytest.raises(ValueError, match="no paper's network is called 'sam'; there"):
        network("sam")
