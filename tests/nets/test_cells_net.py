"""The network behind the default method."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_iseg.nets.cells_net import CellsNet, Judge
from napari_iseg.nets.window_model import CellsModel, fuse, net_from


@pytest.fixture
def net() -> CellsNet:
    torch.manual_seed(0)
    return CellsNet(width=8)


def test_the_shipped_size_has_about_three_million_parameters() -> None:
    count = sum(p.numel() for p in CellsNet().parameters())

    assert 2.5e6 < count < 4e6


@pytest.mark.parametrize("side", [32, 96, 128, 192])
def test_every_hypothesis_has_the_window_s_size_and_a_score(
    net: CellsNet, side: int
) -> None:
    answer = net.eval()(torch.rand(2, 3, side, side), torch.rand(2, 4, side, side))

    assert answer.logits.shape == answer.coarse.shape == (2, 3, side, side)
    assert answer.scores.shape == (2, 3)


def test_gradients_reach_every_parameter(net: CellsNet) -> None:
    answer = net(torch.rand(2, 3, 64, 64), torch.rand(2, 4, 64, 64))

    (answer.logits.square().mean() + answer.scores.square().mean()).backward()

    missing = [
        n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()
    ]
    assert missing == []


def test_the_network_can_learn_one_object_by_heart(net: CellsNet) -> None:
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    truth = ((rows - 16) ** 2 + (columns - 14) ** 2 < 60).float()[None, None]
    image, guides = (
        truth.expand(1, 3, -1, -1) + torch.randn(1, 3, 32, 32) * 0.1,
        torch.zeros(1, 4, 32, 32),
    )
    optimiser = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(40):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            net(image, guides).logits, truth.expand(1, 3, -1, -1)
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    mask = net(image, guides).logits[0, 0] > 0
    both = (mask & (truth[0, 0] > 0)).sum()
    assert both / (mask | (truth[0, 0] > 0)).sum() > 0.9


def test_clicks_move_the_answer(net: CellsNet) -> None:
    net.eval()
    image, guides = torch.rand(1, 3, 64, 64), torch.zeros(1, 4, 64, 64)
    without = net(image, guides).logits
    guides[0, 0, 20:26, 20:26] = 1

    assert not torch.allclose(without, net(image, guides).logits)


def test_features_of_the_image_can_be_kept(net: CellsNet) -> None:
    net.eval()
    image, guides = torch.rand(1, 3, 64, 64), torch.rand(1, 4, 64, 64)
    seen = net.look(image)

    assert torch.equal(net.answer(seen, guides).logits, net(image, guides).logits)


def test_a_glance_has_the_scores_of_the_answer_and_its_coarse_logits(
    net: CellsNet,
) -> None:
    net.eval()
    image, guides = torch.rand(1, 3, 64, 64), torch.rand(1, 4, 64, 64)
    seen = net.look(image)

    glance, answer = net.glance(seen, guides), net.answer(seen, guides)

    assert torch.equal(glance.logits, answer.coarse)
    assert torch.equal(glance.scores, answer.scores)


def test_the_judge_looks_at_the_mask_it_scores() -> None:
    torch.manual_seed(0)
    judge = Judge(8).eval()
    deep, bottom = torch.rand(1, 8, 32, 32), torch.rand(1, 64, 4, 4)
    one = torch.full((32, 32), -8.0)
    one[4:12, 4:12] = 8
    merged = one.clone()
    merged[4:12, 12:30] = 8
    guides = torch.zeros(1, 4, 64, 64)

    scores = judge(deep, bottom, torch.stack([one, merged, one])[None], guides)

    assert scores.shape == (1, 3)
    assert scores[0, 0] == scores[0, 2] != scores[0, 1]


def test_brightness_and_contrast_of_a_window_do_not_matter(net: CellsNet) -> None:
    net.eval()
    image, guides = torch.rand(1, 3, 64, 64) * 3, torch.rand(1, 4, 64, 64)

    a, b = net(image, guides).logits, net(image * 5 + 2, guides).logits

    assert torch.allclose(a, b, atol=0.05)


def test_folded_batch_norms_compute_the_same(net: CellsNet) -> None:
    for _ in range(3):  # running statistics that are not the initial ones
        net(torch.rand(4, 3, 64, 64), torch.rand(4, 4, 64, 64))
    net.eval()
    image, guides = torch.rand(1, 3, 64, 64), torch.rand(1, 4, 64, 64)
    before = net(image, guides).logits

    folded = fuse(net)

    assert not [m for m in folded.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert torch.allclose(before, folded(image, guides).logits, atol=1e-4)


def test_a_network_survives_its_state_dict(net: CellsNet) -> None:
    tensors = {name: t.numpy() for name, t in net.state_dict().items()}

    again = net_from(tensors)

    assert again.width == 8
    assert all(
        torch.equal(a, b)
        for a, b in zip(net.parameters(), again.parameters(), strict=True)
    )


def test_other_weights_are_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match="not of the cells network"):
        net_from({"encoder.weight": np.zeros(3, np.float32)})


def test_the_model_speaks_numpy(net: CellsNet) -> None:
    model = CellsModel(net, "cpu")
    seen = model.look(np.random.default_rng(0).random((2, 64, 64, 3), np.float32))

    answers = model.answer(seen, np.zeros((2, 4, 64, 64), np.float32))

    assert [a.logits.shape for a in answers] == [(3, 64, 64)] * 2
    assert answers[0].logits.dtype == np.float32
    assert ((answers[0].scores >= 0) & (answers[0].scores <= 1)).all()
