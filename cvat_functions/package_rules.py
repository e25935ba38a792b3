"""What napari-iseg asks of its functions: a pinned wheel, known settings, twins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from cvat_functions.function_file import FunctionFile, text_of
from napari_iseg import catalog
from napari_iseg.cvat.settings import VARIABLES, Settings

WHEELS = "/opt/nuclio/wheels"  # the folder wheels/ beside the yaml, in the image
DEVICES = ("auto", "cpu", "cuda", "mps")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
FETCHING = ("git clone", "git+", "curl ", "wget ")
MAY_DIFFER = (
    *("spec.description", "spec.env.ISEG_DEVICE", "spec.build.image"),
    *("spec.build.directives", "spec.resources"),
)
WORKERS = re.compile(r"spec\.triggers\.[^.]+\.numWorkers")

_PINNED = re.compile(r'"napari-iseg\[cvat\]==(?P<version>\d+(\.\d+){2})"')
_NAMED = re.compile(r"\bnapari[-_.]iseg\b")


def pinned_version(file: FunctionFile) -> str | None:
    """The version of the package that the image gets; None if none is pinned."""
    found = [_PINNED.search(one.value) for one in file.instructions()]
    return next((one["version"] for one in found if one is not None), None)


def _wheel(file: FunctionFile) -> Iterator[str]:
    """The package is installed once, at a version, after the folder was copied."""
    installs = [
        one
        for one in file.instructions()
        if one.kind == "RUN" and _NAMED.search(one.value)
    ]
    if len(installs) != 1:
        yield f"napari-iseg is installed {len(installs)} times; write one RUN"
    for one in installs:
        if not _PINNED.search(one.value):
            yield (
                f"{one.value!r} pins no version; write "
                '"napari-iseg[cvat]==1.2.3" with the version you tested'
            )
        if one.stage != "postCopy" or f"--find-links {WHEELS}" not in one.value:
            yield (
                f"{one.value!r} cannot take a wheel of your own; write it in postCopy "
                f"with --find-links {WHEELS}"
            )


def _fetching(file: FunctionFile) -> Iterator[str]:
    """What third parties may take away or change."""
    for one in file.instructions():
        found = [word for word in FETCHING if word in f"{one.value} "]
        if one.kind == "ADD" and "://" in one.value:
            found.append("ADD")
        for word in found:
            yield (
                f"{one.value!r} fetches by {word.strip()} what may change or go; "
                "put it into a wheel or the folder"
            )


def _environment(file: FunctionFile) -> Iterator[str]:
    """Variables by name, and values that the function can read."""
    names = [text_of(one.get("name")) for one in file.at("spec", "env") or []]
    known = [*VARIABLES.values(), *THREADS]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"spec.env has {name} twice; the last one counts"
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            yield f"spec.env has {name!r}, which nothing reads; {hint}"
    try:
        Settings.read(file.environment)
    except ValueError as problem:
        yield f"spec.env: {problem}"


def _method(file: FunctionFile) -> Iterator[str]:
    """ISEG_METHOD is a method that can do what CVAT will ask."""
    entries = catalog.AUTOMATIC if file.kind == "detector" else catalog.ENTRIES
    name = file.environment.get(VARIABLES["method"], "")
    if name not in entries:
        near = get_close_matches(name, entries, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(entries)}"
        yield (
            f"{VARIABLES['method']} is {name!r}, no method of the catalogue for a "
            f"{file.kind}; {hint}"
        )
    elif entries[name].card is None and VARIABLES["weights"] in file.environment:
        yield f"{VARIABLES['weights']} is set, but {name!r} has no weights"


def _device(file: FunctionFile) -> Iterator[str]:
    found = file.environment.get(VARIABLES["device"], "auto")
    if found not in DEVICES:
        yield f"{VARIABLES['device']} is {found!r}, none of {', '.join(DEVICES)}"
    elif found in ({"cpu"} if file.is_for_gpu else {"cuda", "mps"}):
        yield f"{VARIABLES['device']} is {found!r} in {file.path.name}; write auto"


def _twins(file: FunctionFile) -> Iterator[str]:
    """The CPU's and the GPU's yaml are one function: users see no difference."""
    if not file.twin.exists():
        return
    mine, theirs = _flat(file), _flat(FunctionFile.read(file.twin))
    for key in sorted(mine.keys() | theirs.keys()):
        allowed = key.startswith(MAY_DIFFER) or WORKERS.fullmatch(key)
        if mine.get(key) != theirs.get(key) and not allowed:
            yield (
                f"{key} is {mine.get(key)!r}, but {theirs.get(key)!r} in "
                f"{file.twin.name}; they are one function, write the same"
            )


def _versions(file: FunctionFile) -> Iterator[str]:
    """All functions of the folder get the same package."""
    mine = pinned_version(file)
    for other in sorted(file.path.parents[1].parent.glob("*/nuclio/function*.yaml")):
        theirs = pinned_version(FunctionFile.read(other))
        if None not in (mine, theirs) and mine != theirs:
            yield (
                f"napari-iseg is {mine} here and {theirs} in {other.parts[-3]}; write "
                "one version"
            )


def _flat(file: FunctionFile) -> dict[str, Any]:
    spec = {**file.at("spec"), "env": file.environment}
    return dict(_leaves({"metadata": file.at("metadata"), "spec": spec}))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        yield path, value
        return
    for key, inner in value.items():
        yield from _leaves(inner, f"{path}.{key}" if path else str(key))


RULES = (_wheel, _fetching, _environment, _method, _device, _twins, _versions)
