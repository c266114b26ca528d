"""The border of the readers of foreign files: damage becomes an error that names the file."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from lfdfp.datatypes import LightField
from lfdfp.errors import ImageError

_DAMAGE: Final = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    struct.error,
    zlib.error,
    cv2.error,
)
"""What Python and the packages that read files raise on damaged ones."""


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turn what readers raise on damaged files into one line that names the file.

    Raises
    ------
    ImageError
        In place of what is not an error of this project.
    """
    try:
        yield
    except _DAMAGE as error:
        system = error.strerror if isinstance(error, OSError) else None
        reason = system or " ".join(str(error).split())[:200] or type(error).__name__
        raise ImageError(f"{path}: cannot be read: {reason}") from error


def refuse_not_finite(path: Path, field: LightField) -> None:
    """Refuse a field that holds NaN or infinity: one such value spreads over whole pictures.

    Raises
    ------
    ImageError
        With the first view that holds one.
    """
    numbers = field.scale, field.offset, field.weight_scale
    if not np.isfinite(numbers).all():
        raise ImageError(f"{path}: scales and offset must be finite, found {numbers}")
    for name, values in (("light", field.views), ("weights", field.weights)):
        if values.dtype.kind != "f":
            continue
        for v, u in np.ndindex(field.angular_shape):
            bad = values[v, u].size - int(np.count_nonzero(np.isfinite(values[v, u])))
            if bad:
                raise ImageError(
                    f"{path}: {name} of view ({v}, {u}) has {bad} values that are not finite"
                )
