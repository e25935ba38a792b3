"""Folders with a function.yaml, right or with one thing wrong in it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from cvat_functions.function_file import CPU

ABSENT = object()
INSTALL = (
    "pip install --no-cache-dir --find-links /opt/nuclio/wheels "
    '"napari-iseg[cvat]==0.1.0"'
)
# All that an interactor needs; no main.py beside it.
GOOD: dict[str, Any] = {
    "metadata": {
        "name": "napari-iseg-random-walk",
        "annotations": {
            "name": "Random walk (clicks)",
            "version": 2,
            "type": "interactor",
            "spec": None,
            "min_pos_points": 0,
            "min_neg_points": 0,
            "startswith_box_optional": True,
            "help_message": "Click on an object.",
        },
    },
    "spec": {
        "description": "Interactive segmentation by clicks",
        "runtime": "python:3.11",
        "handler": "napari_iseg.cvat.interaction:handler",
        "eventTimeout": "60s",
        "readinessTimeoutSeconds": 300,
        "env": [{"name": "ISEG_METHOD", "value": "random-walk"}],
        "build": {
            "image": "cvat.napari-iseg.random-walk",
            "baseImage": "python:3.11-slim",
            "directives": {"postCopy": [{"kind": "RUN", "value": INSTALL}]},
        },
        "triggers": {
            "myHttpTrigger": {
                "kind": "http",
                "numWorkers": 2,
                "workerAvailabilityTimeoutMilliseconds": 30000,
                "attributes": {"maxRequestBodySize": 134217728},
            }
        },
        "platform": {
            "attributes": {
                "restartPolicy": {"name": "always"},
                "mountMode": "volume",
            }
        },
    },
}


def changed(changes: Mapping[str, Any], good: Mapping[str, Any] = GOOD) -> Any:
    """``good`` with other values at some dotted paths; ``ABSENT`` takes one out."""
    content = deepcopy(dict(good))
    for path, value in changes.items():
        *places, last = path.split("/")
        place = content
        for one in places:
            place = place.setdefault(one, {})
        if value is ABSENT:
            place.pop(last, None)
        else:
            place[last] = value
    return content


def written(
    place: Path, content: Any, file: str = CPU, folder: str = "random-walk"
) -> Path:
    """A folder as CVAT wants it, with nothing in it but this yaml."""
    path = place / folder / "nuclio" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path
