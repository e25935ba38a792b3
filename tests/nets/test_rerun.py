"""A network asked again from a layer on answers as if asked from the start."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from napari_iseg.clicks import Clicks
from napari_iseg.nets.papers import NETWORKS
from napari_iseg.nets.rerun import rerun
from napari_iseg.refine.handles import LAYERS
from tests.tiny_papers import tiny_net

GRID = (48, 40)
CLICKS = Clicks.at(positive=[(24, 20)], negative=[(5, 6)])


class Small(nn.Module):
    """Works in place, calls one layer twice and leaves another out."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(inplace=True))
        self.twice = nn.Conv2d(3, 3, 3, padding=1)
        self.last = nn.Conv2d(3, 1, 1)
        self.unused = nn.Conv2d(1, 1, 1)
        self.calls: list[str] = []
        for name, layer in self.named_modules():
            layer.register_forward_pre_hook(lambda *_, n=name: self.calls.append(n))

    def forward(self, image: Tensor) -> Tensor:
        seen = self.first(image)
        return self.last(self.twice(self.twice(seen).relu_() + seen))


@pytest.fixture
def small() -> tuple[Small, Callable[[], Tensor]]:
    torch.manual_seed(0)
    net, image = Small(), torch.rand(1, 1, 9, 9)
    return net, lambda: net(image)


@pytest.mark.parametrize("layer", ["first", "first.0", "twice", "last"])
def test_without_a_change_the_answer_is_the_same(small, layer: str) -> None:
    net, ask = small
    usual = ask()

    again = rerun(net, ask, layer)

    for _ in range(2):
        torch.testing.assert_close(again(lambda _, made: made), usual, rtol=0, atol=0)
    torch.testing.assert_close(again.plain, usual, rtol=0, atol=0)
    torch.testing.assert_close(ask(), usual, rtol=0, atol=0)


@pytest.mark.parametrize("layer", ["first", "twice", "last"])
def test_a_change_does_what_it_would_have_done_from_the_start(small, layer) -> None:
    net, ask = small
    hook = net.get_submodule(layer).register_forward_hook(lambda *a: 2 * a[2] + 1)
    expected = ask()
    hook.remove()

    changed = rerun(net, ask, layer)(lambda _, made: 2 * made + 1)

    torch.testing.assert_close(changed, expected, rtol=0, atol=0)


def test_what_comes_before_is_not_computed_again(small) -> None:
    net, ask = small
    again = rerun(net, ask, "last")
    inner = {"first.0", "first.1"}
    net.calls.clear()

    again(lambda _, made: made)

    assert not inner & set(net.calls)


def test_the_change_has_a_gradient(small) -> None:
    net, ask = small
    bias = torch.zeros(3, 1, 1, requires_grad=True)

    rerun(net, ask, "twice")(lambda _, made: made + bias).sum().backward()

    assert bias.grad is not None
    assert bias.grad.any()


def test_a_network_is_left_as_it_was_even_after_a_failure(small) -> None:
    net, ask = small
    again = rerun(net, ask, "twice")

    with pytest.raises(ZeroDivisionError):
        again(lambda _given, _made: 1 / 0)

    for layer in net.modules():
        assert "forward" not in vars(layer)
        assert not layer._forward_hooks


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("third", "Small has no layer 'third'"),
        ("unused", "Small was asked without its layer 'unused'"),
    ],
)
def test_a_layer_that_is_not_there_is_named(small, layer: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rerun(*small, layer)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_paper_s_network_can_be_asked_again_from_its_layers(name: str) -> None:
    net = tiny_net(name)
    image = torch.rand(1, 3, *GRID, generator=torch.Generator().manual_seed(0))
    maps = torch.from_numpy(net.encoder(CLICKS, GRID))[None]
    told = {"clicks": [CLICKS]} if name == "ris-net" else {}

    def ask() -> Tensor:
        return net(image, maps, **told).logits

    with torch.no_grad():
        usual = ask()
        for layer in LAYERS[type(net).__name__].values():
            again = rerun(net, ask, layer)(lambda _, made: made * 1 + 0)
            assert torch.equal(again, usual), layer
