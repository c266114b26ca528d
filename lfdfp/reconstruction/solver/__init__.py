"""The normal equations of the rays, and their solution."""
