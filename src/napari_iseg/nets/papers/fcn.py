"""FCN's prediction from VGG's features at strides 32, 16 and 8.

Long, Shelhamer and Darrell, *Fully convolutional networks for semantic segmentation*,
CVPR 2015, with the two classes of interactive segmentation: background and object.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg.nets.papers.bilinear import enlarged
from napari_iseg.nets.papers.vgg import fill, pooled, scaled, started

PADDING = 100  # of conv1_1
KERNEL = 7  # of fc6: what VGG's last pooling leaves of 224 pixels
HIDDEN = 4096  # channels of fc6 and fc7
DROPOUT = 0.5
CLASSES = 2
COARSEST = 32  # stride of fc6
SKIPS = {32: 0, 16: 1, 8: 2}  # by stride: how many of pool4, pool3 are scored as well

LOST = COARSEST * (KERNEL // 2)  # pixels each side that fc6 takes where it pads nothing
REST = PADDING - 1 - LOST  # of the frame, 3 pixels are left in the scores


class FCNHead(nn.Module):
    """fc6, fc7 and the scores; coarse scores are enlarged and added to finer ones.

    Parameters
    ----------
    pools
        Channels of pool3, pool4 and pool5.
    width
        Factor on the 4096 channels.
    stride
        Of the finest scores: 32, 16 or 8.
    padded
        Whether the image came through ``framed``; then fc6 pads nothing.
    classes
        Two for clicks: background and object.
    dropout
        After fc6 and fc7.

    Raises
    ------
    ValueError
        If there is no such stride.
    """

    def __init__(
        self,
        pools: tuple[int, int, int],
        *,
        width: float = 1.0,
        stride: int = 8,
        padded: bool = True,
        classes: int = CLASSES,
        dropout: float = DROPOUT,
    ) -> None:
        super().__init__()
        if stride not in SKIPS:
            raise ValueError(f"an FCN has stride 32, 16 or 8, not {stride}")
        hidden = scaled(HIDDEN, width)
        self.stride, self.padded = stride, padded
        padding = 0 if padded else KERNEL // 2
        self.fc6 = nn.Conv2d(pools[2], hidden, KERNEL, padding=padding)
        self.fc7 = nn.Conv2d(hidden, hidden, 1)
        self.drop = nn.Dropout(dropout)
        self.score = nn.Conv2d(hidden, classes, 1)
        finer = pools[1::-1][: SKIPS[stride]]
        self.skips = nn.ModuleList(nn.Conv2d(one, classes, 1) for one in finer)
        self.apply(started)
        for layer in (self.score, *self.skips):  # section 4.1: scoring begins at zero
            nn.init.zeros_(layer.weight)

    def deep(self, pool5: Tensor) -> Tensor:
        """fc7's activations; each cell sees 404 pixels."""
        hidden = self.drop(F.relu(self.fc6(pool5)))
        return self.drop(F.relu(self.fc7(hidden)))

    def forward(self, pools: tuple[Tensor, ...], size: tuple[int, int]) -> Tensor:
        """Scores ``(B, classes, *size)`` from pool3, pool4 and pool5."""
        scores = self.score(self.deep(pools[2]))
        for number, skip in enumerate(self.skips, 1):
            start = LOST * 2**number // COARSEST if self.padded else 0
            scores = added(scores, skip(pools[2 - number]), start)
        start = REST if self.padded else 0
        return enlarged(scores, self.stride, size, start)

    def initialise(self, tensors: Mapping[str, Tensor], copies: int = 1) -> None:
        """Take VGG's two hidden linear layers as fc6 and fc7 (section 3.1).

        ``copies`` of fc6 side by side where that many streams come in.
        """
        linear = tensors["classifier.0.weight"]
        filters = linear.unflatten(1, (-1, KERNEL, KERNEL))
        fill(self.fc6, filters.repeat(1, copies, 1, 1), tensors["classifier.0.bias"])
        again = tensors["classifier.3.weight"][:, :, None, None]
        fill(self.fc7, again, tensors["classifier.3.bias"])


def framed(image: Tensor) -> Tensor:
    """``image`` in a frame of zeros, so that conv1_1 pads ``PADDING`` in all."""
    return F.pad(image, [PADDING - 1] * 4)


def added(coarse: Tensor, fine: Tensor, start: int) -> Tensor:
    """``coarse`` at twice its size, plus ``fine`` from its cell ``start`` on."""
    height, width = (2 * side for side in coarse.shape[-2:])
    part = fine[..., start : start + height, start : start + width]
    return enlarged(coarse, 2, (part.shape[-2], part.shape[-1])) + part


def pools_of(activations: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """pool3, pool4 and pool5 of VGG's five activations."""
    return tuple(pooled(one) for one in activations[2:])


def object_logit(scores: Tensor) -> Tensor:
    """``(B, 2, H, W)``, background first, to ``(B, 1, H, W)``: the same softmax."""
    return scores[:, 1:] - scores[:, :1]
