"""Version of the program, as outputs record it."""

__version__ = "0.2.0"
