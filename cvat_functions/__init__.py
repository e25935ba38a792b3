"""CVAT functions: applications above the library; the first comes later."""
