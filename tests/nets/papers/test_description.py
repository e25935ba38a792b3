"""A weights file says which network it is of, and that network comes back."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_iseg.clicks import Clicks
from napari_iseg.nets.papers import NETWORKS
from napari_iseg.nets.papers.description import Description, described, read_network
from napari_iseg.nets.papers.image_model import ImageModel
from napari_iseg.nets.papers.latent_diversity import ContextNet, UNet
from tests.nets.papers.measures import awake

NARROW = 1 / 32


def written(path: Path, kind: Description, *, halved: bool = False) -> torch.nn.Module:
    net = awake(kind.build()).eval()
    tensors = {
        name: tensor.half() if halved and tensor.ndim > 1 else tensor
        for name, tensor in net.state_dict().items()
    }
    save_file(tensors, path, metadata=kind.metadata())
    return net


@pytest.mark.parametrize("name", NETWORKS)
def test_what_was_written_is_read_as_the_same_network(name: str, tmp_path: Path):
    path = tmp_path / "weights.safetensors"
    image = np.random.default_rng(0).random((33, 40, 3), np.float32)
    clicks = Clicks.at(positive=[(10, 12)])
    before = ImageModel(written(path, Description(name, {"width": NARROW})))

    after = ImageModel(read_network(path, name))

    np.testing.assert_array_equal(
        before.answer(before.look(image), clicks).logits,
        after.answer(after.look(image), clicks).logits,
    )


def test_arguments_that_are_parts_of_a_network_are_named(tmp_path: Path):
    """Given a network whose body is a U-Net, and one whose body has an option."""
    path = tmp_path / "weights.safetensors"
    kind = Description("latent-diversity", {"width": NARROW, "body": UNet, "masks": 3})
    written(path, kind)

    assert described(path) == kind
    assert read_network(path, "latent-diversity").masks == 3

    with_option = Description("latent-diversity", {"body": partial(ContextNet, a=1)})
    save_file({"a": torch.zeros(1)}, path, metadata=with_option.metadata())

    body = described(path).arguments["body"]
    assert (body.func, body.keywords) == (ContextNet, {"a": 1})


def test_weights_are_read_without_those_they_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Given a network that began with ImageNet's weights, and no way to get them."""
    path = tmp_path / "weights.safetensors"
    kind = Description("ifcn", {"width": NARROW})
    began = Description("ifcn", {"width": NARROW, "pretrained": True})
    save_file(kind.build().state_dict(), path, metadata=began.metadata())
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "empty"))

    assert read_network(path, "ifcn").width == NARROW


def test_half_precision_is_read_as_single(tmp_path: Path):
    path = tmp_path / "weights.safetensors"
    written(path, Description("ifcn", {"width": NARROW}), halved=True)

    net = read_network(path, "ifcn")

    assert {tensor.dtype for tensor in net.parameters()} == {torch.float32}
    assert not net.training


def saved(path: Path, content: object) -> Path:
    metadata = None if content is None else {"network": json.dumps(content)}
    save_file({"a": torch.zeros(2)}, path, metadata=metadata)
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not say which network it is of .* choose weights of a paper's"),
        (["ifcn"], "name and arguments are expected"),
        ({"name": "ifcn"}, "name and arguments are expected"),
        ({"name": "sam", "arguments": {}}, "weights of 'sam', not of 'ifcn'"),
        ({"name": "ifcn", "arguments": {"wide": 2}}, "'ifcn' cannot be made with"),
        (
            {"name": "ifcn", "arguments": {"body": {"part": "system"}}},
            "'ifcn' has no part called 'system'",
        ),
        (
            {"name": "ifcn", "arguments": {"width": NARROW}},
            "do not fit the network 'ifcn'",
        ),
        ({"name": "fctsfn", "arguments": {}}, "of 'fctsfn', not of 'ifcn'; choose"),
    ],
)
def test_a_file_that_is_of_something_else_is_refused(
    content: object, message: str, tmp_path: Path
):
    path = saved(tmp_path / "weights.safetensors", content)

    with pytest.raises(ValueError, match=message):
        read_network(path, "ifcn")


def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path):
    path = tmp_path / "weights.safetensors"
    path.write_text("nothing")

    with pytest.raises(ValueError, match=r"is not a weights file .* choose a"):
        described(path)
    with pytest.raises(ValueError, match="there is no weights file at"):
        described(tmp_path / "missing.safetensors")
