"""Masks found again from clicks: result files hold no images."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from napari_iseg.segmenter import Segmenter
from training.datasets import DATASETS, DataSet, open_dataset
from training.evaluation.clicking import Clicking, replayed
from training.evaluation.curve_files import Result, Settings
from training.evaluation.jobs import DEGRADED, OTHERS
from training.evaluation.methods import Method, method_of
from training.evaluation.working import one_thread
from training.metrics import iou
from training.report.sheets import Case

SAME = 0.02  # of IoU: a replay that differs by more was made with something else


@dataclass(slots=True)
class Replays:
    """Methods and data sets that made results, opened again.

    Attributes
    ----------
    root
        The folder that holds the data sets.
    number
        How many cases of each method, data set and robot.
    options
        Weights and device of the methods.
    paths
        Data sets that were evaluated by their path: title -> path.
    """

    root: Path
    number: int = 6
    options: Method = field(default_factory=lambda: Method(name=""))
    paths: dict[str, Path] = field(default_factory=dict)
    segmenters: dict[Method, Segmenter] = field(default_factory=dict)
    data_sets: dict[str, DataSet] = field(default_factory=dict)

    def case(self, result: Result, clicks: int | None = None) -> Case:
        """The mask after the first ``clicks`` clicks, None for all of them.

        Raises
        ------
        ValueError
            If the data set or the method is not there, or gives another mask now.
        """
        curve, settings = result.curve, result.settings or Settings()
        method = method_of(curve.method, self.options)
        found = self.data_set(curve.data).read(curve.sample)
        most = len(curve.clicks) if clicks is None else clicks
        how = Clicking(
            most=most,
            from_degraded=settings.start == "degraded",
            with_others=settings.others,
            is_oracle=method.is_oracle,
        )
        with one_thread():
            predicted = replayed(self.segmenter(method, settings), found, curve, how)
        again, then = iou(found.truth, predicted, found.ignored), curve.after(most)
        if abs(again - then) > SAME:
            raise ValueError(
                f"the clicks on {curve.sample} lead to an IoU of {again:.2f} now, "
                f"{then:.2f} is in the results; measure them again"
            )
        return Case(found, curve, predicted)

    def segmenter(self, method: Method, settings: Settings) -> Segmenter:
        if method.weights_mark != settings.weights:
            raise ValueError(
                f"they were made with weights {settings.weights or 'unknown'}, here "
                f"are {method.weights_mark or 'none'}; give the file with --weights"
            )
        key = replace(method, is_oracle=False)
        if key not in self.segmenters:
            self.segmenters[key] = method.build()
        return self.segmenters[key]

    def data_set(self, title: str) -> DataSet:
        name = title.removesuffix(OTHERS).removesuffix(DEGRADED)
        if name not in self.data_sets:
            path = self.paths.get(name)
            if path is None and name not in DATASETS:
                raise ValueError(f"'{name}' is no data set; give its path with --data")
            self.data_sets[name] = open_dataset(str(path or name), self.root)
        return self.data_sets[name]
