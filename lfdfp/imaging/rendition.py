"""Linear light as it is shown: exposure, white balance, colors that hold, a soft shoulder.

Stored results stay in linear light; all of this happens on the way to pictures for people.

Three things make colors of a camera's light that were never there. In the dark, noise of a
channel is several times as large after the color matrix: chroma is held by its own noise. In the
lights, a channel that saturates is only known to be at least as bright: chroma fades out there.
And where raw codes went through JPEG, small differences between neighboring pixels are gone, so
that a dark surface of any color has equal raw codes, which white balance turns purple.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from lfdfp.datatypes import (
    ColorData,
    DoubleArray,
    FloatArray,
    FocalStack,
    RayEvidence,
    SharpPicture,
)
from lfdfp.imaging.color import LUMINANCE_WEIGHTS, display_matrix, luminance
from lfdfp.imaging.gaussian import gaussian
from lfdfp.imaging.resampling import block_means
from lfdfp.imaging.white_balance import gains_for_temperature, gains_from_picture
from lfdfp.settings import DisplaySettings, NamedWhiteBalance, Tone

SHOULDER_START, SHOULDER_END = 0.8, 2.0
"""Light below the first is shown as it is; the second is shown as white."""

_FADING_FROM, _FADED_AT = 0.95, 1.25
_ERASED_FROM, _ERASED_TO = 0.2, 1.0
_CERTAIN = 2.0
"""Standard errors of chroma that are taken for noise."""

_CHROMA_SHARE = 0.35
"""Standard error of the chroma of pictures from rays over what photon noise alone would make of it:
their prior smooths chroma more than luma (measured on the simulated `motorcycle`)."""

_DETAIL_NOISE = 1.5
"""Variance of chroma around its average, over that of its noise, up to which it is noise."""

_CHROMA_SIGMA = 1.0
"""Of the average that tells chroma from noise, in pixels of a view."""

_ERASED_SIGMA = 3.0
"""The same where a compression has erased colors: here and there, by blocks of 8 x 8 pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedColor:
    """Differences between raw channels that a lossy compression has taken for nothing.

    In units of light, black at 0 and white at 1, before white balance.

    Attributes
    ----------
    green
        Of green from the mean of red and blue.
    red_blue
        Of red from blue.
    """

    green: float
    red_blue: float


COLORS: Final = "colors"
"""Under this name the provenance of a file tells `CameraColors`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraColors:
    """What is known of the colors of a capture.

    Attributes
    ----------
    data
        Of its metadata.
    model
        Of the camera, as the metadata state it.
    erased
        What a compression of the raw codes has left of them.
    """

    data: ColorData
    model: str = ""
    erased: ErasedColor | None = None

    @classmethod
    def told(cls, record: object) -> Self | None:
        """From `asdict` of one, also after a way through JSON; None for anything else."""
        try:
            document = dict(record)  # type: ignore[call-overload]
            data, erased = dict(document["data"]), document["erased"]
            red, green, blue = (float(gain) for gain in data["white_balance"])
            rows = tuple(tuple(float(x) for x in row) for row in data["camera_to_srgb"])
            if not np.isfinite(np.linalg.cond(np.array(rows).reshape(3, 3))):
                return None
            return cls(
                data=ColorData(
                    white_balance=(red, green, blue),
                    camera_to_srgb=rows,  # type: ignore[arg-type]
                    exposure_bias_ev=float(data["exposure_bias_ev"]),
                ),
                model=str(document["model"]),
                erased=None if erased is None else ErasedColor(**erased),
            )
        except (TypeError, ValueError, KeyError):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """How light is shown.

    Attributes
    ----------
    gain
        Factor on the light.
    balance
        Gains of red, green, blue by which the camera's channels are balanced; without a camera,
        of linear sRGB.
    tone
        ``standard`` has a soft shoulder, ``linear`` clips.
    camera
        Of the light's camera; None for pictures that somebody has rendered already, which keep
        their tone and colors.
    erased
        What a compression of the raw codes has left of their colors.
    """

    gain: float = 1.0
    balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    tone: Tone = "standard"
    camera: ColorData | None = None
    erased: ErasedColor | None = None

    def matrix(self) -> DoubleArray:
        """Shape (3, 3): linear sRGB that is shown = matrix @ linear sRGB, exposure included."""
        if self.camera is None:
            return self.gain * np.diag(self.balance)
        ratio = np.asarray(self.balance) / np.asarray(self.camera.white_balance)
        to_display = display_matrix(self.camera)
        return np.asarray(self.gain * to_display @ np.diag(ratio) @ np.linalg.inv(to_display))


def rendition_for(
    settings: DisplaySettings,
    light: FloatArray,
    camera: CameraColors | None,
) -> Rendition:
    """The rendition that settings ask for.

    Parameters
    ----------
    light
        Shape (T, S, C), linear sRGB: the picture in which an automatic balance is looked for.
    camera
        None for pictures that somebody has rendered already.
    """
    wanted = NamedWhiteBalance.parse(settings.white_balance)
    known = CameraColors(data=ColorData()) if camera is None else camera
    color = known.data
    balance = np.asarray(color.white_balance, np.float64)
    if wanted.source == "temperature":
        balance = gains_for_temperature(wanted.kelvin, color, known.model)
    elif wanted.source == "gains":
        balance = np.asarray(wanted.gains, np.float64)
    elif wanted.source == "auto" and light.shape[-1] == 3:
        from_display = np.linalg.inv(display_matrix(color)).T.astype(np.float32)
        balance = gains_from_picture(light @ from_display, color.white_balance)
    red, green, blue = (float(gain) for gain in balance)
    return Rendition(
        gain=2.0**settings.exposure_ev,
        balance=(red, green, blue),
        tone=settings.tone,
        camera=None if camera is None else color,
        erased=known.erased,
    )


def balanced(light: FloatArray, rendition: Rendition) -> FloatArray:
    """Light with exposure and white balance alone, shape (T, S, C): still linear, not clipped."""
    if light.shape[-1] != 3:
        return np.asarray(light * np.float32(rendition.gain), np.float32)
    return np.asarray(light @ rendition.matrix().T.astype(np.float32), np.float32)


def rendered(
    light: FloatArray,
    rendition: Rendition,
    *,
    standard_error: FloatArray | None = None,
    scale: int = 1,
) -> FloatArray:
    """Light as it is shown, shape (T, S, C); the display's curve is still to be applied.

    Parameters
    ----------
    light
        Shape (T, S, C), linear sRGB or gray, not clipped.
    standard_error
        Shape (T, S), of the light's luminance; None where it is not known: then noise is not
        held.
    scale
        How many times finer than a view the picture is.
    """
    if rendition.camera is None:
        return balanced(light, rendition)
    shown = light
    in_color = light.shape[-1] == 3
    if in_color and rendition.erased is not None:
        shown = _with_erased_colors(light, rendition, rendition.erased, scale)
    shown = balanced(shown, rendition)
    if in_color:
        share = _known_in_the_lights(light, rendition.camera)
        if standard_error is not None:
            error = standard_error * np.float32(rendition.gain * _chroma_error(rendition))
            error = gaussian(error, _CHROMA_SIGMA * scale)
            shown = _with_certain_detail(shown, error, scale)
            share *= _above_noise(shown, error, scale)
        shown = _in_gamut(shown, share)
    return shoulder(shown) if rendition.tone == "standard" else shown


def shoulder(light: FloatArray) -> FloatArray:
    """Light, any shape, that reaches 1 softly: as it is up to 0.8, white from 2.0 on."""
    start, end = np.float32(SHOULDER_START), np.float32(SHOULDER_END)
    height = 1 - start
    rest = np.clip((end - light) / (end - start), 0, 1)
    bent = 1 - height * rest ** ((end - start) / height)
    return np.where(light <= start, light, bent).astype(np.float32)


def rendered_picture(picture: SharpPicture, rendition: Rendition) -> SharpPicture:
    """A picture as it is shown; depth, evidence and provenance stay."""
    evidence, scale = picture.evidence, picture.scale
    fine = evidence.standard_error if isinstance(evidence, RayEvidence) else None
    return replace(
        picture,
        all_in_focus=rendered(
            picture.all_in_focus,
            rendition,
            standard_error=None if fine is None else block_means(fine, scale),
        ),
        super_resolved=rendered(
            picture.super_resolved, rendition, standard_error=fine, scale=scale
        ),
    )


def rendered_stack(stack: FocalStack, rendition: Rendition) -> FocalStack:
    """A focal stack and its reference view as they are shown."""
    view = stack.reference_view
    return replace(
        stack,
        slices=np.stack([rendered(one, rendition, scale=stack.scale) for one in stack.slices]),
        reference_view=None if view is None else rendered(view, rendition),
    )


def balanced_picture(picture: SharpPicture, rendition: Rendition) -> SharpPicture:
    """A picture in linear light, with exposure and white balance alone."""
    return replace(
        picture,
        all_in_focus=balanced(picture.all_in_focus, rendition),
        super_resolved=balanced(picture.super_resolved, rendition),
    )


def balanced_stack(stack: FocalStack, rendition: Rendition) -> FocalStack:
    """A focal stack and its reference view in linear light, as `balanced_picture`."""
    view = stack.reference_view
    return replace(
        stack,
        slices=np.stack([balanced(one, rendition) for one in stack.slices]),
        reference_view=None if view is None else balanced(view, rendition),
    )


def _known_in_the_lights(light: FloatArray, camera: ColorData) -> FloatArray:
    """Share of the chroma that is known, shape (T, S): none where a channel is saturated."""
    raw = light @ np.linalg.inv(display_matrix(camera)).T.astype(np.float32)
    highest = (raw / np.asarray(camera.white_balance, np.float32)).max(axis=-1)
    return 1 - _smooth_step(np.asarray(highest, np.float32), _FADING_FROM, _FADED_AT)


def _chroma_error(rendition: Rendition) -> float:
    """Standard error of the chroma over that of the luminance, for photon noise of gray light.

    A channel's noise grows with its gain; there are two green pixels for one of the others.
    """
    camera = rendition.camera or ColorData()
    variance = np.asarray(rendition.balance) / np.array([1, 2, 1])
    to_display = display_matrix(camera)
    covariance = to_display @ np.diag(variance) @ to_display.T
    weights = np.asarray(LUMINANCE_WEIGHTS, np.float64)
    chroma = np.eye(3) - np.outer(np.ones(3), weights)
    error = np.trace(chroma @ covariance @ chroma.T) / (weights @ covariance @ weights)
    return float(_CHROMA_SHARE * np.sqrt(error))


def _above_noise(light: FloatArray, error: FloatArray, scale: int) -> FloatArray:
    """Share of the chroma that its noise leaves certain, shape (T, S).

    The error of the average is that of one pixel, less by the root of how many pixels of a view
    it covers: errors of finer pixels hang together. `error` is averaged already.
    """
    chroma = light - luminance(light)[..., None]
    mean = gaussian(chroma, _CHROMA_SIGMA * scale)
    averaged = np.sqrt(4 * np.pi) * _CHROMA_SIGMA
    noise = np.square(error * np.float32(_CERTAIN / averaged))
    signal = np.square(mean).sum(axis=-1)
    return np.asarray(np.maximum(1 - noise / np.maximum(signal, 1e-12), 0), np.float32)


def _with_certain_detail(light: FloatArray, error: FloatArray, scale: int) -> FloatArray:
    """Light whose chroma differs from its local average only as far as noise does not explain.

    `error` is averaged already.
    """
    gray = luminance(light)[..., None]
    chroma = light - gray
    mean = gaussian(chroma, _CHROMA_SIGMA * scale)
    detail = chroma - mean
    found = gaussian(np.square(detail).sum(axis=-1), _CHROMA_SIGMA * scale)
    noise = np.square(error) * np.float32(_DETAIL_NOISE)
    share = np.maximum(1 - noise / np.maximum(found, 1e-12), 0)
    return np.asarray(gray + mean + share[..., None] * detail, np.float32)


def _in_gamut(light: FloatArray, share: FloatArray) -> FloatArray:
    """Light with a share of its chroma, and less where a channel would be below black."""
    gray = luminance(light)[..., None]
    chroma = (light - gray) * share[..., None]
    lowest = -chroma.min(axis=-1, keepdims=True)
    room = np.clip(np.maximum(gray, 0) / np.maximum(lowest, 1e-12), 0, 1)
    return np.asarray(gray + room * chroma, np.float32)


def _with_erased_colors(
    light: FloatArray, rendition: Rendition, erased: ErasedColor, scale: int
) -> FloatArray:
    """Light whose raw channels differ as neutral light's do, where their differences are lost."""
    camera = rendition.camera or ColorData()
    to_display = display_matrix(camera).astype(np.float32)
    gains = np.asarray(camera.white_balance, np.float32)
    red, green, blue = np.moveaxis(light @ np.linalg.inv(to_display).T / gains, -1, 0)
    level = (red + 2 * green + blue) / 4
    neutral = 1 / np.asarray(rendition.balance, np.float32)
    neutral /= (neutral[0] + 2 * neutral[1] + neutral[2]) / 4
    pairs = (
        ((red + blue) / 2 - green, (neutral[0] + neutral[2]) / 2 - neutral[1], erased.green),
        (blue - red, neutral[2] - neutral[0], erased.red_blue),
    )
    held = []
    for difference, of_neutral, lost in pairs:
        size = np.abs(gaussian(difference, _ERASED_SIGMA * scale))
        kept = _smooth_step(size, _ERASED_FROM * lost, _ERASED_TO * lost)
        held.append(kept * difference + (1 - kept) * of_neutral * level)
    green, middle = level - held[0] / 2, level + held[0] / 2
    raw = np.stack([middle - held[1] / 2, green, middle + held[1] / 2], axis=-1)
    return np.asarray((raw * gains) @ to_display.T, np.float32)


def _smooth_step(values: FloatArray, first: float, last: float) -> FloatArray:
    """0 up to `first`, 1 from `last` on."""
    share = np.clip((values - np.float32(first)) / np.float32(last - first), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)
