"""Result files made readable: tables, figures, sheets, one page."""

from training.report.tables import (
    as_json,
    grouped,
    markdown,
    overview,
    put_between_markers,
    rows_of,
    with_limits,
)

__all__ = [
    "as_json",
    "grouped",
    "markdown",
    "overview",
    "put_between_markers",
    "rows_of",
    "with_limits",
]
