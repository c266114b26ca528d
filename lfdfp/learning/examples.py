"""Examples to learn the correction from: small captures of drawn scenes, reconstructed.

The simulator's imperfections, noise and exposures are drawn as the scenes are; the calibration is
the true one.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lfdfp.computing.blas_threads import with_one_blas_thread
from lfdfp.datatypes import FloatArray
from lfdfp.decoding import decode
from lfdfp.files import replacing
from lfdfp.learning.scenes import training_scene
from lfdfp.reconstruction.learned.correction import inner_light
from lfdfp.reconstruction.learned.features import Hints, hints_of, loose_picture
from lfdfp.reconstruction.parameters import RayParameters
from lfdfp.reconstruction.ray_light import rays_of
from lfdfp.reconstruction.reconstruct import solved_state
from lfdfp.reconstruction.state import RaySetup, SolvedRays, set_up
from lfdfp.settings import FusionSettings
from lfdfp.simulation import Imperfections, SimulatedCapture, camera_model, simulate_capture
from lfdfp.simulation.camera import NOISY, REALISTIC
from lfdfp.simulation.names import CameraName

_SIZES_PX: dict[CameraName, int] = {"f01": 400, "illum": 560}
_SHARE_OF_F01 = 0.6
_ISO = ((80, 0.25), (100, 0.2), (200, 0.1), (400, 0.1), (800, 0.1), (1600, 0.15), (3200, 0.1))
_STREAM = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """A picture from rays with what is known of it, and the truth.

    Attributes
    ----------
    light, loose, truth
        Shape (3, Y, X), linear display light.
    hints
        Of the same pixels.
    """

    light: FloatArray
    loose: FloatArray
    truth: FloatArray
    hints: Hints


def drawn_capture(number: int) -> SimulatedCapture:
    """The capture of this number: scene, camera, imperfections, noise."""
    rng = np.random.default_rng([_STREAM, number])
    name: CameraName = "f01" if rng.random() < _SHARE_OF_F01 else "illum"
    flaws = _drawn_flaws(rng)
    values, shares = zip(*_ISO, strict=True)
    iso = float(rng.choice(values, p=shares))
    camera = camera_model(name, size=_SIZES_PX[name], iso=iso, imperfections=flaws)
    scene = training_scene(camera.field_pitch, rng)
    return simulate_capture(scene, camera, seed=int(rng.integers(1 << 30)), rays_per_pixel=32)


def _drawn_flaws(rng: np.random.Generator) -> Imperfections | None:
    """None, all, all and much noise, or a random share of all."""
    kind = rng.random()
    if kind < 0.4:
        return None
    if kind < 0.85:
        return REALISTIC if kind < 0.65 else NOISY
    share = float(rng.uniform(0, 1.4))
    scaled = {
        name: share * getattr(REALISTIC, name)
        for name in ("diffraction_px", "lenslet_gain_spread", "pixel_gain_spread", "distortion_px")
    }
    return replace(
        REALISTIC,
        noise_factor=float(rng.uniform(1, 4)),
        relative_noise=float(rng.uniform(0, 0.08)),
        crosstalk=min(share * REALISTIC.crosstalk, 1.0),
        **scaled,
    )


@with_one_blas_thread
def example_of(capture: SimulatedCapture) -> Example:
    """Reconstruct a capture, and set the picture beside its truth.

    Raises
    ------
    CaptureError
        When no pixel carries light.
    """
    setup, solved = reconstructed(capture)
    state = solved.state
    loose = loose_picture(
        setup, state.observation, state.picture, solved.strength, state.disagreement
    )
    return Example(
        light=inner_light(setup, state.picture),
        loose=inner_light(setup, loose),
        truth=np.ascontiguousarray(np.moveaxis(capture.all_in_focus(4), -1, 0)),
        hints=hints_of(setup, state, solved.strength),
    )


def reconstructed(capture: SimulatedCapture) -> tuple[RaySetup, SolvedRays]:
    """A capture, given its true calibration, under total variation."""
    field = decode(capture.raw_capture(), capture.true_calibration())
    rays, sampling = rays_of(field)
    setup = set_up(rays, sampling, FusionSettings(scale=2), RayParameters())
    return setup, solved_state(setup)


def save_example(path: Path, example: Example) -> None:
    """Write an example in half precision (.npz)."""
    arrays = {name: getattr(example, name) for name in ("light", "loose", "truth")}
    hints = {
        one.name: np.asarray(getattr(example.hints, one.name))
        for one in dataclasses.fields(example.hints)
    }
    hints["standard_error"] = hints["standard_error"] * _ERROR_UNITS
    halves = {name: values.astype(np.float16) for name, values in (arrays | hints).items()}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **halves)


_ERROR_UNITS = np.float32(1000)
"""Per unit of light: half precision has few digits below 1e-4."""


def load_example(path: Path) -> Example:
    """Read what `save_example` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        found = {name: arrays[name].astype(np.float32) for name in arrays.files}
    found["standard_error"] = found["standard_error"] / _ERROR_UNITS
    pictures = {name: found.pop(name) for name in ("light", "loose", "truth")}
    return Example(**pictures, hints=Hints(**{**found, "strength": float(found["strength"])}))


def example_file(folder: Path, number: int) -> Path:
    """Where the example of this number is kept."""
    return folder / f"{number:05d}.npz"


def make_examples(folder: Path, first: int, last: int) -> None:
    """Make and write the examples `first` to `last` - 1 that are not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, last):
        if not example_file(folder, number).exists():
            save_example(example_file(folder, number), example_of(drawn_capture(number)))
