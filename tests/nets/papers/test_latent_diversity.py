"""Latent Diversity: many masks, one of them chosen."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from napari_iseg.clicks import Clicks
from napari_iseg.nets.papers import latent_diversity
from napari_iseg.nets.papers.latent_diversity import (
    Answer,
    ContextNet,
    LatentDiversity,
    UNet,
    clicked,
)
from tests.nets.papers.measures import (
    awake,
    disc,
    iou,
    learn,
    maps_of,
    middle_click,
    parameter_count,
    receptive_field,
    unreached,
)

# Kernel, dilation, receptive field of layers 2 to 11: the paper's table 1.
TABLE_1 = [
    *[(3, 1, 3), (3, 2, 7), (3, 4, 15), (3, 8, 31), (3, 16, 63), (3, 32, 127)],
    *[(3, 64, 255), (3, 128, 511), (3, 1, 513), (1, 1, 513)],
]


@pytest.fixture
def net() -> LatentDiversity:
    torch.manual_seed(0)
    return awake(LatentDiversity(width=1 / 16)).eval()


def question(*size: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.rand(1, 3, *size), 255 * torch.rand(1, 2, *size)


def test_f_has_the_layers_of_table_1() -> None:
    with torch.device("meta"):
        net = LatentDiversity()

    convolutions = [m for m in net.segment.modules() if isinstance(m, nn.Conv2d)]

    assert net.project.weight.shape == (64, 1479, 1, 1)
    assert [(m.kernel_size[0], m.dilation[0]) for m in convolutions] == [
        row[:2] for row in TABLE_1
    ]
    assert [m.out_channels for m in convolutions] == [64] * 9 + [6]


def test_g_has_the_same_layers_but_the_first() -> None:
    with torch.device("meta"):
        net = LatentDiversity()

    shapes = [m.weight.shape[:2] for m in net.select.modules() if hasattr(m, "weight")]

    assert shapes == [(64, 13), *[(64, 64)] * 8, (6, 64)]


def test_every_layer_sees_as_far_as_table_1_says() -> None:
    net = ContextNet(1, 1, 1).double()

    for number, (_, _, field) in enumerate(TABLE_1[:9], 1):
        part = ContextNet(1, 1, 1).double()
        del part.layers[number:], part.norms[number:]
        assert receptive_field(part, (1, 8, 701)) == field
    assert receptive_field(net, (1, 8, 701)) == 513


def test_f_g_and_what_they_stand_on_have_the_parameters_of_their_layers() -> None:
    f = 1479 * 64 + 64 + 9 * (64 * 64 * 9 + 64) + 64 * 6 + 6
    g = 13 * 64 * 9 + 64 + 8 * (64 * 64 * 9 + 64) + 64 * 6 + 6
    vgg = 15_304_768  # VGG-19 up to conv5-2

    assert (f, g) == (427_462, 303_366)
    assert parameter_count(LatentDiversity) == f + g + vgg
    assert parameter_count(lambda: LatentDiversity(selects=False)) == f + vgg


def test_the_u_net_variant_is_ronneberger_s() -> None:
    with torch.device("meta"):
        net = LatentDiversity(body=UNet)

    widths = [level[-2].out_channels for level in net.segment.down]

    assert widths == [64, 128, 256, 512, 1024]


@pytest.mark.parametrize("size", [(1, 1), (37, 53), (64, 65)])
@pytest.mark.parametrize("body", [ContextNet, UNet])
def test_every_mask_has_the_image_s_size_and_a_score(size, body) -> None:
    net = LatentDiversity(width=1 / 32, body=body, masks=4)

    answer = net(torch.rand(2, 3, *size), torch.full((2, 2, *size), 255.0))

    assert answer.logits.shape == (2, 4, *size)
    assert answer.scores.shape == (2, 4)
    assert answer.chosen.shape == (2, 1, *size)


def test_layer_1_sees_the_hypercolumn_of_every_pixel(
    net: LatentDiversity,
) -> None:
    image, maps = question(33, 46)
    seen = net.look(image)

    shown = seen.image
    columns = [
        F.interpolate(features, scale_factor=2**n, mode="bilinear")[..., :33, :46]
        for n, features in enumerate(net.hypercolumns(shown))
    ]
    stack = torch.cat([shown, clicked(maps), maps / 255, *columns], 1)

    literally = net.segment(net.project(stack))
    assert torch.allclose(net.answer(seen, maps).logits, literally, atol=1e-4)


def test_the_hypercolumn_is_of_the_second_layer_of_each_stage(
    net: LatentDiversity,
) -> None:
    image, _ = question(32, 32)
    third = next(iter(net.vision.stages[2].layers))

    taps = net.hypercolumns(image)

    assert [t.shape[-1] for t in taps] == [32, 16, 8, 4, 2]
    second_stage = F.max_pool2d(taps[1], 2)
    first = F.relu(third(second_stage))
    assert torch.allclose(taps[2], F.relu(net.vision.stages[2].layers[1](first)))


def test_the_clicked_pixels_are_read_off_the_distances() -> None:
    clicks = Clicks.at(positive=[(2, 3), (5, 5)], negative=[(0, 0)])
    maps = torch.from_numpy(LatentDiversity.encoder(clicks, (8, 8)))[None]

    positive, negative = clicked(maps)[0]

    assert positive.nonzero().tolist() == [[2, 3], [5, 5]]
    assert negative.nonzero().tolist() == [[0, 0]]


@pytest.mark.parametrize("place", [(3.5, 3.5), (2.2, 4.9)])
def test_a_click_between_pixels_is_not_lost(place) -> None:
    rows, columns = torch.meshgrid(*[torch.arange(8.0)] * 2, indexing="ij")
    away = ((rows - place[0]) ** 2 + (columns - place[1]) ** 2).sqrt()

    assert clicked(away).any()


@pytest.mark.parametrize("width", [0.25, 1.0])
def test_image_and_clicks_weigh_as_much_as_the_features_at_first(width: float) -> None:
    """Seven channels beside hundreds were not heard for thousands of steps."""
    torch.manual_seed(0)
    weight = LatentDiversity(width).project.weight.detach()

    beside, features = weight[:, :7], weight[:, 7:]

    assert float(beside.square().sum() / features.square().sum()) == pytest.approx(
        1, abs=0.25
    )


@pytest.mark.parametrize("limit", [48.0, 255.0])
def test_distances_are_told_as_shares_of_where_they_are_cut(limit: float) -> None:
    torch.manual_seed(0)
    near = awake(LatentDiversity(1 / 16, limit=limit)).eval()
    usual = awake(LatentDiversity(1 / 16)).eval()
    usual.load_state_dict(near.state_dict())
    image, shares = torch.rand(1, 3, 32, 32), 0.1 + 0.9 * torch.rand(1, 2, 32, 32)

    assert torch.allclose(
        near(image, limit * shares).logits, usual(image, 255 * shares).logits, atol=1e-5
    )


@pytest.mark.parametrize("body", [ContextNet, UNet])
def test_gradients_reach_every_parameter_of_f_and_g(body) -> None:
    torch.manual_seed(0)
    net = awake(LatentDiversity(width=1 / 16, body=body))
    answer = net(*question(48, 48))

    (answer.logits.square().mean() + answer.scores.square().mean()).backward()

    assert unreached(net) == []


def test_training_g_leaves_f_alone(net: LatentDiversity) -> None:
    net(*question(32, 32)).scores.square().mean().backward()

    assert all(p.grad is not None for p in net.select.parameters())
    assert all(p.grad is None for p in net.segment.parameters())


def test_the_network_learns_an_object_by_heart() -> None:
    torch.manual_seed(0)
    net = LatentDiversity(width=1 / 8, masks=2)
    image, truth = disc(48)
    inputs = (image, maps_of(net, 48, middle_click(48)))

    learn(net, truth, inputs, steps=50, rate=5e-3)

    assert iou(net(*inputs).logits[:, :1], truth) > 0.9


def test_g_learns_which_mask_is_meant() -> None:
    torch.manual_seed(0)
    net = LatentDiversity(width=1 / 8, masks=3)
    seen, maps = net.look(question(32, 32)[0]), question(32, 32)[1]
    optimiser = torch.optim.Adam(net.select.parameters(), 5e-3)
    for _ in range(20):
        loss = F.cross_entropy(net.answer(seen, maps).scores, torch.tensor([2]))
        optimiser.zero_grad()
        loss.backward(retain_graph=True)
        optimiser.step()

    answer = net.answer(seen, maps)

    assert answer.probabilities[0].argmax() == 2
    assert torch.equal(answer.chosen, answer.logits[:, 2:])


def test_scores_are_told_in_the_order_of_the_masks(net: LatentDiversity) -> None:
    image, maps = question(32, 32)
    order = torch.tensor([2, 0, 1, 5, 4, 3])
    plain, shuffled = net(image, maps), net(image, maps, order)
    with torch.no_grad():  # a g that is blind to places scores the same in any order
        kernel = net.select.layers[0].weight
        kernel[:, 7:] = kernel[:, 7:].mean(1, keepdim=True)
        for parameter in net.select.out.parameters():
            parameter.copy_(parameter[:1].expand_as(parameter))

    assert torch.equal(plain.logits, shuffled.logits)
    assert not torch.allclose(plain.scores, shuffled.scores)
    assert torch.allclose(net(image, maps).scores, net(image, maps, order).scores)


def test_probabilities_of_the_masks_add_up_to_one(net: LatentDiversity) -> None:
    with torch.no_grad():
        answer = net(*question(32, 32))

    assert answer.probabilities.shape == (1, 6)
    assert answer.probabilities.sum().item() == pytest.approx(1)


def test_the_chosen_mask_is_the_one_with_the_best_score() -> None:
    logits = torch.randn(2, 3, 4, 4)

    answer = Answer(logits, torch.tensor([[0.0, 2, 1], [3, 2, 1]]))

    assert torch.equal(answer.chosen, torch.stack([logits[0, 1:2], logits[1, :1]]))


def test_without_g_the_masks_are_ranked_by_their_order() -> None:
    net = LatentDiversity(width=1 / 32, selects=False)

    answer = net(*question(32, 32))

    assert torch.equal(answer.chosen, answer.logits[:, :1])
    halves = answer.probabilities[0, :-1] / answer.probabilities[0, 1:]
    assert torch.allclose(halves, torch.tensor(2.0))  # lambda_m of equation 7


def test_clicks_move_masks_and_scores(net: LatentDiversity) -> None:
    image, _ = disc(48)
    clicks = middle_click(48)

    without, positive = (
        net(image, maps_of(net, 48, one)) for one in (clicks.prefix(0), clicks)
    )

    assert not torch.allclose(without.logits, positive.logits)
    assert not torch.allclose(without.scores, positive.scores)


def test_what_depends_on_the_image_alone_can_be_kept(net: LatentDiversity) -> None:
    image, maps = question(40, 40)
    seen = net.look(image)
    net.answer(seen, 255 - maps)

    again, fresh = net.answer(seen, maps), net(image, maps)

    assert torch.equal(again.logits, fresh.logits)
    assert torch.equal(again.scores, fresh.scores)


def test_the_same_question_has_the_same_answer(net: LatentDiversity) -> None:
    inputs = question(40, 40)

    assert torch.equal(net(*inputs).logits, net(*inputs).logits)


@pytest.mark.parametrize("selects", [True, False])
def test_a_network_survives_its_state_dict(*, selects: bool) -> None:
    net, again = (LatentDiversity(width=1 / 32, selects=selects) for _ in range(2))
    inputs = question(32, 32)

    again.load_state_dict(net.state_dict())

    assert torch.equal(net(*inputs).logits, again(*inputs).logits)
    assert torch.equal(net(*inputs).scores, again(*inputs).scores)


def test_pretrained_vgg_is_kept_as_it_is(monkeypatch) -> None:
    template = LatentDiversity(width=1 / 32)
    tensors = {}
    for number, layer in enumerate(template.vision.convolutions()):
        tensors[f"features.{number}.weight"] = layer.weight.detach() + 1
        tensors[f"features.{number}.bias"] = layer.bias.detach() + 2
    monkeypatch.setattr(latent_diversity, "vgg_tensors", lambda depth: tensors)
    monkeypatch.setattr(latent_diversity, "whole", lambda width: None)

    net = LatentDiversity(width=1 / 32, pretrained=True)

    layers = net.vision.convolutions()
    assert all(
        torch.equal(layer.weight, tensors[f"features.{n}.weight"])
        for n, layer in enumerate(layers)
    )
    assert not any(p.requires_grad for p in net.vision.parameters())
    assert all(p.requires_grad for p in net.segment.parameters())


def test_without_network_it_says_which_file_to_put_where(monkeypatch) -> None:
    def offline(depth: int) -> None:
        raise ValueError(f"could not download vgg{depth}")

    monkeypatch.setattr(latent_diversity, "vgg_tensors", offline)

    with pytest.raises(ValueError, match="could not download vgg19"):
        LatentDiversity(pretrained=True)


def test_f_and_g_may_be_wider_than_the_vgg_that_they_stand_on() -> None:
    narrow, wide = LatentDiversity(1 / 16), LatentDiversity(1 / 16, context=3.0)

    assert wide.vision.widths == narrow.vision.widths
    for body in (wide.segment, wide.select):
        assert {layer.out_channels for layer in body.layers} == {12}
    assert wide(
        torch.rand(1, 3, 20, 20), torch.full((1, 2, 20, 20), 9.0)
    ).scores.numel()


def test_narrow_networks_are_not_pretrained() -> None:
    with pytest.raises(ValueError, match=r"fit only width=1\.0"):
        LatentDiversity(width=0.5, pretrained=True)
