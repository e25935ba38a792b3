"""A paper's network that answers for images: arrays and clicks in, arrays out."""

from __future__ import annotations

from inspect import signature
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_iseg.arrays import Grid
from napari_iseg.clicks import Clicks
from napari_iseg.nets.window_model import Hypotheses


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
        clicks.check_inside(seen.grid)
        maps = torch.from_numpy(self.net.encoder(clicks, seen.grid))[None]
        told: dict[str, Any] = {"clicks": [clicks]} if self.wants_clicks else {}
        if self.wants_mask and mask is not None:
            told["mask"] = torch.from_numpy(mask)[None, None].to(self.device)
        ask, shown = (
            (self.net.answer, seen.features) if self.looks else (self.net, seen.image)
        )
        answer = ask(shown, maps.to(self.device), **told)
        chances = getattr(answer, "probabilities", torch.ones(answer.logits.shape[:2]))
        return Hypotheses(answer.logits[0].cpu().numpy(), chances[0].cpu().numpy())
