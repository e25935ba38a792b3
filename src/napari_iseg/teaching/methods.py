"""Which methods have a network that can be taught."""

from __future__ import annotations

from napari_iseg.catalog import ENTRIES
from napari_iseg.taught import parts_of

TEACHABLE = ("cells",)  # whose network windows and losses of this package are made for


def check_teachable(method: str) -> str:
    """The catalogue's name of the network; ValueError if there is nothing to teach."""
    base, _ = parts_of(method)
    if base in TEACHABLE:
        return base
    title = ENTRIES[base].title if base in ENTRIES else base
    raise ValueError(
        f"'{title}' has no network that can be taught; choose "
        f"{' or '.join(repr(ENTRIES[name].title) for name in TEACHABLE)} as the method"
    )
