"""The processes of one training run, as ``torchrun`` starts them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch import distributed as dist


@dataclass(frozen=True, slots=True)
class Crew:
    """A process's place among ``size`` that train one network together."""

    rank: int = 0
    size: int = 1

    @property
    def is_alone(self) -> bool:
        return self.size == 1

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes files and validates."""
        return self.rank == 0

    def mean(self, values: Sequence[float]) -> list[float]:
        """Each value's mean over the processes."""
        if self.is_alone:
            return list(values)
        together = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(together)
        return [float(v) for v in together / self.size]

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over the processes."""
        if self.is_alone:
            return
        for tensor in tensors:
            dist.all_reduce(tensor)
            tensor.div_(self.size)

    def agreed(self, *, is_true: bool) -> bool:
        """What the first process says."""
        return self.told(float(is_true)) > 0

    def told(self, value: float) -> float:
        """The value that the first process has."""
        if self.is_alone:
            return value
        box = torch.tensor([value], dtype=torch.float64)
        dist.broadcast(box, 0)
        return float(box)

    def in_parallel(self, net: nn.Module) -> nn.Module:
        """``net`` with gradients that are averaged over the processes.

        Statistics of batch norms are averaged after each step, not overwritten before.
        """
        if self.is_alone:
            return net
        return nn.parallel.DistributedDataParallel(net, broadcast_buffers=False)


@contextmanager
def joined(device: str) -> Iterator[tuple[Crew, str]]:
    """The crew ``torchrun`` made this process part of, and the process's own device.

    Without ``torchrun``: alone. Processes on CPUs talk by gloo, on GPUs by NCCL and
    each takes its own: "cuda" becomes "cuda:1" in the second process of a machine.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Crew(), device
        return
    is_gpu = device == "cuda"
    own = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if is_gpu else device
    if is_gpu:
        torch.cuda.set_device(own)
    dist.init_process_group("cpu:gloo,cuda:nccl" if is_gpu else "gloo")
    try:
        yield Crew(dist.get_rank(), size), own
    finally:
        dist.destroy_process_group()
