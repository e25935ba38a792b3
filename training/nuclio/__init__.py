"""nuclio without docker: real worker processes, spoken to in its own protocol."""

from training.nuclio.processor import Answer, Worker, event_of, wrappers

__all__ = ["Answer", "Worker", "event_of", "wrappers"]
