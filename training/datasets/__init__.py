"""Data sets that methods are measured on; ``DATASETS`` is their table."""

from training.datasets.data_set import BenchmarkObject, DataSet, DataSetEntry
from training.datasets.listing import check, listing
from training.datasets.sampling import image_of, subset
from training.datasets.table import DATASETS, entry, open_dataset

__all__ = [
    "DATASETS",
    "BenchmarkObject",
    "DataSet",
    "DataSetEntry",
    "check",
    "entry",
    "image_of",
    "listing",
    "open_dataset",
    "subset",
]
