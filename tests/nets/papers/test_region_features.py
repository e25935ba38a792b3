"""Features of a region of the image, on as many cells whatever its size."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.ops import roi_align

from napari_iseg.arrays import Box
from napari_iseg.nets.papers.region_features import features_of

HEIGHT, WIDTH = 400, 480  # pixels; a cell is one in eight


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    top = draw(st.integers(0, HEIGHT - 2))
    left = draw(st.integers(0, WIDTH - 2))
    bottom = draw(st.integers(top + 1, HEIGHT))
    return Box(top, left, bottom, draw(st.integers(left + 1, WIDTH)))


@given(chosen=st.lists(boxes(), min_size=1, max_size=3), side=st.sampled_from([5, 41]))
def test_they_are_those_of_torchvision(chosen: list[Box], side: int) -> None:
    """There cell i is the middle of pixels 8 i to 8 i + 7."""
    cells = torch.randn(3, 50, 60, generator=torch.Generator().manual_seed(0))
    corners = [
        (b.left + 3.5, b.top + 3.5, b.right + 3.5, b.bottom + 3.5) for b in chosen
    ]

    found = features_of(cells, chosen, side)

    theirs = roi_align(
        cells[None], [torch.tensor(corners)], side, spatial_scale=1 / 8, aligned=True
    )
    assert torch.allclose(found, theirs, atol=1e-4)


def test_no_region_no_features() -> None:
    assert features_of(torch.zeros(3, 5, 5), [], 41).shape == (0, 3, 41, 41)
