"""Enlarged crops of a run beside each other: center view, stack path, result, truth.

``python -m lfdfp.benchmarks.side_by_side capture/ --crop 100,120,60 -o crops.png`` reads what
``lfdfp run`` wrote into ``capture/``. Crops are given in pixels of a view: row, column, side.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.fusion.baselines import bicubic, laplacian_pyramid
from lfdfp.report.maps import ByteImage, screen_image
from lfdfp.simulate.files import load_truth
from lfdfp.storage.hdf5 import load_focal_stack, load_fusion_result
from lfdfp.storage.images import write_screen_image

_GAP = 6
_LABEL_ROWS = 26


def panels(folder: Path, truth: Path | None) -> tuple[int, dict[str, FloatArray]]:
    """Scale, and pictures on the fine grid by name, in linear light."""
    result = load_fusion_result(folder / "fusion.h5")
    stack = load_focal_stack(folder / "focal_stack.h5")
    k = result.scale
    named = {}
    if stack.reference_view is not None:
        named["center view + bicubic"] = bicubic(stack.reference_view, k)
    named["focal stack, fused + bicubic"] = bicubic(laplacian_pyramid(stack.slices), k)
    named[f"lfdfp x{k}, from {result.data_term}"] = result.super_resolved
    if truth is not None:
        named["truth"] = load_truth(truth).pictures[k]
    return k, named


def sheet(
    named: dict[str, FloatArray], crops: list[tuple[int, int, int]], *, scale: int, side: int
) -> ByteImage:
    """One row per crop, one column per picture, each crop enlarged to `side` screen pixels."""
    rows = []
    for t, s, size in crops:
        area = np.s_[t * scale : (t + size) * scale, s * scale : (s + size) * scale]
        tiles = [
            cv2.resize(screen_image(light[area]), (side, side), interpolation=cv2.INTER_NEAREST)
            for light in named.values()
        ]
        rows.append(_spaced(tiles, axis=1))
    labels = _spaced([_label(name, side) for name in named], axis=1)
    return _spaced([labels, *rows], axis=0)


def _spaced(tiles: list[ByteImage], *, axis: int) -> ByteImage:
    shape = list(tiles[0].shape)
    shape[axis] = _GAP
    gap = np.full(shape, 255, np.uint8)
    parts = [part for tile in tiles for part in (tile, gap)][:-1]
    return np.concatenate(parts, axis=axis)


def _label(text: str, columns: int) -> ByteImage:
    label = np.full((_LABEL_ROWS, columns, 3), 255, np.uint8)
    cv2.putText(label, text, (2, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return label


def _crop(text: str) -> tuple[int, int, int]:
    t, s, size = (int(part) for part in text.split(","))
    return t, s, size


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what lfdfp run wrote")
    parser.add_argument("--truth", type=Path, default=None, help="of a simulated capture")
    parser.add_argument("--crop", type=_crop, action="append", required=True)
    parser.add_argument("--side", type=int, default=300, help="screen pixels per crop")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    scale, named = panels(options.folder, options.truth)
    picture = sheet(named, options.crop, scale=scale, side=options.side)
    write_screen_image(options.output, picture, {"run": options.folder.name})
    print(options.output)


if __name__ == "__main__":
    main()
