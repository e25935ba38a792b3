"""Networks that read windows and clicks; the layer where torch is imported."""
