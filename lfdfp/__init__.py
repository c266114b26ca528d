"""From a Lytro raw capture to one sharp, super-resolved picture.

>>> import lfdfp                                            # doctest: +SKIP
>>> capture = lfdfp.open("capture.lfp")                     # doctest: +SKIP
>>> field = lfdfp.decode(capture, lfdfp.calibrate(capture))  # doctest: +SKIP
>>> picture = lfdfp.reconstruct(field)                      # doctest: +SKIP
>>> near = lfdfp.render(picture, -0.3, aperture="round:2")  # doctest: +SKIP
>>> lfdfp.save(near, "near.png")                            # doctest: +SKIP

Bytes become a `RawCapture` (`lfdfp.lfp`); a raw capture becomes a `LightField`
(`lfdfp.calibration`, `lfdfp.decoding`); its views become a `FocalStack` (`lfdfp.refocusing`) that
is fused (`lfdfp.fusion`), or its rays are reconstructed (`lfdfp.reconstruction`): either way one
sharp picture with its depth, from which any view or slice is rendered (`lfdfp.rendering`).
`lfdfp.run_capture` chains them, from a file to a folder of pictures (`lfdfp.pipeline`).
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lfdfp.computing.kernel_cache import allow_kernels_without_a_cache
from lfdfp.version import __version__

if TYPE_CHECKING:
    from lfdfp.calibration import calibrate
    from lfdfp.datatypes import Calibration, FocalStack, LightField, RawCapture, SharpPicture
    from lfdfp.decoding import decode
    from lfdfp.disparity import estimate_disparity
    from lfdfp.errors import LfdfpError
    from lfdfp.fusion import fuse
    from lfdfp.lfp import read_capture
    from lfdfp.pipeline.door import convert, run
    from lfdfp.pipeline.opening import open, save
    from lfdfp.pipeline.run_capture import run_capture
    from lfdfp.reconstruction.reconstruct import reconstruct
    from lfdfp.refocusing import focal_stack, refocus
    from lfdfp.rendering.render import render
    from lfdfp.settings import DecodeSettings, FusionSettings, RefocusSettings, Settings

_HOMES = {
    "lfdfp.calibration": ("calibrate",),
    "lfdfp.datatypes": ("Calibration", "FocalStack", "LightField", "RawCapture", "SharpPicture"),
    "lfdfp.decoding": ("decode",),
    "lfdfp.disparity": ("estimate_disparity",),
    "lfdfp.errors": ("LfdfpError",),
    "lfdfp.fusion": ("fuse",),
    "lfdfp.lfp": ("read_capture",),
    "lfdfp.pipeline.door": ("convert", "run"),
    "lfdfp.pipeline.opening": ("open", "save"),
    "lfdfp.pipeline.run_capture": ("run_capture",),
    "lfdfp.reconstruction.reconstruct": ("reconstruct",),
    "lfdfp.refocusing": ("focal_stack", "refocus"),
    "lfdfp.rendering.render": ("render",),
    "lfdfp.settings": ("DecodeSettings", "FusionSettings", "RefocusSettings", "Settings"),
}
"""Where each name lives. No submodule of `lfdfp` bears one of these names."""

__all__ = [
    "Calibration",
    "DecodeSettings",
    "FocalStack",
    "FusionSettings",
    "LfdfpError",
    "LightField",
    "RawCapture",
    "RefocusSettings",
    "Settings",
    "SharpPicture",
    "__version__",
    "calibrate",
    "convert",
    "decode",
    "estimate_disparity",
    "focal_stack",
    "fuse",
    "open",
    "read_capture",
    "reconstruct",
    "refocus",
    "render",
    "run",
    "run_capture",
    "save",
]

allow_kernels_without_a_cache(Path(__file__).parent)


def __getattr__(name: str) -> Any:
    """Import what is used when it is first used: `import lfdfp` alone loads nothing."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module 'lfdfp' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
