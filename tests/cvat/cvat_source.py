"""CVAT's own request code, loaded from a checkout without its server or database.

``views.py`` of ``lambda_manager`` needs Django and a few names; all else that it
imports is a stand-in that answers anything.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location, spec_from_loader
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

LAMBDA = "cvat.apps.lambda_manager"
STOOD_IN = ("cvat", "datumaro", "django_rq", "drf_spectacular", "rest_framework", "rq")


class FunctionKind(StrEnum):
    DETECTOR = "detector"
    INTERACTOR = "interactor"
    REID = "reid"
    TRACKER = "tracker"


class ShapeType(StrEnum):
    RECTANGLE = "rectangle"
    POLYGON = "polygon"
    MASK = "mask"
    SKELETON = "skeleton"


class Base:
    """What CVAT's views and serializers derive from."""


def requests_session() -> Any:
    import requests

    return requests.Session()


def frames_of(task: Any) -> Any:
    """CVAT's provider of frames: the original files."""
    return SimpleNamespace(
        get_frame=lambda number, **_: SimpleNamespace(
            data=io.BytesIO(task.files[number]), mime="image/png"
        )
    )


NAMES: dict[str, dict[str, Any]] = {
    f"{LAMBDA}.models": {"FunctionKind": FunctionKind},
    "cvat.apps.engine.models": {"ShapeType": ShapeType},
    "cvat.apps.engine.frame_provider": {"TaskFrameProvider": frames_of},
    "cvat.utils.http": {"make_requests_session": requests_session},
    "rest_framework.viewsets": {"ViewSet": Base, "GenericViewSet": Base},
    "rest_framework.serializers": {"Serializer": Base},
}
NAMES["rest_framework"] = {}


class StandIn(ModuleType):
    """A module in which every name is something."""

    __path__: Sequence[str] = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        whole = f"{self.__name__}.{name}"
        if whole in NAMES or whole in sys.modules:
            __import__(whole)
            return sys.modules[whole]
        return MagicMock(name=whole)


class StandIns(MetaPathFinder, Loader):
    """Finds a stand-in for whatever CVAT's code imports beside Django."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name.partition(".")[0] not in STOOD_IN:
            return None
        file = self.checkout / f"{name.replace('.', '/')}.py"
        if name in {f"{LAMBDA}.views", f"{LAMBDA}.utils"} and file.exists():
            return spec_from_file_location(name, file)
        return spec_from_loader(name, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        for name, value in NAMES.get(module.__name__, {}).items():
            setattr(module, name, value)


@contextmanager
def views_of(checkout: Path) -> Iterator[ModuleType]:
    """CVAT's ``views.py``; what was loaded for it is forgotten afterwards."""
    from django.conf import settings

    if not settings.configured:
        direct = {"INVOKE_METHOD": "direct", "DEFAULT_TIMEOUT": 120}
        settings.configure(SECRET_KEY="of nobody", NUCLIO=direct)
    finder = StandIns(checkout)
    sys.meta_path.insert(0, finder)
    before = set(sys.modules)
    try:
        spec = finder.find_spec(f"{LAMBDA}.views", None)
        assert spec is not None
        assert spec.loader is not finder, f"no {LAMBDA}.views in {checkout}"
        views = module_from_spec(spec)
        assert spec.loader is not None
        spec.loader.exec_module(views)
        # Else a container, this one perhaps, is taken for CVAT's.
        views.os = SimpleNamespace(path=SimpleNamespace(exists=lambda path: False))
        yield views
    finally:
        sys.meta_path.remove(finder)
        for name in set(sys.modules) - before:
            if name.partition(".")[0] in STOOD_IN:
                del sys.modules[name]


def function_of(views: ModuleType, config: dict[str, Any], port: int) -> Any:
    """CVAT's ``LambdaFunction`` of a ``function.yaml`` that listens at ``port``."""
    given = config["metadata"]["annotations"]
    annotations = {name: coerced(value) for name, value in given.items()}
    return views.LambdaFunction(
        views.LambdaGateway(),
        {
            "metadata": {
                "name": config["metadata"]["name"],
                "annotations": annotations,
            },
            "spec": {"description": config["spec"]["description"]},
            "status": {"httpPort": port},
        },
    )


def coerced(value: Any) -> str:
    """nuclio keeps annotations as text."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
