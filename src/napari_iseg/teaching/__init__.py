"""Teaching a network the user's own cells: a few minutes on a CPU, kept if it helps."""
