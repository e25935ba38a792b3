"""Model files: TorchScript and ``torch.export``, as methods that obey clicks.

Such a file is a program. Loading and running it is as safe as whoever made it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch
from torch import nn

from napari_iseg.arrays import Grid
from napari_iseg.nets.own.converted import converted
from napari_iseg.nets.own.entrance import AT_INPUT
from napari_iseg.nets.own.outputs import Output
from napari_iseg.nets.own.reads import Reads
from napari_iseg.refine.brs import BRS
from napari_iseg.refine.cells import available
from napari_iseg.refine.conversion import checked, interactive
from napari_iseg.refine.handles import Variant
from napari_iseg.refine.own_windows import View

# By a file in the archive that only this kind has.
SIGNS = {
    "constants.pkl": "torchscript",
    "archive_format": "export",
    "serialized_exported_program.json": "export",  # up to torch 2.7
}
HOW = (
    "save the network with torch.export.save(torch.export.export(net.eval(), "
    "(image,), ...), path) or torch.jit.script(net.eval()).save(path)"
)


def load_own_model(
    path: str | Path,
    *,
    output: Output | None = None,
    reads: Reads | None = None,
    view: View | None = None,
    whole: bool = False,
    variant: Variant = "maps",
    device: str = "auto",
) -> BRS:
    """A network from a TorchScript or ``torch.export`` file, as a segmenter.

    Both kinds hold their code, so the class of the network is not needed. Such a file
    is a program: load only those from people whose programs you would run.

    Parameters
    ----------
    path
        Written by ``torch.jit.save`` or ``torch.export.save``.
    output, reads, view, whole, variant, device
        See ``make_interactive``. A network that was exported for images of one size
        is shown windows of this size. The interaction maps are laid over its input.
        TorchScript hides its layers: "maps" is the only variant for it.

    Raises
    ------
    ValueError
        If the file is missing or no such file, and as ``make_interactive``.
    """
    path = Path(path)
    where = available(device)
    net, size = READERS[kind_of(path)](path, where)
    reads = reads or Reads()
    if reads.size is None and size is not None:
        reads = replace(reads, size=size)
    found = converted(net, reads, output, AT_INPUT, where)
    shown = interactive(found, view, whole=whole, device=where)
    return BRS(shown, checked(found, variant))


def kind_of(path: Path) -> str:
    """Which of ``READERS`` reads the file.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    try:
        with ZipFile(path) as archive:
            names = {name.rpartition("/")[2] for name in archive.namelist()}
    except BadZipFile as problem:
        raise ValueError(
            f"{path.name} is neither a TorchScript nor a torch.export file; {HOW}"
        ) from problem
    for sign, kind in SIGNS.items():
        if sign in names:
            return kind
    what = "weights, or a pickled network," if "data.pkl" in names else "something else"
    raise ValueError(
        f"{path.name} holds {what} and not the code to run it; {HOW}, or build the "
        "network in Python and call make_interactive"
    )


def read_torchscript(path: Path, device: str) -> tuple[nn.Module, Grid | None]:
    """The network of a TorchScript file; it does not say which sizes it takes."""
    with warnings.catch_warnings():
        # torch would rather see torch.export; the files are there all the same.
        warnings.filterwarnings("ignore", "`torch.jit.load` is deprecated")
        net = opened(path, lambda: torch.jit.load(path, map_location=device))
    return fixed(net.eval()), None


def read_export(path: Path, device: str) -> tuple[nn.Module, Grid | None]:
    """The network of a ``torch.export.save`` file, and the only size it takes."""
    from torch.export.passes import move_to_device_pass

    with path.open("rb") as file:
        program = opened(path, lambda: torch.export.load(file))
    program = move_to_device_pass(program, device)
    # Unlike ``program.module()`` this has the network's layers: f-BRS needs them.
    return fixed(torch.export.unflatten(program)), only_size(program)


def fixed(net: nn.Module) -> nn.Module:
    """Weights that ask for no gradients; scripted modules know no shorter way."""
    for weight in net.parameters():
        weight.requires_grad = False
    return net


def only_size(program: Any) -> Grid | None:
    """Height and width of its image if they are fixed; else None."""
    named = {node.name: node for node in program.graph.nodes}
    inputs = program.graph_signature.user_inputs
    image = named[inputs[0]].meta.get("val") if inputs else None
    sides = tuple(getattr(image, "shape", ())[-2:])
    known = len(sides) == 2 and all(isinstance(side, int) for side in sides)
    return (sides[0], sides[1]) if known else None


def opened(path: Path, load: Callable[[], Any]) -> Any:
    """What ``load`` returns; ValueError if it cannot read the file."""
    try:
        return load()
    except Exception as problem:
        reason = str(problem).strip().splitlines() or [type(problem).__name__]
        raise ValueError(
            f"{path.name} could not be read by torch {torch.__version__}: {reason[0]}; "
            "save it with this version, or with an older one"
        ) from problem


READERS: dict[str, Callable[[Path, str], tuple[nn.Module, Grid | None]]] = {
    "torchscript": read_torchscript,
    "export": read_export,
}
