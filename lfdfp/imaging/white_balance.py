"""The gains that make a light's white neutral: by its color temperature, or by the picture."""

from __future__ import annotations

import numpy as np

from lfdfp.datatypes import ColorData, DoubleArray, FloatArray

_XYZ_TO_SRGB = np.array(
    [
        [3.2404542, -1.5371385, -0.4985314],
        [-0.9692660, 1.8760108, 0.0415560],
        [0.0556434, -0.2040259, 1.0572252],
    ]
)
_SRGB_WHITE_K = 6_504.0
_DAYLIGHT_GAINS = {"ILLUM": (1.5122, 1.0, 1.1890)}
"""What cameras state for 6500 K: two Illum captures with manual balance say the same."""

_UNKNOWN_K = 5_500.0
"""Temperature that a camera's own balance stands for, where its gains in daylight are not known."""

_SHADES = 6
_SATURATED = 0.9
_MOST_CHANGE = 4.0


def gains_for_temperature(kelvin: float, color: ColorData, model: str) -> DoubleArray:
    """Gains, shape (3,), under which light of a color temperature is neutral.

    Light is daylight from 4000 K on and a black body's below. The camera's color matrix says how
    its channels answer to a change of the light; where they stand in daylight is known of the
    Illum alone. Of other cameras, the balance in the file is taken for that of 5500 K.

    Parameters
    ----------
    kelvin
        From 1700 to 25000.
    model
        Of the camera, as the metadata state it.
    """
    known = _DAYLIGHT_GAINS.get(model.upper())
    gains = np.asarray(color.white_balance if known is None else known, np.float64)
    reference = _UNKNOWN_K if known is None else _SRGB_WHITE_K
    from_srgb = np.linalg.inv(np.asarray(color.camera_to_srgb, np.float64))
    answer = [np.maximum(from_srgb @ _light_color(k), 0.05) for k in (kelvin, reference)]
    found = gains * answer[1] / answer[0]
    return np.asarray(found / found[1])


def gains_from_picture(camera_rgb: FloatArray, gains: tuple[float, float, float]) -> DoubleArray:
    """Gains, shape (3,), under which the light that a picture shows most of is neutral.

    The mean of a high power of every channel ("shades of gray" [1]_): bright parts count most,
    which show the light's own color more often than dark ones do. Saturated parts do not count.

    Parameters
    ----------
    camera_rgb
        Shape (..., 3), white-balanced by `gains`.

    References
    ----------
    .. [1] G. Finlayson, E. Trezzi, "Shades of Gray and Colour Constancy", CIC 2004.
    """
    raw = np.asarray(camera_rgb.reshape(-1, 3) / np.asarray(gains, np.float32), np.float64)
    raw = raw[(raw.max(axis=1) < _SATURATED) & (raw.min(axis=1) > 0)]
    if len(raw) == 0:
        return np.asarray(gains, np.float64)
    scale = raw.max()
    levels = ((raw / scale) ** _SHADES).mean(axis=0) ** (1 / _SHADES)
    found = levels[1] / np.maximum(levels, 1e-6 * levels.max())
    return np.asarray(found.clip(1 / _MOST_CHANGE, _MOST_CHANGE))


def _light_color(kelvin: float) -> DoubleArray:
    """Linear sRGB, shape (3,), of light of a color temperature, relative to sRGB's own white."""
    return _srgb_of(*_chromaticity(kelvin)) / _srgb_of(*_chromaticity(_SRGB_WHITE_K))


def _chromaticity(kelvin: float) -> tuple[float, float]:
    """CIE 1931 (x, y): daylight by the CIE's formula, below 4000 K a black body by Kim's."""
    t = 1e3 / kelvin
    if kelvin >= 4000:
        terms = (
            (-4.6070, 2.9678, 0.09911, 0.244063)
            if kelvin <= 7000
            else (-2.0064, 1.9018, 0.24748, 0.237040)
        )
        x = float(np.polyval(terms, t))
        return x, -3 * x * x + 2.870 * x - 0.275
    x = float(np.polyval((-0.2661239, -0.2343589, 0.8776956, 0.179910), t))
    terms = (
        (-1.1063814, -1.34811020, 2.18555832, -0.20219683)
        if kelvin < 2222
        else (-0.9549476, -1.37418593, 2.09137015, -0.16748867)
    )
    return x, float(np.polyval(terms, x))


def _srgb_of(x: float, y: float) -> DoubleArray:
    return np.asarray(_XYZ_TO_SRGB @ np.array([x / y, 1.0, (1 - x - y) / y]))
