"""What nuclio needs to build and run a function, and what CVAT asks of it besides."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module, util
from types import ModuleType
from typing import Any

from cvat_functions.function_file import CPU, GPU, FunctionFile

RUNTIMES = ("python:3.11",)  # of nuclio's wheels those that the package runs on
HANDLERS = {
    "interactor": "napari_iseg.cvat.interaction",
    "detector": "napari_iseg.cvat.detection",
    "tracker": "napari_iseg.cvat.tracking",
}
RESERVED = "pth-facebookresearch-sam-vit-h"  # CVAT's browser takes it for its own SAM
CVAT_WAITS = 120  # seconds, CVAT_NUCLIO_DEFAULT_TIMEOUT
LOADING = 120  # seconds that a model may take, at least
LEAST_BODY = 32 * 2**20  # bytes, as CVAT's own functions: images of 24 MB
INSTRUCTIONS = {
    *("ADD", "ARG", "COPY", "ENTRYPOINT", "ENV", "RUN", "SHELL", "USER", "WORKDIR"),
}
STAGES = ("preCopy", "postCopy")
ONE_GPU = "nvidia.com/gpu"

_LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_HANDLER = re.compile(r"(?P<module>\w+(\.\w+)*):(?P<function>\w+)")
_UNITS = {"ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")


def _file_name(file: FunctionFile) -> Iterator[str]:
    if file.path.name not in (CPU, GPU):
        yield (
            f"the file is called {file.path.name}; CVAT's deploy scripts look "
            f"for {CPU} and {GPU}"
        )


def _identity(file: FunctionFile) -> Iterator[str]:
    name = file.at("metadata", "name")
    if not isinstance(name, str) or not _LABEL.fullmatch(name):
        yield (
            f"metadata.name is {name!r}; Kubernetes takes up to 63 of a-z, 0-9 and -, "
            "the first a letter and the last no -"
        )
    elif name == RESERVED:
        yield f"metadata.name is {name!r}, which CVAT's browser takes for its own SAM"
    if not file.at("spec", "description"):
        yield (
            "spec.description is empty, without which CVAT lists no model at all; "
            "write what the function does"
        )


def _shared_names(file: FunctionFile) -> Iterator[str]:
    """Of two functions of one name, nuclio keeps the one that was deployed last."""
    for other in sorted(file.path.parents[1].parent.glob(f"*/nuclio/{file.path.name}")):
        if other == file.path:
            continue
        neighbour = FunctionFile.read(other)
        for keys in (("metadata", "name"), ("spec", "build", "image")):
            if file.at(*keys) == neighbour.at(*keys):
                yield (
                    f"{'.'.join(keys)} is {file.at(*keys)!r}, as in "
                    f"{other.parts[-3]}; one of them would replace the other"
                )


def _runtime(file: FunctionFile) -> Iterator[str]:
    runs, base = file.at("spec", "runtime"), file.at("spec", "build", "baseImage")
    if runs not in RUNTIMES:
        yield f"spec.runtime is {runs!r}; nuclio and the package share {RUNTIMES[0]}"
    elif base != runs and not str(base).startswith(f"{runs}-"):
        yield (
            f"spec.build.baseImage is {base!r}; nuclio installs wheels for {runs}, so "
            f"write {runs}-slim"
        )
    if not file.at("spec", "build", "image"):
        yield "spec.build.image is empty; write a name for the image that is built"


def _handler(file: FunctionFile) -> Iterator[str]:
    """``module:function`` as nuclio imports it, with the folder on the path."""
    text = file.at("spec", "handler")
    parts = _HANDLER.fullmatch(str(text))
    if parts is None:
        yield f"spec.handler is {text!r}; write module:function"
        return
    try:
        module = _module(file, parts["module"])
    except ImportError as problem:
        yield f"spec.handler is {text!r}, and its module cannot be imported: {problem}"
        return
    function = getattr(module, parts["function"], None)
    if not callable(function):
        yield f"spec.handler is {text!r}, and there is no function of that name"
        return
    yield from _home_problems(file, function)


def _home_problems(file: FunctionFile, function: Callable[..., Any]) -> Iterator[str]:
    home, wanted = function.__module__, HANDLERS.get(file.kind or "")
    if wanted is not None and home != wanted:
        yield (
            f"spec.handler leads to {home}, but {wanted}:handler answers what CVAT "
            f"asks a {file.kind}"
        )
    # nuclio looks for it where the handler was written, not where it was imported
    elif not callable(getattr(sys.modules.get(home), "init_context", None)):
        yield f"spec.handler leads to {home}, where there is no init_context to load it"


def _module(file: FunctionFile, name: str) -> ModuleType:
    own = file.path.parent / f"{name.replace('.', '/')}.py"
    if not own.exists():
        return import_module(name)
    place = util.spec_from_file_location(f"_linted_{name}", own)
    assert place is not None
    assert place.loader is not None
    module = util.module_from_spec(place)
    place.loader.exec_module(module)
    return module


def _timeouts(file: FunctionFile) -> Iterator[str]:
    text = file.at("spec", "eventTimeout")
    if not isinstance(text, str) or not _DURATION.fullmatch(text):
        yield f"spec.eventTimeout is {text!r}; write a number with ms, s, m or h: 60s"
    elif not 0 < seconds(text) < CVAT_WAITS:
        yield (
            f"spec.eventTimeout is {text!r}, but CVAT waits {CVAT_WAITS} s: its user "
            "would see a time-out before the function does; write less"
        )
    ready = file.at("spec", "readinessTimeoutSeconds")
    if type(ready) is not int or ready < LOADING:
        yield (
            f"spec.readinessTimeoutSeconds is {ready!r}; loading a model takes its "
            f"time, write {LOADING} or more"
        )


def seconds(duration: str) -> float:
    """A duration as Go writes it, "1m30s", in seconds."""
    return sum(float(n) * _UNITS[unit] for n, unit in _PART.findall(duration))


def _trigger(file: FunctionFile) -> Iterator[str]:
    found = file.http_triggers
    if len(found) != 1 or len(file.at("spec", "triggers")) != 1:
        yield (
            f"spec.triggers has {len(found)} of kind http; CVAT calls the function by "
            "one and nothing else does"
        )
    for name, one in found.items():
        for problem in _trigger_problems(file, one):
            yield f"spec.triggers.{name}.{problem}"


def _trigger_problems(file: FunctionFile, one: Mapping[str, Any]) -> Iterator[str]:
    workers = one.get("numWorkers")
    if "maxWorkers" in one:
        yield "maxWorkers is an old name; write numWorkers"
    if type(workers) is not int or workers < 1:
        yield f"numWorkers is {workers!r}; write 1 or more"
    elif file.is_for_gpu and workers != 1:
        yield (
            f"numWorkers is {workers}, and each would have its own copy of the model "
            "on the GPU; write 1"
        )
    waits = one.get("workerAvailabilityTimeoutMilliseconds")
    if type(waits) is not int or waits <= 0:
        yield (
            f"workerAvailabilityTimeoutMilliseconds is {waits!r}: how long a request "
            "waits while all workers are busy; write 30000"
        )
    size = (one.get("attributes") or {}).get("maxRequestBodySize")
    if type(size) is not int or size < LEAST_BODY:
        yield (
            f"attributes.maxRequestBodySize is {size!r}; images of more than three "
            f"quarters of it are refused, write {LEAST_BODY} or more"
        )


def _platform(file: FunctionFile) -> Iterator[str]:
    policy = file.at("spec", "platform", "attributes", "restartPolicy", "name")
    if policy != "always":
        yield (
            f"spec.platform.attributes.restartPolicy.name is {policy!r}; write always, "
            "else the function is gone after a restart of the machine"
        )
    mounting = file.at("spec", "platform", "attributes", "mountMode")
    if mounting != "volume":
        yield (
            f"spec.platform.attributes.mountMode is {mounting!r}; write volume: CVAT's "
            "nuclio runs in a container and shares no folder with the machine"
        )


def _graphics(file: FunctionFile) -> Iterator[str]:
    limits = file.at("spec", "resources", "limits") or {}
    if file.is_for_gpu and limits.get(ONE_GPU) != 1:
        yield (
            f"spec.resources.limits.{ONE_GPU} is {limits.get(ONE_GPU)!r}; write 1, "
            "else docker shows no GPU to the function"
        )
    elif not file.is_for_gpu and ONE_GPU in limits:
        yield f"{CPU} asks for {ONE_GPU}; only {GPU} may"


def _instructions(file: FunctionFile) -> Iterator[str]:
    """Lines of the Dockerfile that are none, or copy what is not there."""
    if file.at("spec", "build", "commands"):
        yield (
            "spec.build.commands makes nuclio forget spec.build.directives; write RUN "
            "directives instead"
        )
    for stage in file.at("spec", "build", "directives"):
        if stage not in STAGES:
            yield f"spec.build.directives.{stage} is none of {', '.join(STAGES)}"
    for one in file.instructions():
        if one.kind not in INSTRUCTIONS:
            yield f"directive {one.kind!r} is none of {', '.join(sorted(INSTRUCTIONS))}"
        if not one.value:
            yield f"a directive {one.kind} is empty; write what it does or drop it"
        if one.kind in ("ADD", "COPY"):
            yield from _missing_sources(file, one.value)


def _missing_sources(file: FunctionFile, value: str) -> Iterator[str]:
    # nuclio builds where the folder lies below handler/
    for source in [part for part in value.split()[:-1] if not part.startswith("--")]:
        inside = source.removeprefix("handler/")
        if inside == source or not list(file.path.parent.glob(inside)):
            yield f"{source!r} is copied into the image, but is not in the folder"


RULES = (
    *(_file_name, _identity, _shared_names, _runtime, _handler, _timeouts, _trigger),
    *(_platform, _graphics, _instructions),
)
