"""Training and evaluation: run from a checkout with ``python -m training``."""
