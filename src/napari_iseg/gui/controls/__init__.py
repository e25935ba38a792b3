"""The dock's controls, one in each file; each draws the desk and commands it."""
