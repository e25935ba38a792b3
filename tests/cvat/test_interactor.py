"""The interaction tool: what an annotator says becomes masks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from napari_iseg.cvat.interactor import Interactor
from napari_iseg.cvat.settings import Settings
from tests.cvat.asking import file_of, iou, masks_in, request_for
from tests.fakes import BrightPredictor, BrightSegmenter

CELLS = np.zeros((60, 80), np.uint8)
CELLS[5:25, 10:30] = 200  # one cell ...
CELLS[12:16, 18:22] = 0  # ... with a hole
CELLS[35:55, 50:70] = 220  # another
FIRST = (12.5, 8.5)  # x, y inside the first
SECOND = (60.5, 45.5)
GRID = CELLS.shape


@dataclass
class Counting(BrightSegmenter):
    """How often was an image looked at?"""

    made: list[BrightPredictor] = field(default_factory=list)

    def prepare(self, image, prior=None, others=None):
        self.made.append(super().prepare(image, prior, others))
        return self.made[-1]


def asked(interactor: Interactor, request, grid=GRID, roi=None) -> list[np.ndarray]:
    return masks_in(interactor.answer(request, {}), grid, roi)


def tool(**settings) -> Interactor:
    return Interactor.of(Counting(), Settings(**settings))


def truth(of: tuple[float, float], pixels: np.ndarray = CELLS) -> np.ndarray:
    from scipy import ndimage

    parts, _ = ndimage.label(pixels > 100)
    return parts == parts[int(of[1]), int(of[0])]


@pytest.mark.parametrize("box", [(), None])
def test_a_click_on_a_cell_gives_its_mask(box):
    (mask,) = asked(tool(), request_for(file_of(CELLS), [FIRST], box=box))

    assert np.array_equal(mask, truth(FIRST))


def test_a_negative_click_takes_something_away():
    (mask,) = asked(tool(), request_for(file_of(CELLS), [FIRST], [(28.5, 23.5)]))

    assert not mask[23, 28]
    assert mask[8, 12]


def test_a_deleted_point_is_as_if_it_had_never_been_there():
    interactor, content = tool(), file_of(CELLS)
    before = interactor.answer(request_for(content, [FIRST]), {})
    interactor.answer(request_for(content, [FIRST, SECOND], [(28, 23)]), {})

    assert interactor.answer(request_for(content, [FIRST]), {}) == before


@pytest.mark.parametrize(
    ("positive", "negative", "reason"),
    [
        ([], [], "nothing was clicked positive inside the image"),
        ([], [FIRST], "nothing was clicked positive inside the image"),
        ([(500, 2)], [], "nothing was clicked positive inside the image"),
        ([(1.5, 1.5)], [], "the method found no object there"),
    ],
)
def test_what_gives_no_object_gives_no_shape_and_a_reason_in_the_log(
    positive, negative, reason: str
):
    remarks: dict[str, object] = {}

    answer = tool().answer(request_for(file_of(CELLS), positive, negative), remarks)

    assert answer == {"shapes": []}
    assert remarks["empty"] == reason


def test_a_point_outside_and_words_are_left_out_and_the_log_says_so():
    remarks: dict[str, object] = {}
    request = request_for(file_of(CELLS), [FIRST], [(-3, 4)])

    answer = tool().answer({**request, "text_prompts": ["cell"]}, remarks)

    assert len(answer["shapes"]) == 1
    assert remarks["outside"] == "1 points outside the image were left out"
    assert remarks["text"] == "text prompts are not understood: ['cell']"


def test_a_point_on_the_far_border_is_the_last_pixel():
    corner = np.zeros((20, 30), np.uint8)
    corner[15:, 22:] = 255

    (mask,) = asked(tool(), request_for(file_of(corner), [(30, 20)]), (20, 30))

    assert np.array_equal(mask, corner > 0)


def test_with_a_region_of_interest_the_mask_lies_where_the_cell_is():
    roi = (45, 30, 75, 58)

    (mask,) = asked(tool(), request_for(file_of(CELLS), [SECOND], roi=roi), GRID, roi)

    assert np.array_equal(mask, truth(SECOND))


def test_a_box_around_a_cell_is_enough():
    request = request_for(file_of(CELLS), box=[(49.5, 34.5), (70.5, 55.5)])

    (mask,) = asked(tool(), request)

    assert np.array_equal(mask, truth(SECOND))


def test_several_boxes_are_several_objects():
    boxes = [(70.5, 55.5), (49.5, 34.5), (9, 4), (24, 12)]

    found = asked(tool(), request_for(file_of(CELLS), [FIRST], box=boxes))

    assert len(found) == 2
    assert np.array_equal(found[0], truth(SECOND))
    assert found[1][8, 12]
    assert not found[1][:, 30:].any()


def test_nothing_far_outside_of_the_box_belongs_to_the_object():
    touching = np.zeros((40, 80), np.uint8)
    touching[10:30, 10:70] = 255

    (mask,) = asked(
        tool(), request_for(file_of(touching), box=[(9, 9), (40, 31)]), (40, 80)
    )

    assert mask[20, 20]
    assert not mask[:, 44:].any()


def test_several_guesses_come_with_confidences_of_which_cvat_hides_all_but_one():
    interactor = tool(hypotheses=2)

    answer = interactor.answer(request_for(file_of(CELLS), [FIRST]), {})

    sure = [float(s["attributes"][0]["value"]) for s in answer["shapes"]]
    assert len(masks_in(answer, GRID)) == 2
    assert sure[0] >= 0.5 > sure[1]


def test_a_threshold_of_the_caller_drops_guesses_less_sure():
    request = request_for(file_of(CELLS), [FIRST]) | {"threshold": 0.5}

    assert len(tool(hypotheses=2).answer(request, {})["shapes"]) == 1


def test_parts_holes_and_specks_are_treated_as_the_team_wants_it():
    content = file_of(CELLS)
    both = request_for(content, [FIRST, SECOND])

    together = asked(tool(), both)
    apart = asked(tool(split_components=True), both)
    filled = asked(tool(fill_holes=True), request_for(content, [FIRST]))
    kept_hole = asked(
        tool(fill_holes=True), request_for(content, [FIRST], [(20.5, 14.5)])
    )

    assert len(together) == 1
    assert sum(m.sum() for m in apart) == together[0].sum()
    assert len(apart) == 2
    assert filled[0][14, 20]
    assert not kept_hole[0][14, 20]


def test_specks_are_left_out_unless_they_were_clicked():
    specks = np.zeros((30, 30), np.uint8)
    specks[5:15, 5:15] = specks[20:22, 20:22] = 255
    content = file_of(specks)

    (both,) = asked(
        tool(smallest_area=20), request_for(content, [(7, 7), (21, 21)]), (30, 30)
    )

    assert both[21, 21]


def test_an_old_cvat_gets_the_mask_of_every_pixel():
    answer = tool(answer_format="mask").answer(request_for(file_of(CELLS), [FIRST]), {})

    assert np.array_equal(np.array(answer["mask"]), truth(FIRST).astype(int))
    assert set(answer) == {"mask"}


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_give_the_same_cell(kind: str):
    deep = CELLS.astype(np.uint16) * 16  # 12 bits of a camera: clipped if taken for 8

    (mask,) = asked(tool(), request_for(file_of(deep, kind), [FIRST]))

    assert iou(mask, truth(FIRST)) == 1


def test_the_second_click_finds_the_image_looked_at():
    interactor, content = tool(), file_of(CELLS)
    remarks: list[dict[str, object]] = [{}, {}]

    interactor.answer(request_for(content, [FIRST]), remarks[0])
    interactor.answer(request_for(content, [FIRST], [(28, 23)]), remarks[1])

    assert [r["remembered"] for r in remarks] == [False, True]
    assert len(interactor.segmenter.made) == 1


def test_the_answer_does_not_depend_on_what_is_remembered():
    contents = [file_of(np.roll(CELLS, shift, 1)) for shift in range(4)]
    requests = [
        request_for(content, [FIRST, SECOND][: k % 2 + 1], [(28, 23)][: k % 3])
        for content in contents
        for k in range(6)
    ]
    order = np.random.default_rng(0).permutation(np.tile(np.arange(24), 3))
    remembering = tool(cache_images=2, cache_bytes=20_000)

    for i in order:
        fresh = tool().answer(requests[i], {})
        assert remembering.answer(requests[i], {}) == fresh


def test_what_is_remembered_is_bounded():
    interactor = tool(cache_images=3, cache_bytes=100_000)

    for shift in range(12):
        content = file_of(np.roll(CELLS, shift, 1))
        for _ in range(4):
            interactor.answer(request_for(content, [FIRST]), {})

    # Two predictors for each image: 19 kB an answer, and 25 kB may be kept of them.
    assert len(interactor.looked) == 1  # each counts for more than 100 kB
    assert len(interactor.segmenter.made) > 12


# ------------------------------------------------------------------- settings


def test_settings_come_from_the_environment():
    settings = Settings.read(
        {
            "ISEG_METHOD": "geodesic-star",
            "CVAT_RESPONSE_FORMAT": "mask",
            "ISEG_SPLIT_COMPONENTS": "true",
            "ISEG_MIN_AREA": "30",
            "ISEG_DEVICE": "",
        }
    )

    assert settings == Settings(
        method="geodesic-star",
        answer_format="mask",
        split_components=True,
        smallest_area=30,
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("CVAT_RESPONSE_FORMAT", "rle", "must be one of shapes, mask, got 'rle'"),
        ("ISEG_FILL_HOLES", "on", "ISEG_FILL_HOLES must be one of 1, true, yes"),
        ("ISEG_MIN_AREA", "-3", "must be a whole number >= 0, got '-3'"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(name: str, value: str, message: str):
    with pytest.raises(ValueError, match=message):
        Settings.read({name: value})
