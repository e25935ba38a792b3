"""Networks that others trained, and that know nothing of clicks."""
