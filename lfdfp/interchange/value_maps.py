"""Maps as files of numbers, PNG or TIFF, that say in themselves what the numbers mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lfdfp.files import replacing


def write_value_map(path: Path, values: NDArray[np.generic], meaning: Mapping[str, object]) -> None:
    """Write values (T, S): whole numbers of 8 or 16 bits, in a TIFF file also floating point.

    `meaning` is stored as JSON: in a PNG file as the text "Comment", in a TIFF file as description.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    note = json.dumps(dict(meaning), default=str)
    with replacing(path) as temporary:
        if path.suffix.lower() == ".png":
            _write_png(temporary, values, note)
        else:
            import tifffile

            tifffile.imwrite(temporary, values, compression="zlib", description=note)


def _write_png(path: Path, values: NDArray[np.generic], note: str) -> None:
    from PIL import Image, PngImagePlugin

    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", note)
    Image.fromarray(values).save(path, format="PNG", pnginfo=text, compress_level=4)
