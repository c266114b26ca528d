"""Disparity from the raw rays: plane sweeps, regularization, refinement."""
