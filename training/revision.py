"""Which code a result came from."""

from __future__ import annotations

import subprocess


def revision() -> str:
    """The git revision of the checkout, '-dirty' if it has changes; '' outside git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()
