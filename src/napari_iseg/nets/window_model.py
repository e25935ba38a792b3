"""A network that answers for windows: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from napari_iseg.nets.cells_net import Answer, CellsNet, ImageFeatures
from napari_iseg.nets.question import Question, owned


@dataclass(frozen=True, slots=True, eq=False)
class Hypotheses:
    """``logits`` ``(M, N, N)`` float32 and ``scores`` ``(M,)``: expected IoU, 0..1."""

    logits: NDArray[np.float32]
    scores: NDArray[np.float32]


class WindowModel(Protocol):
    """What windowed inference needs of a network."""

    device: Any  # str() of it names the device

    def look(self, image: NDArray[np.float32]) -> Any:
        """Features of windows ``(B, N, N, 3)``, worth keeping while clicks change."""
        ...

    def answer(self, seen: Any, guides: Any) -> list[Hypotheses]:
        """One answer for each window.

        ``guides`` is what the network is told: for ``cells`` ``(B, 4, N, N)``, positive
        and negative discs, previous probability, other objects; all 0..1.
        """
        ...

    def glance(self, seen: Any, guides: Any) -> list[Hypotheses]:
        """The same, faster and coarser: to find out where to look."""
        ...


class CellsModel:
    """``CellsNet`` with fused batch norms on one device."""

    def __init__(self, net: CellsNet, device: str) -> None:
        self.device = torch.device(device)
        fused = fuse(net.eval())
        self.net = fused.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def look(self, image: NDArray[np.float32]) -> ImageFeatures:
        pixels = torch.from_numpy(image).to(self.device).permute(0, 3, 1, 2)
        return self.net.look(pixels)

    @torch.inference_mode()
    def answer(
        self, seen: ImageFeatures, guides: NDArray[np.float32]
    ) -> list[Hypotheses]:
        return as_hypotheses(self.net.answer(seen, self.hints(guides)))

    @torch.inference_mode()
    def glance(
        self, seen: ImageFeatures, guides: NDArray[np.float32]
    ) -> list[Hypotheses]:
        return as_hypotheses(self.net.glance(seen, self.hints(guides)))

    def question(self, seen: ImageFeatures, guides: NDArray[np.float32]) -> Question:
        """One window, ``guides`` ``(1, 4, N, N)``, as refinement asks about it."""
        kept: ImageFeatures = owned(seen)
        hints = self.hints(guides)

        def ask(maps: Tensor) -> tuple[Tensor, Tensor]:
            answer = self.net.answer(kept, torch.cat([maps, hints[:, 2:]], 1))
            return answer.logits[0], answer.scores[0].sigmoid()

        return Question(self.net, hints[:, :2], 1.0, ask, lambda answer: answer)

    def hints(self, guides: NDArray[np.float32]) -> Tensor:
        moved = torch.from_numpy(guides).to(self.device)
        return moved.contiguous(memory_format=torch.channels_last)


def as_hypotheses(answer: Answer) -> list[Hypotheses]:
    """A batch's answer, window by window, in numpy."""
    logits = answer.logits.float().cpu().numpy()
    scores = answer.scores.float().sigmoid().cpu().numpy()
    return [Hypotheses(*pair) for pair in zip(logits, scores, strict=True)]


def fuse(net: nn.Module) -> nn.Module:
    """Batch norms folded into the convolutions before them; the same function."""
    for name, child in net.named_children():
        match list(child.children()) if isinstance(child, nn.Sequential) else []:
            case [nn.Conv2d() as convolution, nn.BatchNorm2d() as norm, *rest]:
                folded = fuse_conv_bn_eval(convolution, norm)
                setattr(net, name, nn.Sequential(folded, *rest))
            case _:
                fuse(child)
    return net


def net_from(tensors: Mapping[str, NDArray[np.generic]]) -> CellsNet:
    """A network with these weights; its width and hypotheses are read off them.

    Raises
    ------
    ValueError
        If the tensors are not those of a ``CellsNet``.
    """
    try:
        width = tensors["to_fine.weight"].shape[1]
        net = CellsNet(width, tensors["fine_out.weight"].shape[0])
        state = {k: torch.from_numpy(v).float() for k, v in tensors.items()}
        net.load_state_dict(state)
    except (KeyError, RuntimeError) as problem:
        raise ValueError(
            "these weights are not of the cells network: "
            f"{str(problem).splitlines()[0]}; choose the method they were trained for"
        ) from problem
    return net
