"""Slopes and disparities of other programs, converted to pixels per angular step and back.

``d`` is this project's slope (``docs/conventions.md``); N is the number of views along an axis.

===============  ==========================  ==================================================
convention       its number                  relation
===============  ==========================  ==================================================
``hci``          disparity, near positive    ``d = -x``
``alpha``        α = F'/F (Ng; OpenRefocus)  ``d = 1 - 1/x``
``lf-toolbox``   slope of LFFiltShiftSum     ``d = x N / (N - 1)``
``plenpy``       slope of get_refocus        ``d = -x N / (N - 1)``
``plenopticam``  whole number a              ``d = -x``
===============  ==========================  ==================================================
"""

from __future__ import annotations

import math
from typing import Literal

SlopeConvention = Literal["hci", "alpha", "lf-toolbox", "plenpy", "plenopticam"]


def slope_from(convention: SlopeConvention, number: float, *, views: int) -> float:
    """This project's slope for another program's `number`.

    Parameters
    ----------
    views
        N, at least 2; only ``lf-toolbox`` and ``plenpy`` depend on it.
    """
    match convention:
        case "alpha":
            return 1.0 - 1.0 / number if number else -math.inf
        case "lf-toolbox" | "plenpy":
            return _sign(convention) * number * views / (views - 1)
        case _:
            return _sign(convention) * number


def slope_to(convention: SlopeConvention, slope: float, *, views: int) -> float:
    """The number by which another program names the plane of this project's `slope`."""
    match convention:
        case "alpha":
            return 1.0 / (1.0 - slope) if slope != 1.0 else math.inf
        case "lf-toolbox" | "plenpy":
            return _sign(convention) * slope * (views - 1) / views
        case _:
            return _sign(convention) * slope


def _sign(convention: SlopeConvention) -> float:
    return 1.0 if convention == "lf-toolbox" else -1.0
