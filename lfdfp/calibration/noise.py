"""How noisy a raw code is, as a function of the light."""

from __future__ import annotations

from lfdfp.datatypes import NoiseModel, RawCapture

_FULL_WELL_SHARE_AT_BASE = 5500.0
"""Electrons at white level and base sensitivity of a 1.4 micrometer pixel."""

_BASE_ISO = 80.0
_READ_ELECTRONS = 4.0


def noise_from_iso(capture: RawCapture) -> NoiseModel:
    """A plain guess: 5500 electrons at white at ISO 80, 4 electrons of read noise."""
    levels = capture.bayer_planes()
    span = sum(white - black for *_, black, white in levels) / len(levels)
    iso = capture.iso if capture.iso is not None and capture.iso > 0 else _BASE_ISO
    codes_per_electron = span / _FULL_WELL_SHARE_AT_BASE * max(iso / _BASE_ISO, 1.0)
    quantization = 1.0 / 12.0
    return NoiseModel(
        read_variance=(_READ_ELECTRONS * codes_per_electron) ** 2 + quantization,
        shot_gain=codes_per_electron,
        relative=0.01,
    )
