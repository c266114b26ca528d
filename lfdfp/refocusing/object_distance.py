"""What a slope means outside the views: lenslet pitches per raw pixel, and meters.

`lfdfp.interchange.slopes` converts to and from other programs' numbers.
"""

from __future__ import annotations

from typing import TypeVar

from lfdfp.datatypes import DoubleArray, LightField, RawCapture
from lfdfp.errors import MetadataError

Number = TypeVar("Number", float, DoubleArray)


def slope_from_pitches(field: LightField, disparity_pitch: Number) -> Number:
    """Slope of a disparity in lenslet pitches per raw pixel.

    Raises
    ------
    MetadataError
        For a field that was not decoded from rays.
    """
    return disparity_pitch * _pixels_per_pitch(field)


def pitches_from_slope(field: LightField, slope: Number) -> Number:
    """Disparity in lenslet pitches per raw pixel; the opposite of `slope_from_pitches`."""
    return slope / _pixels_per_pitch(field)


def _pixels_per_pitch(field: LightField) -> float:
    if field.sampling is None:
        raise MetadataError(
            "the field does not say how its pixels lie among lenslets; it was not decoded from rays"
        )
    return field.sampling.pixels_per_pitch


def object_distance_m(field: LightField, slope: float) -> float:
    """Distance from the main lens to what has this slope, in meters; infinite from there on.

    With the disparity D in pitches per raw pixel, the gap g between the lenslet array and the
    sensor, lenslet pitch p and pixel pitch q, rays of disparity D meet ``ζ`` behind the array::

        λ = g p / q        ζ = −λ D / (1 + λ D / E)

    (E: from the exit pupil to the array). By the metadata the array stands ``Λ λ`` behind the
    image of infinity [1]_, so Newton's lens equation gives the distance of the object from the
    front principal plane, with the focal length f::

        z = f + f² / (Λ λ + ζ)

    The main lens is taken as thin and the stated numbers as they are: expect the right order
    and a rough scale, not a measurement.

    Raises
    ------
    MetadataError
        For a field that was not decoded from rays, or whose capture lacks one of the numbers.

    References
    ----------
    .. [1] Lytro's public metadata schema, ``devices.lens.infinityLambda``: distance in front of
       the microlens array that is focused at infinity, in units of λ.
    """
    if field.rays is None:
        raise MetadataError("no distance without the capture: the field was not decoded from rays")
    focal_length, steps, unit, pupil = _optics(field.rays.capture)
    disparity = pitches_from_slope(field, slope)
    behind = -unit * disparity / (1 + unit * disparity / pupil)
    from_infinity = steps * unit + behind
    if from_infinity <= 0:
        return float("inf")
    return focal_length + focal_length**2 / from_infinity


def _optics(capture: RawCapture) -> tuple[float, float, float, float]:
    """(focal length, Λ, λ, exit pupil to array) of a capture."""
    lens, array = capture.lens, capture.microlens_array
    stated = {
        "focalLength": lens.focal_length_m,
        "infinityLambda": lens.infinity_lambda,
        "exitPupilOffset.z": lens.exit_pupil_offset_m,
        "sensorOffset.z": array.sensor_offset_m[2],
    }
    missing = [name for name, value in stated.items() if not value or value <= 0]
    if missing:
        raise MetadataError(f"no distance: the metadata lack {', '.join(missing)}")
    unit = array.sensor_offset_m[2] * array.pitch_m / capture.pixel_pitch_m
    return (
        float(lens.focal_length_m or 0),
        float(lens.infinity_lambda or 0),
        unit,
        float(lens.exit_pupil_offset_m or 0),
    )
