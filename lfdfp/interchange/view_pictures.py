"""One picture file per view: sizes compared from the headers, then read one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from lfdfp.datatypes import LightField
from lfdfp.errors import ImageError
from lfdfp.interchange.integer_codes import Codes, check_size, field_of_codes
from lfdfp.storage.images import picture_size, read_codes

PathGrid = Sequence[Sequence[Path]]
"""Files of the views, ``paths[v][u]``."""


def picture_codes(path: Path) -> Codes:
    """A PNG, TIFF or JPEG file's values as stored."""
    values = read_codes(path)
    return Codes(values=values, maximum=int(np.iinfo(values.dtype).max))


def read_view_pictures(
    paths: PathGrid,
    *,
    size_of: Callable[[Path], tuple[int, int]] = picture_size,
    codes_of: Callable[[Path], Codes] = picture_codes,
) -> LightField:
    """A field from one picture per view.

    Raises
    ------
    ImageError
        If sizes, channels or depths differ, the field is too large, or a file is unreadable.
    """
    first = paths[0][0]
    size = size_of(first)
    check_size(first.parent, (len(paths), len(paths[0]), *size, 3))
    for path in (path for row in paths for path in row):
        found = size_of(path)
        if found != size:
            raise ImageError(
                f"{path}: {found[1]} x {found[0]} pixels, but {first.name} has "
                f"{size[1]} x {size[0]}; views of one size are needed"
            )
    return field_of_codes(_alike(paths, size, codes_of), (len(paths), len(paths[0])))


def _alike(
    paths: PathGrid, size: tuple[int, int], codes_of: Callable[[Path], Codes]
) -> Iterator[Codes]:
    """The views' codes, row by row, as long as they are of the first one's kind."""
    kind: tuple[int, int] | None = None
    for path in (path for row in paths for path in row):
        codes = codes_of(path)
        found = (codes.values.shape[2], codes.maximum)
        kind = kind or found
        if found != kind or codes.values.shape[:2] != size:
            raise ImageError(
                f"{path}: {found[0]} channels up to {found[1]}, but {paths[0][0].name} has "
                f"{kind[0]} up to {kind[1]}; views of one kind are needed"
            )
        yield codes
