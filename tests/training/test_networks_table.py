"""The papers' networks beside each other: one robot, the same objects, held out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_iseg import catalog
from napari_iseg.clicks import Clicks
from napari_iseg.nets.papers import NETWORKS, network
from napari_iseg.nets.papers.paper_model import PaperModel
from napari_iseg.refine.windowed import Windowed
from napari_iseg.weights import read_card, write_card
from tests.nets.papers.measures import parameter_count
from tests.published_papers import publish, write_weights
from tests.tiny_papers import ARGUMENTS, NARROW, tiny_segmenter
from tests.training.fake_methods import BRIGHT
from tests.training.tiny_data import write_images
from training import networks_table
from training.__main__ import main
from training.evaluation import Method, methods, read_curves

FEW = ("--data", "dsb2018/val", "--limit", "1", "--clicks", "2", "--workers", "0")
RIS_NET = "napari_iseg.refine.papers:ris_net"


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where results go; there are two drawn images that nothing was trained on."""
    write_images(tmp_path / "data/cells/dsb2018/val", 2)
    monkeypatch.setenv("ISEG_DATA", str(tmp_path / "data"))
    return tmp_path / "networks.jsonl"


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    publish(folder, monkeypatch, (catalog, methods, networks_table))
    return folder


def lines_of(table: str) -> dict[str, list[str]]:
    """The rows of the first table, by what stands in front."""
    first = table.split("<details>", maxsplit=1)[0]
    rows = [line.strip("|").split("|") for line in first.splitlines() if "|" in line]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows[2:]}


def test_every_network_is_a_row_beside_cells(published, results, capsys) -> None:
    """With the size that its weights really have."""
    assert main(["networks", *FEW, "-o", str(results)]) == 0

    rows = lines_of(capsys.readouterr().out)
    assert next(iter(rows)) == "cells"
    assert set(rows) == {"cells", *NETWORKS}
    for name in NETWORKS:
        options = {"width": NARROW, **ARGUMENTS.get(name, {})}
        size = parameter_count(lambda n=name, o=options: network(n)(**o))
        assert rows[name][:3] == ["0 steps", f"{size:,}", "1"]
        assert "±" in rows[name][-1]
    assert rows["cells"][-2:] == ["", ""]


def test_all_are_asked_about_the_same_objects_by_the_same_robot(
    published, results
) -> None:
    main(["networks", *FEW, "--limit", "2", "-o", str(results)])

    curves = read_curves(results)
    asked = {curve.method: set() for curve in curves}
    for curve in curves:
        asked[curve.method].add(curve.sample)
    assert len(asked) == 1 + len(NETWORKS)
    assert all(len(some) == 2 for some in asked.values())
    assert len(set.union(*asked.values())) == 2
    assert {curve.robot for curve in curves} == {"ritm"}


def test_variants_are_rows_too(published, results, capsys) -> None:
    main(["networks", "ris-net", "brs", "--variants", *FEW, "-o", str(results)])

    rows = lines_of(capsys.readouterr().out)
    assert set(rows) == {
        "ris-net",
        "brs",
        "brs, network alone",
        "ris-net, fused by the maximum (eq. 3)",
        "ris-net, then graph cut",
    }
    assert len({rows[title][1] for title in rows if title.startswith("ris")}) == 1


def test_the_same_command_measures_nothing_twice(published, results, capsys) -> None:
    asked = ["networks", "cells", "itis", *FEW, "-o", str(results)]
    main(asked)
    table, before = capsys.readouterr().out, results.read_bytes()

    main(asked)

    assert results.read_bytes() == before
    assert capsys.readouterr().out == table


def test_the_table_is_written_into_a_document(results, tmp_path, capsys) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- table:begin -->\n<!-- table:end -->\nafter\n")

    main(["networks", "cells", *FEW, "-o", str(results), "--into", str(page)])

    assert capsys.readouterr().out in page.read_text()
    assert page.read_text().startswith("before\n")


def test_results_are_written_into_the_cards_of_the_papers_networks(
    published, results, capsys
) -> None:
    """What a card said of other data sets stays; that of ``cells`` is not touched."""
    card = published / "itis.json"
    older = {"elsewhere": {"robot": "human", "noc85": 3.0, "noc90": 4.0}}
    write_card(card, replace(read_card(card), results=older))
    shipped = catalog.ENTRIES["cells"].weights_card()

    main(["networks", "cells", "itis", *FEW, "--cards", "-o", str(results)])

    found = read_card(card).results
    row = lines_of(capsys.readouterr().out)["itis"]
    assert found["elsewhere"] == older["elsewhere"]
    assert found["dsb2018/val"]["robot"] == "ritm"
    assert f"{found['dsb2018/val']['noc85']:.2f}" in row
    assert catalog.load_segmenter("itis", device="cpu")
    assert catalog.ENTRIES["cells"].weights_card() == shipped


def test_only_what_was_held_out_from_training_is_measured(
    published, results, tmp_path, capsys
) -> None:
    card = catalog.ENTRIES["itis"].weights_card()
    assert card is not None
    networks_table.check_held_out(("dsb2018/val",), (card,))

    asked = ["networks", "cells", "--data", str(tmp_path / "data"), "-o", str(results)]
    assert main(asked) == 2
    assert "is not held out from the training" in capsys.readouterr().err
    seen = replace(card, trained_on=("sbd/train",))
    with pytest.raises(ValueError, match="'sbd/train' is not held out from the train"):
        networks_table.check_held_out(("sbd/train",), (seen,))


def test_a_network_that_there_is_none_of_is_told(results, capsys, monkeypatch) -> None:
    entries = {"cells": catalog.ENTRIES["cells"]}
    monkeypatch.setattr(networks_table, "ENTRIES", entries)

    assert main(["networks", "sam", *FEW, "-o", str(results)]) == 2
    assert "no row is called 'sam'; there are ['cells', 'ifcn'" in (
        capsys.readouterr().err
    )
    assert main(["networks", "itis", *FEW, "-o", str(results)]) == 2
    assert "'itis' has no weights in the catalogue yet; train them with: python" in (
        capsys.readouterr().err
    )
    main(["networks", *FEW, "-o", str(results)])
    assert "without weights yet: brs, fctsfn, ifcn, itis" in capsys.readouterr().err


# ------------------------------------------------------------ one network, two fusions


def test_both_fusions_of_ris_net_are_settings_of_one_weights_file(tmp_path) -> None:
    """Equation 3 takes the maximum: what one branch found, no click takes away."""
    weights = write_weights("ris-net", tmp_path)
    image = np.random.default_rng(0).integers(0, 255, (96, 96), np.uint8)
    clicks = Clicks.at(positive=[(48, 48)], negative=[(40, 70)])

    def answer(*policy: str):
        method = Method(name=RIS_NET, weights=weights, device="cpu", policy=policy)
        return method.build().prepare(image).predict(clicks)

    np.testing.assert_array_equal(answer(), answer("net.fusion='mean'"))
    assert not np.array_equal(answer(), answer("net.fusion='max'"))
    assert not np.array_equal(
        answer("obey=True"), answer("obey=True", "net.fusion=max")
    )


def test_asking_another_way_leaves_the_network_as_it_was() -> None:
    segmenter = tiny_segmenter("ris-net")
    assert isinstance(segmenter, Windowed)
    model = segmenter.model
    assert isinstance(model, PaperModel)

    other = model.with_settings(fusion="max")

    assert (model.images.net.fusion, other.images.net.fusion) == ("mean", "max")


def test_settings_that_a_network_has_none_of_are_told(tmp_path: Path) -> None:
    weights = write_weights("ris-net", tmp_path)

    def build(name: str, *policy: str):
        return Method(name=name, weights=weights, device="cpu", policy=policy).build()

    with pytest.raises(ValueError, match=r"no setting fusion='sum' .* \['mean', 'max"):
        build(RIS_NET, "net.fusion='sum'")
    with pytest.raises(ValueError, match=r"no setting streams='2' beside its weights"):
        build(RIS_NET, "net.streams=2")
    with pytest.raises(ValueError, match="'cells' is no paper's network: there is"):
        Method(name="cells", policy=("net.fusion='max'",)).build()
    with pytest.raises(ValueError, match="does not work by windows"):
        Method(name=BRIGHT, policy=("net.fusion='max'",)).build()
