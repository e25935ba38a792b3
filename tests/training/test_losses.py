"""What a prediction costs, worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from training.losses.general import click_consistency, dice, normalised_focal
from training.losses.latent_diversity import (
    CODE_RANKS,
    click_penalty,
    hindsight,
    ranked_diversity,
    ranks,
    relaxed_jaccard,
    released,
    selection,
)
from training.losses.pixelwise import (
    bootstrapped,
    coarse_and_fine,
    cross_entropy,
    summed_cross_entropy,
)
from training.losses.regions import (
    discounted_entropies,
    discounted_rewards,
    fused,
    greedy_order,
)

LN2 = math.log(2)


def row(*values: float) -> Tensor:
    """An image of one row, ``(1, 1, 1, W)``."""
    return torch.tensor(values, dtype=torch.float32)[None, None, None]


def both(*answers: Tensor) -> Tensor:
    return torch.cat(answers, 1)


def everything(like: Tensor) -> Tensor:
    return torch.ones_like(like)


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def test_jaccard_distance_of_hard_and_soft_masks() -> None:
    truth = row(1, 1, 0, 0)

    assert relaxed_jaccard(row(1, 1, 0, 0), truth).item() == pytest.approx(0, abs=1e-5)
    assert relaxed_jaccard(row(1, 0, 1, 0), truth).item() == pytest.approx(2 / 3)
    # smaller of each pair: .5 + 1 = 1.5; larger: 1 + 1 + .25 = 2.25
    assert relaxed_jaccard(row(0.5, 1, 0.25, 0), truth).item() == pytest.approx(1 / 3)
    assert relaxed_jaccard(row(0, 0, 0, 0), row(0, 0, 0, 0)).item() == 0


@given(arrays("float32", (3, 5), elements=st.floats(0, 1, width=32)))
def test_jaccard_distance_lies_between_0_and_1(values) -> None:
    mask = torch.from_numpy(values)[None, None]

    assert relaxed_jaccard(mask, mask).abs().item() < 1e-5
    assert -1e-5 <= relaxed_jaccard(mask, 1 - mask).item() <= 1 + 1e-5


def test_disobeyed_clicks_cost_what_they_lack() -> None:
    answer = row(0.75, 0.9, 0.2, 0.1)

    cost = click_penalty(answer, row(1, 0, 0, 0), row(0, 0, 1, 1))

    assert cost.item() == pytest.approx(0.25 + 0.2 + 0.1)


def test_only_the_answer_that_turns_out_best_learns() -> None:
    """
    Given two answers, the second nearer to the truth,
    then the cost is the second's and the first gets no gradient.
    """
    answers = both(row(0, 0, 1, 1), row(1, 0.5, 0, 0)).requires_grad_()
    nothing = row(0, 0, 0, 0)

    cost = hindsight(answers, row(1, 1, 0, 0), nothing, nothing)
    cost.sum().backward()

    assert cost.tolist() == pytest.approx([0.25])
    assert answers.grad is not None
    assert answers.grad[0, 0].abs().sum() == 0
    assert answers.grad[0, 1, 0, 1] < 0


def test_an_answer_that_disobeys_a_click_may_be_worse_than_a_poor_one() -> None:
    answers = both(row(0, 1, 1, 1), row(1, 0, 0, 0))
    click, nothing = row(1, 0, 0, 0), row(0, 0, 0, 0)

    cost = hindsight(answers, row(1, 1, 1, 1), click, nothing)

    assert cost.item() == pytest.approx(0.75)  # not 0.25 + 1


def test_ranks_are_the_papers_and_the_codes() -> None:
    assert ranks(6).tolist() == pytest.approx([0.32, 0.16, 0.08, 0.04, 0.02, 0.01])
    assert ranks(6, CODE_RANKS).tolist() == pytest.approx(
        [0.08, 0.04, 0.02, 0.01, 0.005, 0.0025]
    )


def test_the_order_costs_more_for_a_poor_first_answer() -> None:
    good, poor = row(1, 1), row(0, 1)
    truth, nothing = row(1, 1), row(0, 0)

    right = ranked_diversity(both(good, poor), truth, nothing, nothing)
    wrong = ranked_diversity(both(poor, good), truth, nothing, nothing)

    first, second = ranks(2).tolist()
    assert right.item() == pytest.approx(second * 0.5, abs=1e-5)
    assert wrong.item() == pytest.approx(first * 0.5, abs=1e-5)


def test_as_released_the_clicks_bind_every_answer() -> None:
    """The better answer's distance, a little of both, and half of one broken click."""
    answers = both(row(0, 0.5), row(1, 1)).requires_grad_()
    click, nothing = row(1, 0), row(0, 0)

    cost = released(answers, row(1, 1), click, nothing)
    cost.sum().backward()

    first, _ = ranks(2, CODE_RANKS).tolist()
    assert cost.item() == pytest.approx(0.5 * 1 + first * 0.75, abs=1e-5)
    assert answers.grad is not None
    assert answers.grad[0, 0, 0, 0] < -0.5


def test_choosing_is_a_classification_of_the_nearest_answer() -> None:
    answers = both(row(0, 1), row(1, 1), row(0, 0)).requires_grad_()

    undecided = selection(torch.zeros(1, 3), answers, row(1, 1))
    decided = selection(torch.tensor([[0.0, 20.0, 0.0]]), answers, row(1, 1))

    assert undecided.item() == pytest.approx(math.log(3))
    assert decided.item() == pytest.approx(0, abs=1e-6)
    assert not undecided.requires_grad


def test_cross_entropy_is_a_mean_or_a_sum_over_what_counts() -> None:
    logits, truth, counted = row(0, 0, 9, -9), row(1, 0, 0, 1), row(1, 1, 0, 0)

    assert cross_entropy(logits, truth, counted).item() == pytest.approx(LN2)
    assert summed_cross_entropy(logits, truth, counted).item() == pytest.approx(2 * LN2)
    assert cross_entropy(logits, truth, torch.zeros_like(truth)).item() == 0


def test_the_worst_quarter_is_trained_on() -> None:
    """Of eight pixels, two: those with probabilities .1 and .2 of the right label."""
    right = [0.9, 0.8, 0.1, 0.7, 0.95, 0.2, 0.6, 0.99]
    logits = row(*(logit(p) for p in right))
    truth = everything(logits)

    cost = bootstrapped(logits, truth, truth)

    assert cost.item() == pytest.approx(-(math.log(0.1) + math.log(0.2)) / 2, rel=1e-4)


def test_the_worst_pixels_are_sought_among_those_that_count() -> None:
    logits, truth = row(logit(0.1), logit(0.5), logit(0.6), 0), row(1, 1, 1, 1)

    cost = bootstrapped(logits, truth, row(0, 1, 1, 1))

    assert cost.item() == pytest.approx(LN2)  # one pixel at least
    assert bootstrapped(logits, truth, row(0, 0, 0, 0)).item() == 0


@given(
    arrays("float32", (2, 6), elements=st.floats(-9, 9, width=32)),
    st.floats(0.1, 1),
)
def test_the_worst_pixels_cost_at_least_the_mean(values, share: float) -> None:
    logits = torch.from_numpy(values)[None, None]
    truth = torch.zeros_like(logits)

    worst = bootstrapped(logits, truth, everything(logits), share)

    assert (
        worst.item() >= cross_entropy(logits, truth, everything(logits)).item() - 1e-4
    )


def test_both_decoders_are_trained() -> None:
    truth = row(1, 1)

    cost = coarse_and_fine(row(0, 0), row(logit(0.25), logit(0.25)), truth, truth)

    assert cost.item() == pytest.approx(LN2 + math.log(4))


def flat(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float32)


def test_parts_can_only_add_to_the_whole() -> None:
    assert fused(flat(0.5, 0.7), flat(0.9, 0.0)).tolist() == [
        pytest.approx([0.9, 0.7])
    ]  # fmt: skip


def test_regions_come_by_the_error_that_is_left_in_them() -> None:
    """
    Given three regions of one pixel each with errors .5, .9 and .1,
    and a fourth with all three, whose errors add up to 1.5 and are then gone,
    then it is the fourth's turn first, and equal ones come in their order.
    """
    truth, whole = flat(1, 1, 1), flat(0.5, 0.1, 0.9)
    alone = torch.eye(3)[:, None]
    parts = torch.cat([alone, torch.ones(1, 1, 3)])

    assert greedy_order(whole, alone, alone, truth) == [1, 0, 2]
    assert greedy_order(whole, parts, parts, truth) == [3, 0, 1, 2]


def test_a_region_is_rewarded_for_what_it_lowers() -> None:
    """
    Given a whole that knows nothing (ln 2), a region that makes one of two pixels
    right (ln 2 / 2), then one that makes the other right (0),
    then the cost is ln 2 + exp(-ln 2 / 2) (1 + gamma).
    """
    truth, whole = flat(1, 1), flat(0.5, 0.5)
    parts = torch.eye(2)[:, None]

    cost = discounted_rewards(whole, parts, parts, truth, discount=0.5)

    assert cost.item() == pytest.approx(LN2 + 1.5 / math.sqrt(2), abs=1e-4)


def test_without_discount_for_later_regions_only_the_first_counts() -> None:
    truth, whole = flat(1, 1), flat(0.5, 0.5)
    parts = torch.eye(2)[:, None]

    cost = discounted_rewards(whole, parts, parts, truth, discount=0.0)

    assert cost.item() == pytest.approx(LN2 + 1 / math.sqrt(2), abs=1e-4)


def test_each_region_may_have_a_loss_of_its_own() -> None:
    truth, whole = flat(1, 1), flat(0.5, 0.25)
    regions = torch.eye(2)[:, None]
    parts = regions * 0.5

    cost = discounted_entropies(whole, parts, regions, truth, discount=0.8)

    expected = (LN2 + math.log(4)) / 2 + LN2 + 0.8 * LN2
    assert cost.item() == pytest.approx(expected, abs=1e-4)


def test_focal_loss_is_a_mean_weighted_by_what_is_wrong() -> None:
    """Right labels with .5 and .9: weights .25 and .01."""
    logits, truth = row(0, logit(0.9)), row(1, 1)

    cost = normalised_focal(logits, truth, truth)

    expected = (0.25 * LN2 - 0.01 * math.log(0.9)) / 0.26
    assert cost.item() == pytest.approx(expected, rel=1e-4)
    assert normalised_focal(logits, truth, row(0, 0)).item() == 0


def test_focal_loss_without_focus_is_cross_entropy() -> None:
    logits, truth = row(2, -1, 0.5), row(1, 1, 0)

    focal = normalised_focal(logits, truth, everything(truth), gamma=0)

    assert focal.item() == pytest.approx(
        cross_entropy(logits, truth, everything(truth)).item()
    )


def test_dice_is_twice_the_overlap_over_both_areas() -> None:
    sure = 40.0
    logits, truth = row(sure, sure, -sure, -sure), row(1, 0, 1, 0)

    # overlap 1, areas 2 + 2, and a pixel for empty masks: 1 - 3 / 5
    assert dice(logits, truth, everything(truth)).item() == pytest.approx(0.4)
    assert dice(-logits.abs(), 0 * truth, everything(truth)).item() == pytest.approx(
        0, abs=1e-5
    )


def test_click_consistency_looks_at_clicked_pixels_alone() -> None:
    logits = row(0, logit(0.25), 9, -9)

    cost = click_consistency(logits, row(1, 0, 0, 0), row(0, 1, 0, 0))

    assert cost.item() == pytest.approx((LN2 - math.log(0.75)) / 2, rel=1e-4)
    assert click_consistency(logits, row(0, 0, 0, 0), row(0, 0, 0, 0)).item() == 0
