"""What learns, and how it is fitted."""
