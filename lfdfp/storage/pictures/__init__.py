"""Pictures in and out: every format that is read or written, with what a picture says of itself."""
