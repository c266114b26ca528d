"""How noisy raw codes have to be expected to be, where nothing could be measured."""

from __future__ import annotations

from lfdfp.datatypes import NoiseModel, RawCapture

MEDIAN_OF_SQUARE = 0.4549
"""Median of the square of a standard normal variable."""

QUANTIZATION_VARIANCE = 1.0 / 12.0
"""Of a signal rounded to whole codes, in codes squared."""

_FULL_WELL_ELECTRONS = 5500.0
_BASE_ISO = 80.0
_READ_ELECTRONS = 4.0
_RELATIVE = 0.01


def noise_from_iso(capture: RawCapture) -> NoiseModel:
    """The noise to expect of a capture that does not show its own: every stage takes this one.

    5500 electrons at the white level at ISO 80, the lowest of these cameras, and fewer in
    proportion to the ISO; 4 electrons of read noise, and quantization; 1 % of the signal for
    what a calibration gets wrong. The electrons are assumed, not measured: they are of the order
    that back-illuminated pixels of 1.4 µm hold, and those of the simulated cameras
    (docs/simulator.md).
    """
    codes_per_electron = _code_span(capture) / _FULL_WELL_ELECTRONS * _gain(capture)
    return NoiseModel(
        read_variance=(_READ_ELECTRONS * codes_per_electron) ** 2 + QUANTIZATION_VARIANCE,
        shot_gain=codes_per_electron,
        relative=_RELATIVE,
    )


def _code_span(capture: RawCapture) -> float:
    """Codes from black to white, the mean of the Bayer planes."""
    planes = capture.bayer_planes()
    return sum(white - black for *_, black, white in planes) / len(planes)


def _gain(capture: RawCapture) -> float:
    """How many times the amplification of the lowest ISO."""
    iso = capture.iso if capture.iso is not None and capture.iso > 0 else _BASE_ISO
    return max(iso / _BASE_ISO, 1.0)
