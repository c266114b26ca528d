"""Any view or slice of a sharp picture with depth."""
