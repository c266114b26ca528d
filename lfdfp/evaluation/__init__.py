"""Figures of merit, and what is compared on what, and how."""
