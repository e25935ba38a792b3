"""Bring your own model: any network for images becomes a method that obeys clicks.

Jang and Kim, *Interactive image segmentation via backpropagating refinement scheme*,
CVPR 2019, section 3.3: no training, no new weights, and without clicks the old answer.
"""

from __future__ import annotations

from typing import Any

from napari_iseg.nets.own.converted import Converted, converted, frozen
from napari_iseg.nets.own.outputs import Binary, MultiLabel, Output, Softmax
from napari_iseg.nets.own.own_model import OwnModel
from napari_iseg.nets.own.reads import Reads
from napari_iseg.refine.brs import BRS
from napari_iseg.refine.cells import available
from napari_iseg.refine.handles import Variant
from napari_iseg.refine.own_windows import AllAtOnce, InWindows, OwnWindows, View
from napari_iseg.refine.windowed import Policy

__all__ = [
    "AllAtOnce",
    "Binary",
    "InWindows",
    "MultiLabel",
    "Reads",
    "Softmax",
    "make_interactive",
]

NEVER = 1_000_000  # clicks
# What is far from a click stays as it was, from the second click on: where a window is
# shown because of a click. On the whole image the answer is BRS' alone.
BY_WINDOWS = Policy(merge_from=2, retry=False, obey=False, by_clicks=False)
AS_PUBLISHED = Policy(merge_from=NEVER, retry=False, obey=False, by_clicks=False)


def make_interactive(
    model: Any,
    *,
    first_conv: str | None = None,
    output: Output | None = None,
    reads: Reads | None = None,
    view: View | None = None,
    whole: bool = False,
    variant: Variant = "maps",
    device: str = "auto",
) -> BRS:
    """A trained network as a segmenter, without any training.

    Without clicks that contradict it the answer is the network's own. A click that does
    is made right along the network's gradient (BRS); its weights stay as they are.

    Parameters
    ----------
    model
        A ``torch.nn.Module`` that takes images ``(1, C, H, W)``, C = 1 or 3, and gives
        logits or probabilities ``(1, K, H, W)``, alone or in a dictionary. It is
        copied, in single precision and evaluation mode.
    first_conv
        Name of the convolution that reads the image, as in ``named_modules``; "input"
        to lay the interaction maps over the network's input instead. None: the
        convolution that runs first.
    output
        What the answer means: ``Binary``, ``Softmax`` or ``MultiLabel``. None: one
        logit for the object.
    reads
        What the network wants its image to be like: ``Reads``.
    view
        ``InWindows``, as for images of a microscope, or ``AllAtOnce``, as for
        photographs. None: windows, of the network's size if it takes one only.
    whole
        Whether the answer is all foreground; else only its connected parts that hold a
        positive click: one object at a time.
    variant
        What a click that is contradicted changes. "maps": what enters the first
        convolution, as the paper has it; often few pixels around the click follow. "a",
        "b", "c", "last": features as in ``BRS``; what looks alike follows.
    device
        "auto", "cpu", "cuda" or "mps".

    Returns
    -------
    A segmenter; its predictors tell the network's own answer by ``automatic()``.

    Raises
    ------
    ValueError
        If the network does not take an image, does not answer for each pixel, has no
        convolution or cannot be differentiated, if something was said that does not
        fit it, or if there is no such device. Each sentence says what to do.
    """
    where = available(device)
    net = frozen(model).to(where)
    found = converted(net, reads or Reads(), output, first_conv, where)
    shown = interactive(found, view, whole=whole, device=where)
    return BRS(shown, checked(found, variant))


def checked(net: Converted, variant: Variant) -> Variant:
    """``variant``; ValueError if nothing is known of the network's layers."""
    if variant == "maps" or variant in net.own_layers:
        return variant
    raise ValueError(
        f"there is no variant {variant!r} for {type(net.net).__name__}: it shows no "
        "layers; say variant='maps', or use torch.export if it is a TorchScript file"
    )


def interactive(
    net: Converted, view: View | None, *, whole: bool, device: str
) -> OwnWindows:
    """The segmenter of a network that was converted, before refinement."""
    view = view or usual_view(net)
    policy = AS_PUBLISHED if isinstance(view, AllAtOnce) else BY_WINDOWS
    return OwnWindows(
        OwnModel(net, device),
        policy,
        tell=list,
        view=view,
        whole=whole,
        intensities=net.reads.intensities,
    )


def usual_view(net: Converted) -> View:
    """Windows as large as the network can read."""
    if net.fit.size is None:
        return InWindows()
    side = min(net.fit.size) - 2 * net.fit.border
    return InWindows(side=side, largest=side)
