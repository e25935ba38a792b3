"""nuclio without docker: real worker processes, spoken to in its own protocol."""

from training.nuclio.processor import OURS, Answer, Worker, event_of, wrappers

__all__ = ["OURS", "Answer", "Worker", "event_of", "wrappers"]
