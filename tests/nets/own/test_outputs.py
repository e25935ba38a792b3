"""What a network's numbers mean."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from napari_iseg.nets.own.outputs import (
    Binary,
    MultiLabel,
    Output,
    Softmax,
    guessed,
    tensor_of,
)

LOGITS = 4 * torch.randn(1, 4, 3, 5, generator=torch.Generator().manual_seed(0))
ONE = LOGITS[:, :1]

OUTPUTS: list[tuple[Output, Output, Tensor, Tensor]] = [
    (Binary(), Binary(probabilities=True), ONE, ONE.sigmoid()),
    (Softmax(), Softmax(probabilities=True), LOGITS, LOGITS.softmax(1)),
    (
        Softmax(foreground=2),
        Softmax(foreground=2, probabilities=True),
        LOGITS,
        LOGITS.softmax(1),
    ),
    (
        MultiLabel(foreground=3),
        MultiLabel(foreground=3, probabilities=True),
        LOGITS,
        LOGITS.sigmoid(),
    ),
]


@pytest.mark.parametrize(("of_logits", "of_chances", "logits", "chances"), OUTPUTS)
def test_logits_and_probabilities_of_one_network_mean_the_same(
    of_logits: Output, of_chances: Output, logits: Tensor, chances: Tensor
):
    of_logits.check(logits)
    of_chances.check(chances)

    torch.testing.assert_close(
        of_logits.objects(logits), of_chances.objects(chances), atol=1e-3, rtol=1e-3
    )
    torch.testing.assert_close(
        of_logits.classes(logits), of_chances.classes(chances), atol=1e-3, rtol=1e-3
    )


def test_a_logit_is_left_as_it_is():
    assert torch.equal(Binary().objects(ONE), ONE[:, 0])


@given(foreground=st.sets(st.integers(0, 3), min_size=1, max_size=3))
def test_classes_that_are_foreground_add_up(foreground: set[int]):
    output = Softmax(foreground=tuple(foreground))

    said = output.objects(LOGITS).sigmoid()

    expected = LOGITS.softmax(1)[:, sorted(foreground)].sum(1)
    torch.testing.assert_close(said, expected)


def test_without_a_choice_everything_but_class_0_is_foreground():
    expected = 1 - LOGITS.softmax(1)[:, 0]

    torch.testing.assert_close(Softmax().objects(LOGITS).sigmoid(), expected)


def test_probabilities_of_0_and_1_have_finite_odds():
    sure = torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2)

    assert Binary(probabilities=True).objects(sure).isfinite().all()


def test_one_unbounded_channel_is_a_logit():
    assert guessed(ONE) == Binary()


REFUSED: list[tuple[Output, Tensor, str]] = [
    (Binary(), LOGITS, r"gives 4 channels, not one; say output=Softmax\(\) if"),
    (Softmax(), ONE, r"gives one channel: .*; say output=Binary\(\)"),
    (Softmax(foreground=4), LOGITS, "no class 4: the network has classes 0 to 3"),
    (MultiLabel(foreground=-1), LOGITS, "no class -1: the network has classes 0 to 3"),
    (Softmax(foreground=(0, 1, 2, 3)), LOGITS, "all 4 classes are foreground; leave"),
    (
        Binary(probabilities=True),
        torch.tensor([-3.0, 7.25]).reshape(1, 1, 1, 2),
        "reaches from -3 to 7.25: these are no probabilities; say probabilities=False",
    ),
    (
        Softmax(probabilities=True),
        torch.full((1, 3, 2, 2), 0.5),
        r"do not add up to 1 but to 1.5; say output=MultiLabel",
    ),
]


@pytest.mark.parametrize(("output", "made", "sentence"), REFUSED)
def test_what_an_output_cannot_mean_is_refused(
    output: Output, made: Tensor, sentence: str
):
    with pytest.raises(ValueError, match=sentence):
        output.check(made)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (LOGITS, "gives 4 channels, not one"),
        (ONE.sigmoid(), r"within 0..1: say output=Binary\(probabilities=True\) if"),
    ],
)
def test_what_cannot_be_guessed_is_asked_for(made: Tensor, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        guessed(made)


@pytest.mark.parametrize(
    ("made", "key"),
    [
        (LOGITS, None),
        ({"out": LOGITS, "aux": ONE}, None),
        ({"logits": LOGITS, "loss": ONE}, None),
        ({"mask": LOGITS}, None),
        ({"aux": ONE, "mask": LOGITS}, "mask"),
        ((LOGITS,), None),
        ([ONE, LOGITS], 1),
    ],
)
def test_the_tensor_is_found(made: Any, key: Any):
    assert tensor_of(made, key) is LOGITS


def test_an_output_without_channels_has_one():
    assert tensor_of(ONE[0], None).shape == (1, 1, 3, 5)


@pytest.mark.parametrize(
    ("made", "key", "sentence"),
    [
        ({"a": ONE, "b": ONE}, None, r"several tensors, \['a', 'b'\]; choose one, as "),
        ((ONE, ONE), None, r"several tensors, \[0, 1\]; choose one, .*key=0"),
        ({"a": ONE}, "b", r"has no 'b': there are \['a'\]"),
        (ONE, "b", "has no 'b': it gives a single tensor"),
        (3, None, "is a int, not a tensor; wrap it"),
        ({"a": "text"}, None, "is a str, not a tensor; wrap it"),
        (torch.zeros(1, 10), None, r"has shape \(1, 10\), expected \(1, classes, "),
        (torch.zeros(2, 1, 3, 3), None, r"has shape \(2, 1, 3, 3\), expected"),
    ],
)
def test_an_output_that_is_no_image_is_refused(made: Any, key: Any, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        tensor_of(made, key)
