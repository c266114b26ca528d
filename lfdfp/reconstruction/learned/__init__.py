"""A learned correction of the picture from rays."""
