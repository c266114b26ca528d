"""Where the lenslets lie: from the metadata, a white image or the capture itself."""
