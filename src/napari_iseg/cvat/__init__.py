"""CVAT functions: what its server asks, answered by the methods of the catalogue."""
