"""CVAT functions: applications above the library, and what checks their yaml files."""
