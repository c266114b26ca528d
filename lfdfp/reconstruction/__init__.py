"""One sharp picture and its depth from the raw rays of a light field."""
