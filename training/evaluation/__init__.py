"""The evaluator: robots click, methods answer, results survive."""

from training.evaluation.clicking import Clicking, click_curve, warm_up
from training.evaluation.curve_files import Result, Settings, read_curves, write_curves
from training.evaluation.jobs import Order
from training.evaluation.methods import Method
from training.evaluation.run import Ending, evaluate
from training.evaluation.working import Failure, Workers

__all__ = [
    "Clicking",
    "Ending",
    "Failure",
    "Method",
    "Order",
    "Result",
    "Settings",
    "Workers",
    "click_curve",
    "evaluate",
    "read_curves",
    "warm_up",
    "write_curves",
]
