"""A paper's network that answers for images: arrays and clicks in, arrays out."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_iseg.arrays import Grid
from napari_iseg.clicks import Clicks
from napari_iseg.nets.window_model import Hypotheses

# From click maps to logits (M, H, W) and each mask's probability (M,).
Ask: TypeAlias = Callable[[Tensor], tuple[Tensor, Tensor]]


class Seen(NamedTuple):
    """An image on the network's device, and what was computed of it already."""

    image: Tensor  # (1, 3, H, W)
    features: Any  # of networks that have a ``look``; else None

    @property
    def grid(self) -> Grid:
        return self.image.shape[-2], self.image.shape[-1]


class ImageModel:
    """One network of ``napari_iseg.nets.papers`` on one device.

    Parameters
    ----------
    net
        With the promises of that package. If it has ``look`` and ``answer``, what
        depends on the image alone is computed once for each image.
    device
        "cpu", "cuda" or "mps".
    """

    def __init__(self, net: nn.Module, device: str = "cpu") -> None:
        self.device = torch.device(device)
        self.net: Any = net.eval().to(self.device)
        self.looks = hasattr(net, "look") and hasattr(net, "answer")
        asked: Any = self.net.answer if self.looks else self.net.forward
        self.wants_clicks = "clicks" in signature(asked).parameters
        self.wants_mask = bool(getattr(net, "masked", False))

    @torch.inference_mode()
    def look(self, image: NDArray[np.float32]) -> Seen:
        """Worth keeping while clicks change. ``image`` ``(H, W, 3)`` in 0..1."""
        pixels = torch.from_numpy(np.ascontiguousarray(image, np.float32))
        shown = pixels.permute(2, 0, 1)[None].to(self.device)
        return Seen(shown, self.net.look(shown) if self.looks else None)

    @torch.inference_mode()
    def answer(
        self, seen: Seen, clicks: Clicks, mask: NDArray[np.float32] | None = None
    ) -> Hypotheses:
        """Every mask the network offers, in its own order, with their probabilities.

        ``mask`` ``(H, W)`` is above 0.5 where the object was thought to be; networks
        without a channel for it (``masked``) are not told.

        ``logits`` ``(M, H, W)``; ``scores`` ``(M,)`` add up to 1 where the network
        chooses among its masks, and are 1 for a network with one mask.

        Raises
        ------
        ValueError
            If a click lies outside the image.
        """
        maps, ask = self.asking(seen, clicks, mask)
        logits, chances = ask(maps)
        return Hypotheses(logits.cpu().numpy(), chances.cpu().numpy())

    def asking(
        self, seen: Seen, clicks: Clicks, mask: NDArray[np.float32] | None = None
    ) -> tuple[Tensor, Ask]:
        """Click maps ``(1, 2, H, W)``, and what asks the network with such maps.

        Arguments and errors as of ``answer``, which is this without gradients.
        """
        clicks.check_inside(seen.grid)
        maps = torch.from_numpy(self.net.encoder(clicks, seen.grid))[None]
        told: dict[str, Any] = {"clicks": [clicks]} if self.wants_clicks else {}
        if self.wants_mask and mask is not None:
            told["mask"] = torch.from_numpy(mask)[None, None].to(self.device)

        def ask(maps: Tensor) -> tuple[Tensor, Tensor]:
            if self.looks:
                answer = self.net.answer(seen.features, maps, **told)
            else:
                answer = self.net(seen.image, maps, **told)
            alone = torch.ones(answer.logits.shape[:2])
            chances: Tensor = getattr(answer, "probabilities", alone)
            return answer.logits[0], chances[0]

        return maps.to(self.device), ask
