"""ICC profiles: which fit the pixels, what their tone curves are, colors that have to be converted.

Light is computed in a profile's own primaries: only its tone curves are undone on reading and
applied on writing, so wide colors stay wide and the profile is written again as it was. All of it
goes through Little CMS.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import ImageCms

from lfdfp.computing.blocks import map_blocks
from lfdfp.datatypes import DoubleArray, FloatArray
from lfdfp.imaging.display import decode_srgb, encode_srgb

Space = Literal["gray", "rgb", "cmyk"]

_SPACES: Final[dict[bytes, Space]] = {b"GRAY": "gray", b"RGB ": "rgb", b"CMYK": "cmyk"}
_HEADER_BYTES: Final = 128
_LARGEST: Final = 16_000_000
_SAMPLES: Final = 4096
_LEAST_VOLUME: Final = 1e-3
"""Of the colors of a profile, in XYZ; that of sRGB is 0.2."""
_STRAIGHT: Final = 2e-3
"""Largest difference from the sRGB curve, in light, for which it is taken instead."""

SRGB_PRIMARIES: Final = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
"""(x, y) of red, green, blue and white: ITU-R BT.709 and D65."""

_WIDE_PRIMARIES: Final = {
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
"""(x, y) of red, green and blue: BT.2020 and Display P3, both under D65."""
_HDR_CURVES: Final = (16, 18)
"""Perceptual quantization and hybrid log-gamma (BT.2100)."""

_D50: Final = np.array([0.9642, 1.0, 0.8249])
_D65_TO_D50: Final = np.array(
    [
        [1.0478112, 0.0228866, -0.0501270],
        [0.0295424, 0.9904844, -0.0170491],
        [-0.0092345, 0.0150436, 0.7521316],
    ]
)
_D50_TO_D65: Final = np.linalg.inv(_D65_TO_D50)
_SRGB_TO_XYZ: Final = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_XYZ_TO_SRGB: Final = np.linalg.inv(_D65_TO_D50 @ _SRGB_TO_XYZ)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColorProfile:
    """A profile whose colors are computed in.

    Attributes
    ----------
    content
        The profile as the file has it.
    curves
        Shape (C, n): light in [0, 1] of n encoded values from 0 to 1; None for the sRGB curve.
    """

    content: bytes
    curves: DoubleArray | None


def space_of(content: bytes) -> Space | None:
    """What kind of pixels a profile is for; None where it is damaged or for others."""
    if not _HEADER_BYTES < len(content) <= _LARGEST or content[36:40] != b"acsp":
        return None
    (size,) = struct.unpack(">I", content[:4])
    return _SPACES.get(content[16:20]) if size <= len(content) else None


def profile_for(content: bytes | None, channels: int) -> tuple[ColorProfile | None, str]:
    """The profile of gray (1) or RGB (3) pixels, or None and a note why it is left out."""
    if content is None:
        return None, ""
    space = space_of(content)
    wanted: Space = "gray" if channels == 1 else "rgb"
    if space is None:
        return None, "its color profile is damaged and left out"
    if space != wanted and not (space == "rgb" and wanted == "gray"):
        return None, f"its color profile is one for {space.upper()} pixels and left out"
    try:
        curves = _measured_curves(content, space)
    except (imagecodecs.CmsError, ValueError, TypeError):
        return None, "its color profile is damaged and left out"
    if curves is None:
        return None, "its color profile has no tone curves and is left out"
    if space == "rgb" and wanted == "gray":
        return gray_profile(curves[1]), "its RGB profile on gray pixels became a gray profile"
    return ColorProfile(content=content, curves=_unless_srgb(curves)), ""


def _measured_curves(content: bytes, space: Space) -> DoubleArray | None:
    """Light by encoded value for each channel alone; None where a channel gives none or falls."""
    channels = 1 if space == "gray" else 3
    ramp = np.linspace(0, 1, _SAMPLES, dtype=np.float32)
    curves = []
    for channel in range(channels):
        values = np.zeros((1, _SAMPLES, channels), np.float32)
        values[0, :, channel] = ramp
        xyz = imagecodecs.cms_transform(
            np.ascontiguousarray(values[..., 0] if channels == 1 else values),
            content,
            imagecodecs.cms_profile("xyz"),
            colorspace="gray" if channels == 1 else "rgb",
            outcolorspace="xyz",
            outdtype="float32",
        )
        light = np.asarray(xyz, np.float64)[0]
        light = light[:, np.argmax(np.abs(light[-1] - light[0]))]
        span = light[-1] - light[0]
        if not np.isfinite(light).all() or abs(span) < 1e-6:
            return None
        curves.append((light - light[0]) / span)
    found = np.maximum.accumulate(np.stack(curves), axis=1)
    return found if np.abs(found - np.stack(curves)).max() < 1e-3 else None


def _unless_srgb(curves: DoubleArray) -> DoubleArray | None:
    ramp = np.linspace(0, 1, curves.shape[1], dtype=np.float32)
    return None if np.abs(curves - decode_srgb(ramp)).max() < _STRAIGHT else curves


def decoded(encoded: FloatArray, profile: ColorProfile | None) -> FloatArray:
    """Linear light, shape (..., C), of encoded values; by the sRGB curve without a profile."""
    if profile is None or profile.curves is None:
        return decode_srgb(encoded)
    curves = profile.curves
    ramp = np.linspace(0, 1, curves.shape[1])
    return map_blocks(lambda part: _by_channel(part, ramp, curves), encoded)


def encoded(light: FloatArray, profile: ColorProfile | None) -> FloatArray:
    """Encoded values in [0, 1], shape (..., C): undoes `decoded`, and clips."""
    if profile is None or profile.curves is None:
        return encode_srgb(light)
    curves = profile.curves
    ramp = np.linspace(0, 1, curves.shape[1])
    return map_blocks(lambda part: _by_channel(part, curves, ramp), light)


def _by_channel(values: FloatArray, given: DoubleArray, wanted: DoubleArray) -> FloatArray:
    """Piecewise linear curves, one for each channel or one for all."""
    made = np.empty(values.shape, np.float32)
    for channel in range(values.shape[-1]):
        x = given if given.ndim == 1 else given[min(channel, len(given) - 1)]
        y = wanted if wanted.ndim == 1 else wanted[min(channel, len(wanted) - 1)]
        made[..., channel] = np.interp(values[..., channel], x, y)
    return made


def rgb_of_cmyk(ink: FloatArray, content: bytes | None) -> tuple[FloatArray, str]:
    """sRGB values in [0, 1] of ink in [0, 1], shape (T, S, 4), and a note on how they were found.

    Without a profile that fits, light is what cyan, magenta, yellow and then black let pass.
    """
    if content is not None and space_of(content) == "cmyk":
        try:
            converted: NDArray[Any] = imagecodecs.cms_transform(
                np.rint(65535 * ink).astype(np.uint16),
                content,
                srgb_profile(),
                colorspace="cmyk",
                outcolorspace="rgb",
                outdtype="uint16",
            )
        except (imagecodecs.CmsError, ValueError, TypeError):
            pass
        else:
            note = "its CMYK colors became sRGB by its own profile"
            return (converted / np.float32(65535)).astype(np.float32), note
    passed = (1 - ink[..., :3]) * (1 - ink[..., 3:])
    return passed.astype(np.float32), "its CMYK colors became sRGB without a profile"


def light_of_lab(lab: FloatArray) -> FloatArray:
    """Linear light with sRGB primaries of CIE L*a*b* colors under D50, shape (T, S, 3).

    References
    ----------
    .. [1] CIE 15:2004, and the chromatic adaptation of Bradford between D50 and D65 as in
       ISO 15076-1 (ICC).
    """
    return map_blocks(_light_of_lab, lab)


def _light_of_lab(lab: FloatArray) -> FloatArray:
    f_y = (lab[..., 0] + 16) / 116
    f = np.stack([f_y + lab[..., 1] / 500, f_y, f_y - lab[..., 2] / 200], axis=-1)
    knee = 6 / 29
    xyz = np.where(f > knee, f**3, 3 * knee**2 * (f - 4 / 29)) * _D50
    return np.asarray(np.clip(xyz @ _XYZ_TO_SRGB.T, 0, 1), np.float32)


@cache
def srgb_profile() -> bytes:
    """A profile of sRGB; always the same bytes."""
    return _dated(imagecodecs.cms_profile("srgb"))


def gray_profile(curve: DoubleArray | None = None) -> ColorProfile:
    """A profile of gray pixels with a tone curve; the sRGB curve if None.

    `curve` (n,) is linear light in [0, 1] at encoded values evenly from 0 to 1.

    The curve is stored with 1024 samples of 16 bits.
    """
    ramp = np.linspace(0, 1, 1024)
    if curve is None:
        light = decode_srgb(ramp.astype(np.float32))
    else:
        light = np.interp(ramp, np.linspace(0, 1, curve.size), curve).astype(np.float32)
    content = imagecodecs.cms_profile("gray", transferfunction=light)
    curves = None if curve is None else _unless_srgb(curve[None])
    return ColorProfile(content=_dated(content), curves=curves)


def profile_by_code(primaries: int, transfer: int) -> tuple[bytes | None, tuple[str, ...]]:
    """A profile for color codes of ITU-T H.273 as AVIF, HEIC and PNG use them, and a note.

    None for sRGB and for codes that are not known here. The curve is always that of sRGB, which
    those of BT.709 and BT.2020 are taken for, as other programs do.
    """
    hdr = "its high dynamic range is taken for ordinary values: highlights will look wrong"
    notes = (hdr,) if transfer in _HDR_CURVES else ()
    wide = _WIDE_PRIMARIES.get(primaries)
    if wide is None:
        return None, notes
    content = imagecodecs.cms_profile(
        "rgb",
        whitepoint=SRGB_PRIMARIES[6:],
        primaries=wide,
        transferfunction=decode_srgb(np.linspace(0, 1, 1024, dtype=np.float32)),
    )
    return _dated(content), notes


def primaries_of(profile: ColorProfile | None) -> tuple[float, ...]:
    """(x, y) of red, green, blue and white; those of sRGB without a profile of RGB pixels."""
    if profile is None:
        return SRGB_PRIMARIES
    xyz = (_D50_TO_D65 @ _matrix(profile)).T
    corners = np.vstack([xyz, xyz.sum(axis=0)])
    chromaticities = corners[:, :2] / corners.sum(axis=1, keepdims=True)
    return tuple(round(float(c), 5) for c in chromaticities.ravel())


def converted_light(
    light: FloatArray, own: ColorProfile | None, wanted: ColorProfile | None
) -> FloatArray:
    """Linear light (Y, X, 3) in another profile's primaries; what it cannot show is clipped."""
    matrix = (np.linalg.inv(_matrix(wanted)) @ _matrix(own)).astype(np.float32)
    return np.asarray(np.maximum(light @ matrix.T, 0), np.float32)


def rgb_or_none(profile: ColorProfile | None) -> ColorProfile | None:
    """The profile if it is one for RGB pixels; linear light from gray pixels has no primaries."""
    return profile if profile is not None and space_of(profile.content) == "rgb" else None


def _matrix(profile: ColorProfile | None) -> DoubleArray:
    """Shape (3, 3): XYZ under D50 of linear RGB; that of sRGB where a profile has no primaries."""
    srgb: DoubleArray = _D65_TO_D50 @ _SRGB_TO_XYZ
    rgb = rgb_or_none(profile)
    if rgb is None:
        return srgb
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(rgb.content)).profile
        columns = [getattr(opened, f"{color}_colorant")[0] for color in ("red", "green", "blue")]
        found: DoubleArray = np.array(columns, np.float64).T
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return srgb
    return found if abs(np.linalg.det(found)) > _LEAST_VOLUME else srgb


def _dated(content: bytes) -> bytes:
    """The profile with a fixed date, so that the same picture gives the same file."""
    return content[:24] + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + content[36:]
