"""What is kept of a series of clicks on one object."""

from __future__ import annotations

from dataclasses import dataclass

MOST = 20  # clicks of a robot on one object


@dataclass(frozen=True, slots=True)
class ClickCurve:
    """One object: ``ious[k]`` after ``k + 1`` clicks; shorter if nothing was wrong.

    Every series is as long as ``ious``, or empty in result files that are older than
    it.

    Attributes
    ----------
    sample
        "image name/label", unique inside a data set.
    ious
        Intersection over union with the truth, 0..1.
    obeyed
        Whether every clicked pixel carried its label.
    seconds
        How long each answer took: wall time, robot not counted.
    cpu_seconds
        Processor time of the same answers, all threads together.
    boundary_ious
        ``boundary_iou`` of each answer.
    hamming, coverage
        ``hamming_distance`` and ``coverage`` of each answer (RIS-Net 4.3).
    decidability
        ``decidability_index`` of each answer (FCTSFN eq. 2).
    clicks
        Row, column and whether the click is positive.
    start_iou
        IoU of the mask that the first click corrects; 0 for an empty one.
    """

    method: str
    data: str
    robot: str
    sample: str
    ious: tuple[float, ...]
    obeyed: tuple[bool, ...]
    seconds: tuple[float, ...]
    cpu_seconds: tuple[float, ...] = ()
    boundary_ious: tuple[float, ...] = ()
    hamming: tuple[float, ...] = ()
    coverage: tuple[float, ...] = ()
    decidability: tuple[float, ...] = ()
    clicks: tuple[tuple[int, int, bool], ...] = ()
    start_iou: float = 0.0

    def after(self, clicks: int) -> float:
        """IoU after ``clicks`` clicks; the last one if the robot stopped before."""
        made = min(clicks, len(self.ious))
        return self.ious[made - 1] if made else self.start_iou

    def clicks_to(self, target: float) -> int | None:
        """Clicks until the IoU first reaches ``target``; None if it never does.

        0 if the mask to start from reached it already.
        """
        values = enumerate((self.start_iou, *self.ious))
        return next((k for k, value in values if value >= target), None)
