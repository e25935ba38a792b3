"""What an idea is worth: networks without it, in one table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from napari_iseg.weights import read_card
from tests.training.tiny_data import SMALL, write_sets
from training.__main__ import main
from training.ablate import Ablation, ablate, trained
from training.ablation_rows import HELD_OUT, ROWS
from training.ablation_tables import difference, left_out_table, more_iou
from training.engine import read_checkpoint
from training.loop import Settings
from training.metrics import ClickCurve
from training.paper_rows import PAPER_ROWS
from training.recipe import overridden
from training.recipes import recipe_of
from training.recipes.cells import CellsRecipe
from training.robots import ROBOTS
from training.run_folder import RunFolder

RECIPE = replace(overridden(CellsRecipe(), SMALL), steps=1, batch=2)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_sets(tmp_path / "data")
    monkeypatch.setenv("ISEG_DATA", str(root))
    return root


@pytest.fixture
def small(data: Path, tmp_path: Path) -> Ablation:
    return Ablation(
        recipe=RECIPE,
        folder=tmp_path / "ablation",
        settings=Settings(workers=0),
        data=("usiigaci/val",),
        limit=1,
    )


def test_an_idea_is_left_out_and_the_cost_is_in_the_table(small: Ablation) -> None:
    """
    Given three ideas, one of training, one of inference, one about neighbours,
    when each is left out,
    then only the ideas of training cost a training, each at the same budget,
    and every row is compared with the one that has the idea.
    """
    table = ablate(small, ["hypotheses", "others", "scales"], [])

    lines = [line.split(" | ")[0].strip("| ") for line in table.splitlines()[4:]]
    assert lines == ["all", "neighbours", "hypotheses", "others", "scales"]
    networks = sorted(p.parent.name for p in small.folder.glob("*/checkpoint.pt"))
    assert networks == ["all", "hypotheses", "others"]
    for name in networks:
        assert read_checkpoint(small.folder / name / "checkpoint.pt")["step"] == 1
    one = read_checkpoint(small.folder / "hypotheses" / "checkpoint.pt")
    assert one["recipe"]["hypotheses"] == 1
    assert "± nan" in table  # of a single object there is no standard error


def test_the_same_command_again_only_prints_the_table(
    small: Ablation, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ablate(small, ["correction"], [])
    monkeypatch.setattr("training.ablate.train", lambda *_: pytest.fail("trained"))

    assert ablate(small, ["correction"], []) == first


def test_a_killed_row_goes_on_where_it_was(small: Ablation) -> None:
    folder = small.folder / "all"
    longer = replace(small, recipe=replace(RECIPE, steps=2))
    trained(small, RECIPE, folder)
    weights = folder / "weights.safetensors"
    weights.unlink()

    with pytest.raises(ValueError, match=r"other settings: steps=2 \(was 1\)"):
        trained(longer, longer.recipe, folder)

    before = RunFolder(folder).starts()
    trained(small, RECIPE, folder)
    assert weights.exists()
    assert RunFolder(folder).starts() == before


def test_a_set_left_out_is_measured_by_a_network_that_never_saw_it(
    small: Ablation, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table has both networks, and the card says what to expect elsewhere."""
    words = [f"--set={one}" for one in (*SMALL, "steps=1", "batch=2")]
    document = tmp_path / "page.md"
    document.write_text("<!-- unseen:begin -->\n<!-- unseen:end -->\n")

    code = main(
        ["ablate", "cells", "--out", str(small.folder), "--leave-out", "usiigaci",
         "--limit", "1", "--workers", "0", "--into", str(document),
         "--table", "unseen", *words]
    )  # fmt: skip

    table = capsys.readouterr().out
    assert code == 0
    assert "| usiigaci/val | without usiigaci | 1 |" in table
    assert "without usiigaci" in document.read_text()
    card = read_card(small.folder / "without_usiigaci" / "weights.json")
    assert card.trained_on == ("dsb2018",)

    output = tmp_path / "cells.safetensors"
    checkpoint = str(small.folder / "all" / "checkpoint.pt")
    main(["export", checkpoint, "-o", str(output), "--left-out", str(small.folder)])

    (row,) = read_card(output.with_suffix(".json")).results.items()
    assert row[0] == "usiigaci/val (another network, trained without it)"
    assert row[1]["robot"] == "ritm"


def test_sets_left_out_together_are_measured_one_by_one() -> None:
    """Two sets, one object each: a line for each, with one network without both."""
    curves = [
        ClickCurve("cells", data, "ritm", "1", (0.95,), (True,), (0.1,))
        for data in ("usiigaci/val", "dsb2018/val")
    ]

    table = left_out_table({"usiigaci+dsb2018": (curves, curves)})

    assert "| usiigaci/val | without usiigaci+dsb2018 | 1 |" in table
    assert "| dsb2018/val | with all sets | 1 |" in table


@pytest.mark.parametrize(
    ("rows", "left_out", "message"),
    [
        (["hypothesis"], [], "did you mean 'hypotheses'"),
        (["zzz"], [], "there are"),
        (None, ["dsb2018+bbbc039"], "'bbbc039' cannot be left out and measured"),
        (None, ["sem_axons"], "choose one of"),  # nothing is trained on it anyway
    ],
)
def test_what_cannot_be_left_out_is_refused(
    small: Ablation, rows: list[str] | None, left_out: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ablate(small, rows, left_out)


def test_a_folder_without_such_networks_gives_no_card(
    small: Ablation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(small, RECIPE, small.folder / "all")
    checkpoint = str(small.folder / "all" / "checkpoint.pt")

    code = main(["export", checkpoint, "-o", str(tmp_path / "c.safetensors"),
                 "--left-out", str(small.folder)])  # fmt: skip

    assert code == 2
    assert "ablate cells --leave-out SET" in capsys.readouterr().err


@pytest.mark.parametrize("name", ROWS)
def test_every_row_changes_what_exists(name: str) -> None:
    from napari_iseg.refine.windowed import Policy
    from training.recipe import changed

    row = ROWS[name]
    assert row.against in ROWS
    if row.settings:
        assert overridden(CellsRecipe(), row.settings) != CellsRecipe()
    for assignment in row.policy:
        setting, _, text = assignment.partition("=")
        assert changed(Policy(), setting, text) != Policy()


@pytest.mark.parametrize(
    ("method", "name"), [(m, n) for m, rows in PAPER_ROWS.items() for n in rows]
)
def test_every_row_of_a_paper_changes_what_exists(method: str, name: str) -> None:
    """Its network can be built, it is compared with a row, and the paper is quoted."""
    row = PAPER_ROWS[method][name]
    recipe = recipe_of(method, "cells-small")

    changed = Ablation(
        recipe=recipe, method=method, folder=Path(), settings=Settings()
    ).recipe_of(row)

    assert row.against in PAPER_ROWS[method]
    assert row.paper
    assert (changed != recipe) == row.is_trained
    assert changed.steps == recipe.steps
    assert changed.trainable(len(changed.stages) - 1).description.name
    if row.robot:
        assert row.robot in ROBOTS


def test_a_papers_claims_are_measured_in_one_table(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Given FCTSFN with and without its refining network, and the single stream, iFCN,
    when the ablation is asked for in one command,
    then each network is trained as long, the table has the paper's direction and the
    decidability index beside the clicks, and another one shows how all of them learned.
    """
    changes = (*SMALL[1:], "width=0.03", "steps=4", "batch=2",
               "validate=2", "validated=2")  # fmt: skip
    words = [f"--set={one}" for one in changes]

    code = main(
        ["ablate", "fctsfn", "--out", str(tmp_path / "out"), "--rows", "streams",
         "--data", "usiigaci/val", "--limit", "1", "--workers", "0", *words]
    )  # fmt: skip

    table = capsys.readouterr().out
    assert code == 0
    assert "| more IoU @5 | in the paper | DI @1 | DI @5 | DI @10 |" in table
    assert "worse: 5.81 for 4.95" in table
    assert "| row | step 2 | step 4 |" in table
    learning = table.split("| row | step 2 | step 4 |")[1].splitlines()[2:]
    rows = [row.strip("| ").split(" | ") for row in learning]
    assert [name for name, *_ in rows] == ["all", "refining", "streams"]
    assert all(0 <= float(iou) <= 1 for _, *ious in rows for iou in ious)
    networks = sorted(p.parent.name for p in tmp_path.glob("out/*/checkpoint.pt"))
    assert networks == ["all", "refining", "streams"]
    for name in networks:
        state = read_checkpoint(tmp_path / "out" / name / "checkpoint.pt")
        assert state["step"] == 4
    assert '"ifcn"' in state["network"]["network"]


def test_robots_of_a_paper_ask_one_network(data: Path, tmp_path: Path) -> None:
    """ITIS 4.4: other robots at test time need no training of their own."""
    recipe = overridden(
        recipe_of("itis", "cells-small"),
        (*SMALL[1:], "width=0.06", "steps=2", "batch=2"),
    )
    ablation = Ablation(
        recipe=recipe,
        method="itis",
        folder=tmp_path / "out",
        settings=Settings(workers=0),
        data=("usiigaci/val",),
        limit=1,
    )

    table = ablate(ablation, ["clusters", "random"], [])

    lines = [line.split(" | ")[0].strip("| ") for line in table.splitlines()[4:]]
    assert lines == ["all", "itis", "clusters", "random"]
    assert len(list((tmp_path / "out").glob("*/checkpoint.pt"))) == 1


def test_every_set_that_holds_images_out_can_be_left_out() -> None:
    from training.datasets import DATASETS

    assert set(HELD_OUT.values()) <= set(DATASETS)


def test_the_cost_is_counted_object_by_object() -> None:
    """
    One object needs 2 clicks instead of 1, another 4 instead of 1: on average 2 more,
    the differences 1 and 3 deviate by sqrt(2), the error of their mean is 1.
    """

    def curve(sample: str, clicks: int) -> ClickCurve:
        ious = (0.1,) * (clicks - 1) + (0.95,)
        times, obeyed = (0.1,) * clicks, (True,) * clicks
        return ClickCurve("cells", "d", "ritm", sample, ious, obeyed, times)

    with_it = [curve("a", 1), curve("b", 1)]
    without = [curve("b", 4), curve("a", 2)]

    assert difference(without, with_it, 0.9) == "+2.00 ± 1.00"
    # After two clicks one of them is as good as before, the other is .1 instead of .95.
    assert more_iou(without, with_it, 2) == "-0.425 ± 0.425"
