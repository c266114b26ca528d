"""The types of the chain in HDF5 files, and pictures as PNG, TIFF and JPEG."""
