"""The network as ONNX, in floating point and in 8 bits, and what that costs.

Click maps stay outside the graph: it takes windows and guides, as ``WindowModel`` does.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_iseg.atomic_files import written_whole
from napari_iseg.nets.cells_net import GUIDES, CellsNet
from napari_iseg.nets.window_model import Hypotheses, fuse, net_from
from napari_iseg.refine.windowed import Policy, Windowed
from napari_iseg.weights import read_tensors
from training.clicked_validation import ROBOT, chosen_objects
from training.images import data_root
from training.metrics import ClickCurve, summary
from training.samples import Sample, SampleSettings
from training.sources import Samples, validation_sets

SIDE = Policy().side  # of the example; the graph takes any multiple of 16
CALIBRATION = 32  # held-out windows whose range of activations 8 bits are to hold
CLICKED = 48  # held-out objects on which the cost of 8 bits is measured
TOLERANCE = 1e-2  # logits: a quarter percent of probability at most
INPUTS, OUTPUTS = ("image", "guides"), ("logits", "scores")


class WindowNet(nn.Module):
    """``CellsNet`` as runtimes want it: two tensors in, two out."""

    def __init__(self, net: CellsNet) -> None:
        super().__init__()
        self.net = fuse(net.eval())

    def forward(self, image: Tensor, guides: Tensor) -> tuple[Tensor, Tensor]:
        """``(B, 3, N, N)`` and ``(B, 4, N, N)`` to logits and scores."""
        answer = self.net(image, guides)
        return answer.logits, answer.scores


def required(name: str) -> ModuleType:
    """A module of the ``export`` extra; ValueError with what to install."""
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as problem:
        raise ValueError(
            f"ONNX needs {name.split('.', maxsplit=1)[0]}, which is not installed: pip "
            "install 'napari-iseg[export]'"
        ) from problem


def export_onnx(weights: Path, *, is_int8: bool) -> str:
    """Write ``weights`` as ``.onnx`` beside them, and ``.int8.onnx``; what was made.

    Parameters
    ----------
    weights
        A safetensors file of the cells network.
    is_int8
        Quantise, too, and let a robot click with both.

    Returns
    -------
    Sentences and a table in Markdown.

    Raises
    ------
    ValueError
        If a module is missing, or the graph does not answer like the network.
    """
    for name in ("onnx", "onnxscript", "onnxruntime"):
        required(name)
    path = weights.with_suffix(".onnx")
    net = net_from(read_tensors(weights))
    write_graph(net, path)
    found = deviation(net_from(read_tensors(weights)), OnnxModel(path))
    told = (
        f"{path}: {path.stat().st_size} bytes, logits within {found:.1e} of torch's\n"
    )
    if found > TOLERANCE:
        path.unlink()
        raise ValueError(
            f"the graph's logits differ by {found:.1e} from the network's, more than "
            f"{TOLERANCE}; it was not kept"
        )
    return told + (quantised(path) if is_int8 else "")


def write_graph(net: CellsNet, path: Path) -> None:
    """The graph for any number of windows of any side that is a multiple of 16."""
    example = (torch.rand(2, 3, SIDE, SIDE), torch.rand(2, GUIDES, SIDE, SIDE))
    batch = torch.export.Dim("batch", min=1, max=64)
    side = 16 * torch.export.Dim("sixteenths", min=2, max=64)
    shape = {0: batch, 2: side, 3: side}
    with warnings.catch_warnings(), written_whole(path) as unfinished:
        warnings.simplefilter("ignore")  # of the exporter about itself
        torch.onnx.export(
            WindowNet(net).eval(),
            example,
            str(unfinished),
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_shapes=(shape, shape),
            dynamo=True,
            external_data=False,
            verbose=False,
        )


class OnnxModel:
    """A ``WindowModel`` that ONNX Runtime computes, on the CPU."""

    def __init__(self, path: Path) -> None:
        runtime = required("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.device = "cpu"
        self.session = runtime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )

    def look(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """The windows themselves: the graph has one piece."""
        return np.ascontiguousarray(image.transpose(0, 3, 1, 2))

    def answer(
        self, seen: NDArray[np.float32], guides: NDArray[np.float32]
    ) -> list[Hypotheses]:
        logits, scores = self.session.run(
            list(OUTPUTS), dict(zip(INPUTS, (seen, guides), strict=True))
        )
        rated = 1 / (1 + np.exp(-scores))
        return [Hypotheses(*pair) for pair in zip(logits, rated, strict=True)]

    glance = answer


def deviation(net: CellsNet, model: OnnxModel) -> float:
    """The greatest difference of logits on windows of noise, two sides."""
    rng = np.random.default_rng(0)
    worst = 0.0
    for number, side in ((1, SIDE), (3, SIDE // 2)):
        image = rng.random((number, side, side, 3), np.float32)
        guides = rng.random((number, GUIDES, side, side), np.float32)
        with torch.inference_mode():
            pixels = torch.from_numpy(image).permute(0, 3, 1, 2)
            expected = net.eval()(pixels, torch.from_numpy(guides)).logits.numpy()
        found = model.answer(model.look(image), guides)
        logits = np.stack([one.logits for one in found])
        worst = max(worst, float(np.abs(logits - expected).max()))
    return worst


def quantised(path: Path) -> str:
    """Write the graph in 8 bits, let a robot click with both; a table."""
    small = path.with_suffix(".int8.onnx")
    sets = validation_sets(data_root())
    samples = Samples(sets, SampleSettings(side=SIDE, degraded=0.0), seed=0)
    write_int8(path, small, [samples[i] for i in range(CALIBRATION)])
    objects = chosen_objects(sets, CLICKED, seed=1)
    curves = {
        kind: objects.measured(Windowed(OnnxModel(file), Policy()))
        for kind, file in (("float32", path), ("int8", small))
    }
    return cost_table(curves, {"float32": path, "int8": small})


def write_int8(path: Path, small: Path, samples: Sequence[Sample]) -> None:
    """8-bit weights and activations whose range is that of the samples."""
    tool = required("onnxruntime.quantization")
    shaped = required("onnxruntime.quantization.shape_inference")
    with written_whole(small) as unfinished:
        ready = unfinished.with_suffix(".ready")
        shaped.quant_pre_process(str(path), str(ready), skip_symbolic_shape=True)
        try:
            tool.quantize_static(
                str(ready),
                str(unfinished),
                reader(tool, samples),
                quant_format=tool.QuantFormat.QDQ,
                per_channel=True,
                op_types_to_quantize=["Conv"],
            )
        finally:
            ready.unlink()


def reader(tool: ModuleType, samples: Sequence[Sample]) -> Any:
    """The windows as ONNX Runtime asks for them."""

    class Reader(tool.CalibrationDataReader):  # type: ignore[name-defined]
        def __init__(self) -> None:
            self.left: Iterator[dict[str, NDArray[np.float32]]] = map(fed, samples)

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            return next(self.left, None)

    return Reader()


def fed(sample: Sample) -> dict[str, NDArray[np.float32]]:
    """A sample's zoom window with its poor answer and one click in the middle."""
    window = sample.zoom
    side = window.truth.shape[0]
    guides = np.zeros((1, GUIDES, side, side), np.float32)
    middle = slice(side // 2 - 3, side // 2 + 4)
    guides[0, int(not window.truth[side // 2, side // 2]), middle, middle] = 1
    guides[0, 2], guides[0, 3] = sample.start, window.others
    return {"image": window.image[None].astype(np.float32), "guides": guides}


def cost_table(
    curves: Mapping[str, Sequence[ClickCurve]], files: Mapping[str, Path]
) -> str:
    """Size, clicks and time of each kind; the last line is the difference."""
    rows = {kind: summary(found) for kind, found in curves.items()}
    lines = [
        "| graph | MB | robot | objects | IoU @1 | NoC85 | NoC90 | ms a click |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for kind, row in rows.items():
        size = files[kind].stat().st_size / 1e6
        lines.append(
            f"| {kind} | {size:.2f} | {ROBOT} | {row['objects']:.0f} | "
            f"{row['iou@1']:.3f} | {row['noc85']:.2f} | {row['noc90']:.2f} | "
            f"{row['click_ms']:.0f} |"
        )
    more = {
        k: rows["int8"][k] - rows["float32"][k] for k in ("iou@1", "noc85", "noc90")
    }
    lines.append(
        f"| int8 less float32 | | | | {more['iou@1']:+.3f} | {more['noc85']:+.2f} | "
        f"{more['noc90']:+.2f} | |"
    )
    return "\n".join(lines) + "\n"
