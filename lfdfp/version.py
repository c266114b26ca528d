"""Version of the program, as outputs record it."""

__version__ = "0.1.0"
