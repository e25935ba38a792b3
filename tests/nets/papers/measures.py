"""What tests of every network ask of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_iseg.clicks import Clicks


def parameter_count(build: Callable[[], nn.Module]) -> int:
    """Of a network too large to be made in a test."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build().parameters())


def awake(net: nn.Module) -> nn.Module:
    """With layers that begin at zero filled, as after some training."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in net.parameters():
            if not parameter.any():
                parameter.normal_(0, 0.1)
    return net


def receptive_field(see: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> int:
    """Columns of the input that reach one cell of ``see``'s answer.

    A column of NaN poisons every cell that sees it. Summed over as many neighbouring
    columns as a cell is wide, the poisoned cells count the columns that one cell sees.
    """
    with torch.no_grad():
        clean = torch.zeros(1, *shape, dtype=torch.float64)
        stride = round(shape[-1] / see(clean).shape[-1])
        poisoned = 0
        for column in range(shape[-1] // 2, shape[-1] // 2 + stride):
            image = clean.clone()
            image[..., column] = torch.nan
            middle = see(image)[0, 0, -1]
            assert not middle[[0, -1]].isnan().any()  # the input is wide enough
            poisoned += int(middle.isnan().sum())
    return poisoned


def disc(side: int) -> tuple[Tensor, Tensor]:
    """A bright disc on noise ``(1, 3, side, side)`` and its mask ``(1, 1, ...)``."""
    rows, columns = torch.meshgrid(
        torch.arange(side), torch.arange(side), indexing="ij"
    )
    middle = side / 2
    truth = (rows - middle) ** 2 + (columns - middle) ** 2 < (side / 4) ** 2
    noise = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    return 0.2 * noise + 0.6 * truth, truth[None, None].float()


def maps_of(net: nn.Module, side: int, clicks: Clicks) -> Tensor:
    """What ``net`` is shown of ``clicks`` in a square image: ``(1, 2, side, side)``."""
    return torch.from_numpy(net.encoder(clicks, (side, side)))[None]


def middle_click(side: int) -> Clicks:
    """One click on the disc."""
    return Clicks.at(positive=[(side // 2, side // 2)])


def iou(logits: Tensor, truth: Tensor) -> float:
    """Of the mask above zero."""
    mask, wanted = logits > 0, truth > 0.5
    return float((mask & wanted).sum() / (mask | wanted).sum())


def learn(
    net: nn.Module, truth: Tensor, inputs: tuple[Tensor, ...], steps: int, rate: float
) -> None:
    """Steps of Adam towards ``truth`` by cross-entropy of every map of the answer."""
    optimiser = torch.optim.Adam(net.parameters(), rate)
    for _ in range(steps):
        logits = net(*inputs).logits
        loss = F.binary_cross_entropy_with_logits(logits, truth.expand_as(logits))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def unreached(net: nn.Module) -> list[str]:
    """Parameters without a gradient."""
    return [
        name
        for name, parameter in net.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]


def as_arrays(net: nn.Module) -> dict[str, np.ndarray]:
    """The state dict as a weights file holds it."""
    return {name: tensor.numpy() for name, tensor in net.state_dict().items()}
