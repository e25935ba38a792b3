"""A whole nuclio function: the interactor that its environment names.

``handler: napari_iseg.cvat.interaction:handler`` in a ``function.yaml`` is all that a
method of the catalogue needs to be one of CVAT's tools.
"""

from __future__ import annotations

import os
from typing import Any

from napari_iseg.cvat.serving import served
from napari_iseg.waiting_threads import let_others_work


def init_context(context: Any) -> None:
    """Load the method; nuclio calls this once in each worker, before any request."""
    let_others_work(os.environ)
    from napari_iseg.cvat.interactor import Interactor  # with it comes numpy

    interactor = Interactor.from_environment(os.environ)
    context.user_data.interactor = interactor
    device = getattr(interactor.segmenter, "device", "cpu")
    context.logger.info_with("ready", method=interactor.settings.method, device=device)


def handler(context: Any, event: Any) -> Any:
    """Answer one request."""
    return served(context, event, context.user_data.interactor.answer)
