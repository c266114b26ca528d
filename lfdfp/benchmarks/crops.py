"""Enlarged crops of a run beside each other: center view, stack path, result, truth.

``python -m lfdfp.benchmarks.crops capture/ --crop 100,120,60 -o crops.png`` reads what
``lfdfp run`` wrote into ``capture/``. Crops are given in pixels of a view: row, column, side.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from lfdfp.datatypes import FloatArray
from lfdfp.fusion.baselines import laplacian_pyramid
from lfdfp.imaging.rendition import (
    COLORS,
    CameraColors,
    rendered,
    rendered_picture,
    rendition_for,
)
from lfdfp.imaging.resampling import bicubic
from lfdfp.report.crops import Crop, sheet
from lfdfp.settings import DisplaySettings
from lfdfp.simulation.files import load_truth
from lfdfp.storage.hdf5 import load_focal_stack, load_sharp_picture, provenance_of
from lfdfp.storage.images import write_screen_image


def panels(folder: Path, truth: Path | None) -> tuple[int, dict[str, FloatArray]]:
    """Scale, and pictures on the fine grid by name, as `run` shows them, without the shoulder."""
    result = load_sharp_picture(folder / "fusion.h5")
    colors = CameraColors.told(provenance_of(folder / "fusion.h5").get(COLORS))
    rendition = rendition_for(DisplaySettings(tone="linear"), result.all_in_focus, colors)
    stack = load_focal_stack(folder / "focal_stack.h5")
    k = result.scale
    named = {}
    if stack.reference_view is not None:
        named["center view + bicubic"] = bicubic(stack.reference_view, k)
    named["focal stack, fused + bicubic"] = bicubic(laplacian_pyramid(stack.slices), k)
    made = f"lfdfp x{k}, from {result.provenance.data_term}"
    named[made] = result.super_resolved
    if truth is not None:
        named["truth"] = load_truth(truth).pictures[k]
    shown = {name: rendered(light, rendition, scale=k) for name, light in named.items()}
    return k, shown | {made: rendered_picture(result, rendition).super_resolved}


def _crop(text: str) -> Crop:
    top, left, side = (int(part) for part in text.split(","))
    return side, side, top, left


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
    picture = sheet(named, options.crop, scale=scale, columns=options.side)
    write_screen_image(options.output, picture, {"run": options.folder.name})
    print(options.output)


if __name__ == "__main__":
    main()
