"""Methods without a network: they need no weights and no training."""
