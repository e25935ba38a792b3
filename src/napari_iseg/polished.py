"""The names of methods whose answers are polished by graph cut.

"cells~polished" is the method "cells" with ``napari_iseg.refine.polish`` after it;
"cells+my worms~polished" the one that was taught. That is a name wherever a method is
asked for: in the plugin, in click logs, on the command line and in CVAT's settings.
"""

from __future__ import annotations

MARK = "~polished"


def is_polished(method: str) -> bool:
    """Whether the method's answers are polished."""
    return method.endswith(MARK)


def unpolished(method: str) -> str:
    """The method whose answers they are."""
    return method.removesuffix(MARK)


def polished_if(method: str, *, polish: bool) -> str:
    """The same method with or without polish, whatever it had."""
    return unpolished(method) + MARK * polish
