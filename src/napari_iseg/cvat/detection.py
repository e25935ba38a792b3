"""A whole nuclio function: the detector that its environment names."""

from __future__ import annotations

import os
from typing import Any

from napari_iseg.cvat.serving import served
from napari_iseg.waiting_threads import let_others_work


def init_context(context: Any) -> None:
    """Load the method; nuclio calls this once in each worker, before any request."""
    let_others_work(os.environ)
    from napari_iseg.cvat.detector import Detector  # with it comes numpy

    detector = Detector.from_environment(os.environ)
    context.user_data.detector = detector
    context.logger.info_with("ready", method=detector.settings.method)


def handler(context: Any, event: Any) -> Any:
    """Answer one request."""
    return served(context, event, context.user_data.detector.answer)
