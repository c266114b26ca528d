"""The one way to pictures on disk for the rest of the program."""

from lfdfp.storage.pictures.formats import PICTURE_SUFFIXES
from lfdfp.storage.pictures.picture import Picture
from lfdfp.storage.pictures.png import png_text
from lfdfp.storage.pictures.reading import page_headers, picture_size, read_codes, read_picture
from lfdfp.storage.pictures.shot import SHOT, shot_of
from lfdfp.storage.pictures.stored import MAX_PIXELS, Bits
from lfdfp.storage.pictures.writing import (
    SCREEN_SUFFIXES,
    WRITTEN_SUFFIXES,
    check_writable,
    write_picture,
    write_screen_image,
)

__all__ = [
    "MAX_PIXELS",
    "PICTURE_SUFFIXES",
    "SCREEN_SUFFIXES",
    "SHOT",
    "WRITTEN_SUFFIXES",
    "Bits",
    "Picture",
    "check_writable",
    "page_headers",
    "picture_size",
    "png_text",
    "read_codes",
    "read_picture",
    "shot_of",
    "write_picture",
    "write_screen_image",
]
