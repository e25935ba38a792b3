"""How long CVAT waits for a click, how much is answered, and what a worker costs."""

from __future__ import annotations

import base64
import io
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from training.latency import CELL_RADIUS, OFFSETS, drawn_tile
from training.nuclio import Worker
from training.revision import revision

Point: TypeAlias = tuple[float, float]  # x, y
HANDLER = "napari_iseg.cvat.interaction:handler"
SPACING = 256  # between two cells of the drawn field


@dataclass(frozen=True, slots=True)
class FileKind:
    """How a drawn field of 16 bits becomes a file."""

    format: str
    mode: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def written(self, field_: np.ndarray[Any, Any]) -> bytes:
        """The file's bytes."""
        deep = self.mode == "I;16"
        grey = Image.fromarray(field_ if deep else (field_ >> 8).astype(np.uint8))
        content = io.BytesIO()
        image = grey if deep else grey.convert(self.mode)
        image.save(content, self.format, **self.options)
        return content.getvalue()


KINDS = {
    "PNG, 8 bit": FileKind("PNG", "L"),
    "PNG, 16 bit": FileKind("PNG", "I;16"),
    "JPEG, colour": FileKind("JPEG", "RGB", {"quality": 90}),
    "TIFF, 16 bit, LZW": FileKind("TIFF", "I;16", {"compression": "tiff_lzw"}),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured."""

    method: str = "cells"
    device: str = "cpu"
    threads: int = 2
    sides: Sequence[int] = (512, 2048, 4096)
    images: int = 8
    requests: int = 1000

    @property
    def environment(self) -> dict[str, str]:
        """Of the workers, as in a ``function.yaml``."""
        return {
            "ISEG_METHOD": self.method,
            "ISEG_DEVICE": self.device,
            "OMP_NUM_THREADS": str(self.threads),
        }


@dataclass(frozen=True, slots=True)
class Reply:
    """One request: seconds in the handler, seconds on the wire too, bytes."""

    handler: float
    whole: float
    size: int
    memory: int


def annotating(content: bytes, side: int, number: int) -> Iterator[dict[str, Any]]:
    """What CVAT sends while an annotator clicks five times at one cell of an image.

    Bytes after the end of an image file change nothing in it, but they make it one
    that no worker has seen.
    """
    image = base64.b64encode(content + number.to_bytes(8, "big")).decode()
    across = side // SPACING
    row, column = ((n % across + 0.5) * SPACING for n in (number, number // across))
    places = [(column, row), *((column + x, row + y) for y, x in OFFSETS)]
    for count in range(1, len(places) + 1):
        clicked = places[:count]
        inside = [np.hypot(x - column, y - row) < CELL_RADIUS for x, y in clicked]
        yield {
            "image": image,
            "pos_points": [
                p for p, is_in in zip(clicked, inside, strict=True) if is_in
            ],
            "neg_points": [
                p for p, is_in in zip(clicked, inside, strict=True) if not is_in
            ],
            "obj_bbox": [],
        }


def asked(worker: Worker, request: Mapping[str, Any]) -> Reply:
    """One request through the wire; RuntimeError if nothing is found."""
    began = time.perf_counter()
    answer = worker.ask(request)
    whole = time.perf_counter() - began
    if answer.status != 200 or not answer.json["shapes"]:
        raise RuntimeError(f"answered {answer.status}: {answer.body[:500]}")
    return Reply(answer.seconds, whole, len(answer.body), worker.memory)


def worker_of(plan: Plan) -> Worker:
    return Worker(HANDLER, plan.environment)


# -------------------------------------------------------------------------- latency


def latencies(plan: Plan) -> list[dict[str, Any]]:
    """A row for each kind and size of image."""
    with worker_of(plan) as worker:
        return [
            latency_row(worker, plan, name, side)
            for side in plan.sides
            for name in KINDS
        ]


def latency_row(worker: Worker, plan: Plan, name: str, side: int) -> dict[str, Any]:
    content = KINDS[name].written(drawn_tile(side, np.random.default_rng(0)))
    first: list[Reply] = []
    later: list[Reply] = []
    for number in range(plan.images + 1):  # the first image is not counted
        replies = [asked(worker, one) for one in annotating(content, side, number)]
        if number:
            first.append(replies[0])
            later.extend(replies[1:])
    return {
        "image": f"{side} x {side}, {name}",
        "file_mb": len(content) / 1e6,
        **figures("first", first),
        **figures("later", later),
        "answer_bytes": max(reply.size for reply in first + later),
        "clicks": len(first) + len(later),
    }


def figures(kind: str, replies: Sequence[Reply]) -> dict[str, float]:
    """Milliseconds: median and 95th percentile in the handler, median with the wire."""
    handler = np.array([reply.handler for reply in replies]) * 1e3
    whole = np.array([reply.whole for reply in replies]) * 1e3
    return {
        f"{kind}_median_ms": float(np.median(handler)),
        f"{kind}_p95_ms": float(np.percentile(handler, 95)),
        f"{kind}_wire_ms": float(np.median(whole)),
    }


# ---------------------------------------------------------------- throughput, memory


def throughput(plan: Plan, workers: int, side: int) -> dict[str, Any]:
    """Requests per second of annotators who never wait, one for each worker."""
    content = KINDS["PNG, 8 bit"].written(drawn_tile(side, np.random.default_rng(0)))
    each = plan.requests // workers
    with ExitStack() as stack, ThreadPoolExecutor(workers) as threads:
        running = [stack.enter_context(worker_of(plan)) for _ in range(workers)]
        starting = [worker.memory for worker in running]
        began = time.perf_counter()
        jobs = [
            threads.submit(annotated, worker, content, side, each, (n + 1) * 10**9)
            for n, worker in enumerate(running)
        ]
        memories = [job.result() for job in jobs]
        seconds = time.perf_counter() - began
    return {
        "workers": workers,
        "image": f"{side} x {side}, PNG, 8 bit",
        "requests": each * workers,
        "per_second": each * workers / seconds,
        "started_mb": max(starting) / 1e6,
        "early_mb": max(memory[each // 10] for memory in memories) / 1e6,
        "end_mb": max(memory[-1] for memory in memories) / 1e6,
    }


def annotated(
    worker: Worker, content: bytes, side: int, requests: int, begin: int
) -> list[int]:
    """Bytes in memory after each request; five of them an image."""
    memory: list[int] = []
    number = begin
    while len(memory) < requests:
        number += 1
        clicks = annotating(content, side, number)
        memory.extend(asked(worker, request).memory for request in clicks)
    return memory[:requests]


# --------------------------------------------------------------------------- results


def measured(plan: Plan, side: int = 2048) -> dict[str, Any]:
    """All of it, as JSON knows it; ``side`` is of the images for the throughput."""
    return {
        "method": plan.method,
        "device": plan.device,
        "threads": plan.threads,
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "revision": revision(),
        "latency": latencies(plan),
        "throughput": [throughput(plan, workers, side) for workers in (1, 2)],
    }


def as_markdown(found: Mapping[str, Any]) -> str:
    """Two tables and a line about where they were measured."""
    lines = [
        f"`{found['method']}` on {found['device']}, {found['threads']} threads a "
        f"worker, {found['processors']} processors, Python {found['python']}, "
        f"revision `{found['revision']}`.",
        "",
        "| image | file, MB | first click, ms: median | p95 | with wire | "
        "later: median | p95 | with wire | answer, kB at most |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row['image']} | {row['file_mb']:.1f} | "
        + " | ".join(
            f"{row[f'{kind}_{figure}_ms']:.0f}"
            for kind in ("first", "later")
            for figure in ("median", "p95", "wire")
        )
        + f" | {row['answer_bytes'] / 1e3:.1f} |"
        for row in found["latency"]
    ]
    lines += [
        "",
        "| workers | images | requests | requests a second | RSS of a worker, MB: "
        "started | after a tenth | at the end |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row['workers']} | {row['image']} | {row['requests']} | "
        f"{row['per_second']:.1f} | {row['started_mb']:.0f} | {row['early_mb']:.0f} | "
        f"{row['end_mb']:.0f} |"
        for row in found["throughput"]
    ]
    return "\n".join(lines) + "\n"
