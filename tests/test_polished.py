"""Polishing is part of a method's name, so it is asked for wherever a method is."""

from __future__ import annotations

import pytest

from napari_iseg.catalog import load_segmenter, weights_file
from napari_iseg.polished import is_polished, polished_if, unpolished
from napari_iseg.refine.polish import Polished
from napari_iseg.refine.windowed import Windowed


def test_a_name_tells_whether_answers_are_polished() -> None:
    assert is_polished("cells~polished")
    assert not is_polished("cells")
    assert unpolished("cells+my worms~polished") == "cells+my worms"
    assert unpolished("cells") == "cells"


@pytest.mark.parametrize("name", ["cells", "cells~polished"])
def test_polish_can_be_put_on_and_taken_off(name: str) -> None:
    assert polished_if(name, polish=True) == "cells~polished"
    assert polished_if(name, polish=False) == "cells"


def test_the_catalogue_polishes_what_it_is_asked_to() -> None:
    segmenter = load_segmenter("cells~polished", device="cpu")

    assert isinstance(segmenter, Polished)
    assert isinstance(segmenter.segmenter, Windowed)
    assert segmenter.device == "cpu"


def test_a_polished_method_has_the_method_s_weights() -> None:
    assert weights_file("cells~polished") == weights_file("cells")


def test_a_wrong_name_is_answered_with_the_method_s() -> None:
    with pytest.raises(ValueError, match="called 'cels'; did you mean 'cells'"):
        load_segmenter("cels~polished")
