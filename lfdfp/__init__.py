"""From a Lytro raw capture to one sharp, super-resolved picture.

>>> import lfdfp                                            # doctest: +SKIP
>>> capture = lfdfp.read_capture("capture.lfp")             # doctest: +SKIP
>>> field = lfdfp.decode(capture, lfdfp.calibrate(capture))  # doctest: +SKIP
>>> stack = lfdfp.focal_stack(field)                        # doctest: +SKIP
>>> result = lfdfp.fuse(stack, field=field)                 # doctest: +SKIP

Bytes become a `RawCapture` (`lfdfp.lfp`), a raw capture becomes a `LightField`
(`lfdfp.calibration`, `lfdfp.decoding`), a light field becomes a `FocalStack` (`lfdfp.refocusing`), a
focal stack becomes a `FusionResult` (`lfdfp.fusion`); `lfdfp.pipeline.run_capture` chains them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lfdfp.datatypes import Calibration, FocalStack, FusionResult, LightField, RawCapture
from lfdfp.errors import LfdfpError

if TYPE_CHECKING:
    from lfdfp.calibration import calibrate
    from lfdfp.decoding import decode
    from lfdfp.fusion import fuse
    from lfdfp.lfp import read_capture
    from lfdfp.refocusing import focal_stack

__version__ = "0.1.0"

__all__ = [
    "Calibration",
    "FocalStack",
    "FusionResult",
    "LfdfpError",
    "LightField",
    "RawCapture",
    "calibrate",
    "decode",
    "focal_stack",
    "fuse",
    "read_capture",
]

_STAGES = {
    "read_capture": "lfdfp.lfp",
    "calibrate": "lfdfp.calibration",
    "decode": "lfdfp.decoding",
    "focal_stack": "lfdfp.refocusing",
    "fuse": "lfdfp.fusion",
}


def __getattr__(name: str) -> Any:
    """Import a stage when it is first used: `import lfdfp` alone stays light."""
    if name in _STAGES:
        return getattr(importlib.import_module(_STAGES[name]), name)
    raise AttributeError(f"module 'lfdfp' has no attribute {name!r}")
