"""One object of a network with classes: the first positive click says which class.

Jang and Kim (CVPR 2019, section 4) let every click name a class, see ``class_clicks``.
Clicks that are positive or negative name one, too: the object is of the class that the
network itself finds likeliest, background aside, where it was clicked first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch

from napari_iseg.arrays import Grid, ImageLike, Mask, ProbabilityMap
from napari_iseg.clicks import Click, Clicks
from napari_iseg.intensities import ScaledImage, plane_wide
from napari_iseg.nets.own.outputs import Softmax
from napari_iseg.nets.own.own_model import OwnModel
from napari_iseg.refine.brs import BRS
from napari_iseg.refine.class_clicks import converted_model
from napari_iseg.refine.own_windows import OwnPredictor, place_of
from napari_iseg.refine.separated import Separated, SeparatedPredictor
from napari_iseg.segmenter import Patch

OfClass: TypeAlias = OwnPredictor | SeparatedPredictor


@dataclass(frozen=True, slots=True)
class ByFirstClick:
    """A converted network whose classes exclude each other, for one object at a time.

    The first positive click names the class of the object, and all clicks are about
    it: a later positive click says that its pixel is of this class, a negative one that
    it is background or of another class. BRS makes every one right. With negative
    clicks alone, which correct a prior, any class but the first is the object.

    Parameters
    ----------
    segmenter
        Of ``make_interactive(..., output=Softmax(...))``; class 0 is the background.
    split
        Whether a click takes one of several objects of its class that touch, as
        ``Separated`` does.

    Raises
    ------
    ValueError
        If the segmenter is not of a network that was converted, or its classes are no
        ``Softmax``.
    """

    segmenter: BRS
    split: bool = False

    def __post_init__(self) -> None:
        output = converted_model(self.segmenter).net.output
        if not isinstance(output, Softmax):
            raise ValueError(  # noqa: TRY004 - a sentence for whoever chose the method
                "the first click chooses one of several classes that exclude each "
                f"other: say output=Softmax(), not {type(output).__name__}()"
            )

    @property
    def device(self) -> str:
        """Where the network really runs."""
        return self.segmenter.device

    def prepare(
        self,
        image: ImageLike | ScaledImage,
        prior: ProbabilityMap | Patch | None = None,
        others: Mask | None = None,
    ) -> FirstClickPredictor:
        """See ``Segmenter.prepare``; all classes see one contrast."""
        if not isinstance(image, ScaledImage):
            reads = converted_model(self.segmenter).net.reads
            image = ScaledImage(image, reads.intensities)
        scaled = plane_wide(image)

        def of(label: int | None) -> OfClass:
            one = Separated(about(self.segmenter, label), self.split)
            return one.prepare(scaled, prior, others)

        network = about(self.segmenter, None).prepare(scaled, prior, others)
        assert isinstance(network, OwnPredictor)
        return FirstClickPredictor(network, of)


class FirstClickPredictor:
    """See ``Predictor``; made by ``ByFirstClick.prepare``.

    ``network`` answers without a click, ``of`` makes the predictor of a class; that of
    None is about all classes but 0.
    """

    def __init__(
        self, network: OwnPredictor, of: Callable[[int | None], OfClass]
    ) -> None:
        self.network, self.of = network, of
        self.predictors: dict[int | None, OfClass] = {}
        self.labels: dict[Click, int] = {}
        self.remark: str | None = None  # about the newest answer that was asked for

    @property
    def grid(self) -> Grid:
        """Height and width of the image."""
        return self.network.grid

    def automatic(self) -> ProbabilityMap:
        """What the network says without a click: all but class 0, ``(H, W)``."""
        return self.network.automatic()

    def predict(self, clicks: Clicks) -> ProbabilityMap:
        return self.predict_patch(clicks).on(self.grid)

    def predict_patch(self, clicks: Clicks) -> Patch:
        return self.alternative_patches(clicks)[0][0]

    def alternatives(self, clicks: Clicks) -> list[tuple[ProbabilityMap, float]]:
        found = self.alternative_patches(clicks)
        return [(patch.on(self.grid), score) for patch, score in found]

    def alternative_patches(self, clicks: Clicks) -> list[tuple[Patch, float]]:
        clicks.check_inside(self.grid)
        predictor = self.predictor(self.label(clicks))
        found = predictor.alternative_patches(clicks)
        self.remark = predictor.remark
        return found

    def label(self, clicks: Clicks) -> int | None:
        """The class that the first positive click names; None if there is none."""
        if not clicks.positive:
            return None
        first = clicks.positive[0]
        if first not in self.labels:
            self.labels[first] = self.likeliest(first)
        return self.labels[first]

    def predictor(self, label: int | None) -> OfClass:
        if label not in self.predictors:
            self.predictors[label] = self.of(label)
        return self.predictors[label]

    @torch.inference_mode()
    def likeliest(self, click: Click) -> int:
        """The network's own class at a pixel, background aside."""
        model = self.network.model
        assert isinstance(model, OwnModel)
        window = self.network.view.window(place_of(click), self.grid)
        (shown,) = self.network.looked(window)
        net, image = model.net, shown.image
        logits = net.by_class(image, net.no_maps(image))
        row, column = (
            min(max(round(at), 0), length - 1)
            for at, length in zip(window.point(click), image.shape[-2:], strict=True)
        )
        return 1 + int(logits[1:, row, column].argmax())


def about(segmenter: BRS, label: int | None) -> BRS:
    """The same network; its object is one class, or None: any but class 0."""
    model = converted_model(segmenter)
    output = model.net.output
    assert isinstance(output, Softmax)
    net = model.net.meaning(replace(output, foreground=label))
    windows = replace(segmenter.segmenter, model=OwnModel(net, str(model.device)))
    return replace(segmenter, segmenter=windows)
