"""Lytro's files: bytes to a raw capture and back. Knows the format, knows no imaging."""
