"""Segmenters made from networks and from other segmenters."""
