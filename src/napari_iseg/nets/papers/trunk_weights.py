"""ImageNet weights of a classifier in a trunk that sees more than colours."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def load_trunk(
    trunk: nn.Module, tensors: Mapping[str, Tensor], first: str, *, blind: bool
) -> None:
    """Copy what ``trunk`` has of ``tensors``, by name.

    Parameters
    ----------
    trunk
        With the classifier's names; layers that it left out may be in ``tensors``.
    first
        The filters that see the image: ``(outputs, 3, k, k)`` in ``tensors``, more
        channels in ``trunk``.
    blind
        Whether the filters of the further channels begin at zero, so that the trunk
        sees what it knows. Otherwise they stay random.

    Raises
    ------
    RuntimeError
        If a layer of ``trunk`` is missing or has another shape.
    """
    own = trunk.state_dict()
    taken = {name: tensor for name, tensor in tensors.items() if name in own}
    further = own[first][:, 3:]
    further = torch.zeros_like(further) if blind else further
    taken[first] = torch.cat([tensors[first], further], 1)
    trunk.load_state_dict(taken)


def keep_statistics(trunk: nn.Module) -> None:
    """Batch norms go on with the means and variances that came with the weights."""
    for module in trunk.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
