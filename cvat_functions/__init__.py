"""CVAT functions: applications above the library; the first comes in a later version."""
