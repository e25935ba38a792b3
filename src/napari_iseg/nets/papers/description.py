"""Which network a weights file is of: a name and arguments, kept in its metadata.

The metadata of a safetensors file of a paper's network has ``network``, in JSON::

    {"name": "itis", "arguments": {"width": 0.25, "trunk": {"part": "ResNet"}}}

``name`` is one of ``NETWORKS`` or ``CONVERTED``, ``arguments`` are those of its class.
A class, or a ``partial`` of one, that is an argument is a part of the network: it is
named, and looked for in the network's own module. So weights stay data: nothing is
imported that the name does not lead to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from napari_iseg.nets.papers import network
from napari_iseg.weights import read_metadata, read_tensors

KEY = "network"  # of the metadata
PART = "part"  # of an argument that is a class


@dataclass(frozen=True, slots=True)
class Description:
    """A network of ``NETWORKS`` or ``CONVERTED`` without its weights.

    Attributes
    ----------
    name
        A name of ``NETWORKS`` or ``CONVERTED``.
    arguments
        Those of the class, by name: numbers, booleans, strings, lists of them, or
        parts of the network (a class of its module, or a ``partial`` of one).
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def build(self) -> nn.Module:
        """The network with random weights.

        Raises
        ------
        ValueError
            If there is no such network, or it takes other arguments.
        """
        make = network(self.name)
        try:
            net: nn.Module = make(**self.arguments)
        except TypeError as problem:
            raise ValueError(
                f"the network {self.name!r} cannot be made with "
                f"{dict(self.arguments)}: {problem}"
            ) from problem
        return net

    def metadata(self) -> dict[str, str]:
        """What ``save_file(tensors, path, metadata=...)`` is to write."""
        arguments = {name: _plain(value) for name, value in self.arguments.items()}
        return {KEY: json.dumps({"name": self.name, "arguments": arguments})}


def described(path: Path) -> Description:
    """What the file at ``path`` says that it is of.

    Raises
    ------
    ValueError
        If the file is missing, no safetensors file, or does not say a network of ours.
    """
    text = read_metadata(path).get(KEY)
    if text is None:
        raise ValueError(
            f"{path} does not say which network it is of (no {KEY!r} in its metadata); "
            "choose weights of a paper's network that `python -m training export` wrote"
        )
    try:
        content = json.loads(text)
        name, arguments = content["name"], dict(content["arguments"])
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as problem:
        raise ValueError(
            f"{path} says {text!r} of its network; name and arguments are expected"
        ) from problem
    whole = {key: _meant(name, value) for key, value in arguments.items()}
    return Description(name, whole)


def read_network(path: Path, name: str) -> nn.Module:
    """The network ``name`` with the weights at ``path``, in single precision.

    Raises
    ------
    ValueError
        If the file is missing, of another network, or its tensors do not fit.
    """
    found = described(path)
    if found.name != name:
        raise ValueError(
            f"{path} holds weights of {found.name!r}, not of {name!r}; choose the "
            "method they were trained for"
        )
    net = replace(found, arguments=_untrained(found.arguments)).build()
    state = {key: torch.from_numpy(value) for key, value in read_tensors(path).items()}
    try:
        net.load_state_dict(
            {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
        )
    except RuntimeError as problem:
        raise ValueError(
            f"the weights at {path} do not fit the network {name!r} with "
            f"{dict(found.arguments)}: {' '.join(str(problem).split())[:300]}"
        ) from problem
    return net.eval()


def _untrained(arguments: Mapping[str, Any]) -> dict[str, Any]:
    # Where training began is no business of weights that are whole.
    return {name: one for name, one in arguments.items() if name != "pretrained"}


def _plain(value: Any) -> Any:
    if isinstance(value, type):
        return {PART: value.__name__}
    if isinstance(value, partial):
        return {PART: value.func.__name__, **value.keywords}
    return value


def _meant(name: str, value: Any) -> Any:
    """An argument as the class takes it; parts are found by their names."""
    if not isinstance(value, dict):
        return value
    options = dict(value)
    title = options.pop(PART, None)
    part = getattr(import_module(network(name).__module__), str(title), None)
    if not (isinstance(part, type) and issubclass(part, nn.Module)):
        message = f"the network {name!r} has no part called {title!r}"
        raise ValueError(message)  # noqa: TRY004 - the file's mistake, whatever it names
    return partial(part, **options) if options else part
