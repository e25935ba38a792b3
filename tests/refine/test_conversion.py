"""Bring your own model: any network for images obeys clicks, without training."""

from __future__ import annotations

from collections import OrderedDict
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
from scipy.special import expit
from torch import Tensor, nn
from torchvision.models.segmentation import fcn_resnet50

from napari_iseg import ScaledImage, Unscaled, make_interactive
from napari_iseg.arrays import Box
from napari_iseg.clicks import Click, Clicks
from napari_iseg.intensities import DtypeRange, Percentiles
from napari_iseg.nets.unet import UNet
from napari_iseg.refine.brs import BRS
from napari_iseg.refine.conversion import (
    AllAtOnce,
    Binary,
    InWindows,
    MultiLabel,
    Reads,
    Softmax,
)
from napari_iseg.refine.descent import Bounds
from napari_iseg.refine.own_windows import OwnPredictor, placed, spans, tiles
from napari_iseg.refine.windowed import agrees
from tests.own_networks import Bright, Tones, discs, tiny_unet

IMAGE = discs((40, 50), (40, 150), (130, 100))
FIRST = Clicks.at(positive=[(40, 50)])
WITHIN = FIRST.adding(Click(45, 58, is_positive=False))


def of_bright(**how: Any) -> BRS:
    return make_interactive(Bright(), device="cpu", **how)


def prepared(segmenter: BRS, image: Any = IMAGE, **more: Any) -> OwnPredictor:
    predictor = segmenter.prepare(image, **more)
    assert isinstance(predictor, OwnPredictor)
    return predictor


def unsatisfied(predictor: OwnPredictor, clicks: Clicks) -> list[Click]:
    patch = predictor.predict_patch(clicks)
    return [click for click in clicks if not agrees(patch, (click,))]


# --------------------------------------------------- without clicks it is what it was

NETWORKS: dict[str, Any] = {
    "plain": lambda: tiny_unet(3),
    "grey": lambda: tiny_unet(1),
    "torchvision": lambda: fcn_resnet50(
        weights=None, weights_backbone=None, num_classes=1, aux_loss=True
    ),
    "segmentation-models-pytorch": lambda: smp.Unet(
        "mobilenet_v2", encoder_weights=None
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_zero_maps_reproduce_the_original_network_to_the_last_bit(name: str):
    """On an image that fits, the user's own call is what the method answers."""
    torch.manual_seed(0)
    net = NETWORKS[name]().eval()
    image = np.random.default_rng(0).random((96, 128, 3)).astype(np.float32)
    if name == "grey":
        image[..., 1:] = image[..., :1]
    reads = Reads(mean=0.5, std=0.25, intensities=Unscaled())
    shown = (torch.from_numpy(image).permute(2, 0, 1)[None] - 0.5) / 0.25
    with torch.inference_mode():
        made = net(shown[:, :1] if name == "grey" else shown)
    logits = (made["out"] if isinstance(made, OrderedDict) else made)[0, 0].numpy()

    segmenter = make_interactive(
        net, output=Binary(), reads=reads, whole=True, device="cpu"
    )

    np.testing.assert_array_equal(prepared(segmenter, image).automatic(), expit(logits))


def test_the_model_that_was_given_stays_as_it_is():
    """Its weights, its mode and its hooks: what is converted is a copy."""
    net = tiny_unet().train()
    before = deepcopy(net.state_dict())

    predictor = prepared(make_interactive(net, device="cpu", output=Binary()))
    predictor.predict(WITHIN)

    assert net.training
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert all(weight.requires_grad for weight in net.parameters())
    assert not any(module._forward_pre_hooks for module in net.modules())


def test_refining_leaves_the_weights_untouched():
    segmenter = of_bright()
    net = segmenter.segmenter.model.net  # type: ignore[attr-defined]
    before = deepcopy(net.state_dict())

    predictor = prepared(segmenter)

    assert unsatisfied(predictor, WITHIN) == []
    assert predictor.state(WITHIN).kept is not None
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert all(weight.grad is None for weight in net.parameters())


# ------------------------------------------------------------- one object, or all of it


def test_a_click_takes_one_object_of_all_that_the_network_finds():
    predictor = prepared(of_bright())

    one = predictor.predict(FIRST) > 0.5
    all_ = predictor.automatic() > 0.5

    assert one[40, 50]
    assert not one[40, 150]
    assert all_[40, 150]
    assert (one <= all_).all()


def test_two_positive_clicks_take_two_objects():
    two = FIRST.adding(Click(130, 100))

    mask = prepared(of_bright()).predict(two) > 0.5

    assert mask[40, 50]
    assert mask[130, 100]
    assert not mask[40, 150]


def test_the_whole_foreground_may_be_the_answer():
    """A negative click corrects it, too: nothing has to be chosen first."""
    predictor = prepared(of_bright(whole=True))
    automatic = predictor.automatic() > 0.5
    negative = Clicks.at(negative=[(40, 150)])

    mask = predictor.predict(negative) > 0.5

    assert not mask[40, 150]
    assert mask[40, 50]
    assert not (predictor.predict(Clicks()) > 0.5).any()
    np.testing.assert_array_equal(
        predictor.predict(FIRST) > 0.5, automatic, "a click that agrees"
    )


def test_where_nothing_is_found_a_positive_click_finds_something():
    click = Clicks.at(positive=[(100, 200)])
    predictor = prepared(of_bright())

    assert not predictor.automatic()[100, 200] > 0.5
    assert unsatisfied(predictor, click) == []


def test_what_is_far_from_a_click_stays_as_it_was():
    """Given a window that holds two objects, and a click about one of them."""
    predictor = prepared(of_bright(whole=True))
    before = predictor.automatic()

    after = predictor.predict(FIRST.adding(Click(45, 58, is_positive=False)))

    assert not after[45, 58] > 0.5
    np.testing.assert_array_equal(after[:, 130:], before[:, 130:])


def test_a_click_in_a_window_elsewhere_leaves_the_correction_of_the_first():
    wide = discs((40, 50), (40, 500), grid=(180, 600))
    predictor = prepared(of_bright(whole=True, view=InWindows(side=96)), wide)
    far = WITHIN.adding(Click(40, 505, is_positive=False))

    mask = predictor.predict(far) > 0.5
    first, second = predictor.state(WITHIN).window, predictor.state(far).window

    assert first != second
    assert not mask[45, 58]
    assert not mask[40, 505]


def test_a_prior_is_corrected_around_the_click_only():
    prior = np.zeros(IMAGE.shape, np.float32)
    prior[25:56, 35:50] = 1  # half of the first disc
    prior[100:105, 200:205] = 1  # and a mark of the user's

    mask = prepared(of_bright(), prior=prior).predict(
        Clicks.at(positive=[(40, 58), (102, 202)])
    )

    assert (mask[30:50, 45:60] > 0.5).all()
    assert mask[102, 202] > 0.5


# --------------------------------------------------------------- windows, sizes, colour


def test_the_automatic_answer_has_no_seams():
    """Window by window as in one piece: each pixel sees enough around it."""
    wide = discs((40, 50), (100, 125), (90, 330), grid=(200, 420))
    reads = Reads(multiple=1)

    pieces = of_bright(whole=True, view=InWindows(side=96), reads=reads)
    whole = of_bright(whole=True, view=AllAtOnce(), reads=reads)

    np.testing.assert_allclose(
        prepared(pieces, wide).automatic(),
        prepared(whole, wide).automatic(),
        atol=1e-5,
    )


@pytest.mark.parametrize("grid", [(1, 1), (40, 500), (96, 96), (97, 300), (250, 250)])
def test_every_pixel_is_answered_for_once(grid: tuple[int, int]):
    counted = np.zeros(grid, int)

    for window, core in tiles(InWindows(side=96), grid):
        counted[core.slices] += 1
        inside = window.box.clipped_to(grid)
        assert inside.intersection(core) == core

    assert (counted == 1).all()


def test_windows_overlap_by_a_quarter():
    assert spans(96, 200) == [(0, 0, 84), (72, 84, 116), (104, 116, 200)]


def test_a_window_leaves_the_image_only_if_it_must():
    click = Box(3, 390, 4, 391)

    assert placed(click, 96, (200, 400)).box == Box(0, 304, 96, 400)
    assert placed(click, 96, (50, 400)).box == Box(0, 304, 96, 400)
    assert placed(click, 96, (50, 60)).extent == 60


def test_a_large_object_gets_a_larger_window():
    rows, columns = np.indices((400, 400))
    large = np.where((rows - 200) ** 2 + (columns - 200) ** 2 < 110**2, 200, 20)
    predictor = prepared(of_bright(view=InWindows(side=96)), large.astype(np.uint8))
    click = Clicks.at(positive=[(200, 200)])

    mask = predictor.predict(click) > 0.5

    assert predictor.state(click).window.extent == 384  # type: ignore[union-attr]
    assert (mask == (large > 100)).mean() > 0.999


@pytest.mark.parametrize("view", [InWindows(side=96), AllAtOnce(longest=96)])
@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (65, 33)])
def test_images_of_any_shape_are_answered(view: Any, shape: tuple[int, int]):
    image = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    at = (shape[0] // 2, shape[1] // 2)

    for whole in (True, False):
        segmenter = make_interactive(
            tiny_unet(), output=Binary(), view=view, whole=whole, device="cpu"
        )
        probability = prepared(segmenter, image).predict(Clicks.at([at], [(0, 0)]))

        assert probability.shape == shape
        assert 0 <= probability.min() <= probability.max() <= 1


def test_a_large_photograph_is_shown_smaller():
    predictor = prepared(of_bright(view=AllAtOnce(longest=120)))

    mask = predictor.predict(FIRST) > 0.5
    window = predictor.state(FIRST).window

    assert window is not None
    assert (window.extent, window.side) == (240, 120)
    assert mask.sum() == pytest.approx(np.pi * 15**2, rel=0.1)


def test_ronneberger_s_u_net_without_padding_answers_for_every_pixel():
    """Its border, 92 pixels each side, is found and filled with the mirror image."""
    torch.manual_seed(0)
    net = UNet(1 / 64).eval()

    segmenter = make_interactive(net, output=Softmax(), device="cpu")
    fit = segmenter.segmenter.model.net.fit  # type: ignore[attr-defined]

    assert fit.border == 92
    assert prepared(segmenter).automatic().shape == IMAGE.shape
    predictor = prepared(segmenter)
    assert bool(unsatisfied(predictor, FIRST)) == (predictor.remark is not None)


def test_a_colour_image_is_shown_to_a_grey_network_as_colours_are_weighed():
    colour = np.stack([IMAGE, 0 * IMAGE, 0 * IMAGE], -1)

    red = prepared(of_bright(reads=Reads(intensities=Unscaled())), colour / 255.0)
    grey = prepared(
        of_bright(reads=Reads(intensities=Unscaled())), 0.299 * IMAGE / 255.0
    )

    np.testing.assert_allclose(red.automatic(), grey.automatic(), atol=1e-5)


def test_a_grey_image_is_shown_to_a_colour_network_three_times():
    colour = make_interactive(Bright(channels=3), device="cpu")

    np.testing.assert_allclose(
        prepared(colour).automatic(), prepared(of_bright()).automatic(), atol=1e-4
    )


def test_all_windows_have_one_contrast():
    """Given a wide image: its percentiles are those of the plane, not of a window."""
    wide = discs((40, 50), grid=(96, 600))
    reads = Reads(intensities=Percentiles())

    segmenter = of_bright(whole=True, view=InWindows(side=96), reads=reads)
    predictor = prepared(segmenter, wide)

    assert not (predictor.automatic()[:, 200:] > 0.5).any()


def test_an_image_that_says_what_is_0_and_1_is_taken_at_its_word():
    dim = ScaledImage((IMAGE / 10).astype(np.float32), Percentiles())

    assert prepared(of_bright(), dim).automatic()[40, 50] > 0.5


# ------------------------------------------------------------------- classes and labels


def tones() -> np.ndarray:
    """Dark, grey and bright, from left to right."""
    return np.repeat(np.float32([0.2, 0.5, 0.8]), 40)[None].repeat(60, 0)


UNSCALED = Reads(intensities=Unscaled())


@pytest.mark.parametrize(
    ("foreground", "expected"),
    [(None, [0, 1, 1]), (1, [0, 1, 0]), ((0, 2), [1, 0, 1])],
)
def test_the_class_of_the_foreground_can_be_named(foreground, expected):
    segmenter = make_interactive(
        Tones(),
        output=Softmax(foreground=foreground),
        reads=UNSCALED,
        whole=True,
        device="cpu",
    )

    said = prepared(segmenter, tones()).automatic() > 0.5

    assert [int(said[30, column]) for column in (20, 60, 100)] == expected


@pytest.mark.parametrize(
    "output", [Softmax(foreground=2), MultiLabel(foreground=2)], ids=["one", "several"]
)
def test_a_click_changes_the_class_of_what_it_is_about(output):
    segmenter = make_interactive(
        Tones(), output=output, reads=UNSCALED, whole=True, device="cpu"
    )
    predictor = prepared(segmenter, tones())
    click = Clicks.at(positive=[(30, 60)])

    assert unsatisfied(predictor, click) == []
    assert predictor.remark is None


def test_networks_that_end_in_probabilities_obey_too():
    net = nn.Sequential(Bright(), nn.Sigmoid())

    segmenter = make_interactive(net, output=Binary(probabilities=True), device="cpu")

    assert unsatisfied(prepared(segmenter), WITHIN) == []


def test_torchvision_s_network_for_21_classes_obeys():
    """A dictionary of two outputs; a click is about one class, or all but class 0."""
    torch.manual_seed(0)
    net = fcn_resnet50(weights=None, weights_backbone=None, aux_loss=True)
    reads = Reads(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    dog = make_interactive(
        net,
        output=Softmax(foreground=12),
        reads=reads,
        view=AllAtOnce(longest=64),
        device="cpu",
    )
    predictor = prepared(replace(dog, bounds=Bounds(iterations=2)))

    assert dog.segmenter.model.net.entrance.name == "backbone.conv1"  # type: ignore[attr-defined]
    assert bool(unsatisfied(predictor, FIRST)) == (predictor.remark is not None)


# ------------------------------------------------------------------- what does not work


class Labels(nn.Module):
    """Answers with classes, not with how sure it is of them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.conv(image).argmax(1, keepdim=True).float() - 0.5


class Steps(Labels):
    """Its logits are whole numbers."""

    def forward(self, image: Tensor) -> Tensor:
        return (7 * self.conv(image)[:, :1]).round()


class Global(Labels):
    def forward(self, image: Tensor) -> Tensor:
        return self.conv(image).mean((2, 3))


class ByPixel(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return image.mean(1, keepdim=True) - 0.5


PROBLEMS: dict[str, tuple[nn.Module, dict[str, Any], str]] = {
    "labels": (
        Labels(),
        {"output": Binary()},
        "Labels cannot be differentiated: .*; give logits or probabilities, not labels",
    ),
    "steps": (Steps(), {}, "of Steps does not change with .*, or only in steps"),
    "one number": (Global(), {}, r"has shape \(1, 4\), expected \(1, classes, height"),
    "no convolution": (ByPixel(), {"output": Binary()}, "found no first convolution"),
    "a wrong name": (
        tiny_unet(),
        {"output": Binary(), "first_conv": "stem"},
        "no convolution 'stem'; it has score, fine.0, coarse.0",
    ),
    "two channels": (
        tiny_unet(2),
        {},
        r"TwoLevels could not be run on an image .*: Given groups=1, weight of size \[8"
        r", 2, 3, 3\].*say reads=Reads\(size",
    ),
    "classes": (tiny_unet(1, 5), {}, "gives 5 channels, not one; say output=Softmax"),
    "chances": (
        nn.Sequential(Bright(), nn.Sigmoid()),
        {},
        r"within 0..1: say output=Binary\(probabilities=True\)",
    ),
    "a mean too many": (
        Bright(),
        {"reads": Reads(mean=(0.1, 0.2, 0.3))},
        "mean has 3 numbers for a network that reads 1 channels",
    ),
    "no such device": (Bright(), {"device": "abacus"}, "there is no device 'abacus'"),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_does_not_work_is_said_with_what_to_do(problem: str):
    net, settings, sentence = PROBLEMS[problem]
    settings = {"device": "cpu", **settings}

    with pytest.raises(ValueError, match=sentence):
        make_interactive(net, **settings)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"channels": 5}, "reads 1 or 3 channels here, not 5; wrap it"),
        ({"multiple": 0}, "multiple must be 1 or more, got 0"),
        ({"std": 0.0}, "std must be above 0, got 0.0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], sentence: str):
    with pytest.raises(ValueError, match=sentence):
        Reads(**settings)


def test_a_network_without_a_convolution_takes_the_maps_at_its_input():
    segmenter = make_interactive(
        ByPixel(), output=Binary(), first_conv="input", device="cpu"
    )

    assert unsatisfied(prepared(segmenter), WITHIN) == []


# ----------------------------------------------------------------- features, not maps


def test_layers_are_found_by_how_the_network_runs():
    """The end of the coarsest part, half way, the last but one, the last."""
    segmenter = make_interactive(
        UNet(1 / 16, padded=True), output=Softmax(), device="cpu"
    )

    assert segmenter.segmenter.model.net.own_layers == {  # type: ignore[attr-defined]
        "a": "net.down.4.2",
        "b": "net.merge.1.2",
        "c": "net.merge.3.2",
        "last": "net.score",
    }


def test_a_layer_that_the_answer_does_not_need_is_none():
    """torchvision's auxiliary classifier runs last."""
    net = fcn_resnet50(weights=None, weights_backbone=None, aux_loss=True)

    segmenter = make_interactive(net, output=Softmax(), device="cpu")

    layers = segmenter.segmenter.model.net.own_layers  # type: ignore[attr-defined]
    assert layers["last"] == "net.classifier.4"


@pytest.mark.parametrize("variant", ["maps", "a", "b", "c", "last"])
def test_every_variant_obeys_or_says_so_and_leaves_what_agrees(variant: Any):
    torch.manual_seed(0)
    net = nn.Sequential(tiny_unet(), nn.ReLU(), Bright(0.2))
    segmenter = make_interactive(net, variant=variant, whole=True, device="cpu")
    predictor = prepared(segmenter)
    says = predictor.automatic()[40, 50] > 0.5
    contradicting = Clicks((Click(40, 50, is_positive=not says),))
    agreeing = Clicks((Click(40, 50, is_positive=bool(says)),))

    wrong = unsatisfied(predictor, contradicting)

    assert bool(wrong) == (predictor.remark is not None)
    np.testing.assert_array_equal(predictor.predict(agreeing), predictor.automatic())


def test_features_correct_all_that_looks_alike():
    """Given two discs that are too dim: one click on one finds the other as well.

    Maps change what lies around the click alone.
    """
    dim = discs((40, 50), (40, 110)) // 2
    click = Clicks.at(positive=[(40, 50)])
    reads = Reads(intensities=DtypeRange())
    found = {}
    for variant in ("maps", "last"):
        segmenter = of_bright(
            whole=True, view=AllAtOnce(), reads=reads, variant=variant
        )
        found[variant] = prepared(segmenter, dim).predict(click) > 0.5

    assert found["maps"][40, 50]
    assert not found["maps"][40, 110]
    assert found["last"][40, 50]
    assert found["last"][38:43, 108:113].any()


def test_a_network_may_be_as_sure_as_it_likes():
    class Certain(Bright):
        def forward(self, image: Tensor) -> Tensor:
            return 1e4 * super().forward(image)

    predictor = prepared(make_interactive(Certain(), device="cpu", whole=True))

    assert set(np.unique(predictor.automatic()[40, ::9])) <= {0, 1}


def test_layers_that_are_hidden_cannot_be_refined():
    with pytest.raises(
        ValueError, match="no variant 'b' for ByPixel: it shows no layers; say variant"
    ):
        make_interactive(
            ByPixel(), first_conv="input", output=Binary(), variant="b", device="cpu"
        )
