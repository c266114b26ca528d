"""Small captures that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lfdfp.datatypes import (
    BayerPattern,
    Camera,
    CodeArray,
    ColorData,
    Lens,
    MicrolensArray,
    RawCapture,
)

F01_BAYER: BayerPattern = ("b", "gb", "gr", "r")


def random_mosaic(shape: tuple[int, int], bits: int, seed: int = 0) -> CodeArray:
    """Codes over the whole range that `bits` allow."""
    generator = np.random.default_rng(seed)
    return generator.integers(0, 1 << bits, shape, dtype=np.uint16)


def small_capture(
    *,
    bits: int = 12,
    bayer: BayerPattern = F01_BAYER,
    white_image: RawCapture | None = None,
    seed: int = 0,
) -> RawCapture:
    """A capture in which every value differs from its default."""
    return RawCapture(
        mosaic=random_mosaic((20, 24), bits, seed),
        bayer=bayer,
        black_codes=(60.0, 61.0, 62.0, 63.0),
        white_codes=(1020.0, 1021.0, 1022.0, 1023.0),
        pixel_pitch_m=1.4e-6,
        microlens_array=MicrolensArray(
            pitch_m=1.38986e-5,
            rotation_rad=-0.0049,
            scale=(1.0003, 0.9998),
            sensor_offset_m=(-1.2e-6, 9.1e-7, 2.5e-5),
        ),
        camera=Camera(make="Lytro, Inc.", model="F01", serial="A303134643", firmware="v1.0a208"),
        lens=Lens(
            zoom_step=-981,
            focus_step=721,
            focal_length_m=0.00645,
            f_number=1.91,
            infinity_lambda=43.9,
            exit_pupil_offset_m=0.08,
        ),
        color=ColorData(
            white_balance=(1.1, 1.0, 1.5),
            camera_to_srgb=((3.1, -1.9, -0.2), (-0.4, 1.6, -0.2), (0.1, -1.2, 2.1)),
            exposure_bias_ev=-1.15,
            sensor_response=(0.78, 1.0, 0.73),
        ),
        iso=87.0,
        exposure_s=0.004,
        orientation=6,
        white_image=white_image,
    )


CaptureMaker = Callable[..., RawCapture]


@pytest.fixture(scope="session")
def make_capture() -> CaptureMaker:
    """Makes a `small_capture`."""
    return small_capture
