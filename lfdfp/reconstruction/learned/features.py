"""What the network that corrects a picture from rays looks at."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.imaging.color import LUMINANCE_WEIGHTS, display_matrix
from lfdfp.imaging.tiles import Tile
from lfdfp.reconstruction.certainty import certainty
from lfdfp.reconstruction.fine_grid import FineGrid
from lfdfp.reconstruction.observation import RayObservation
from lfdfp.reconstruction.parameters import SolverRound
from lfdfp.reconstruction.picture_steps import solve_rounds
from lfdfp.reconstruction.state import RaySetup, RayState

GAMMA = 2.2
"""Of the encoding in which the correction is learned, and pictures are judged."""

PLANE_STEP = 2
"""Every how many pixels of the finest grid lie in one of the network's planes, along each axis."""

PLANES = 2 * 3 * PLANE_STEP**2 + 6
"""How many planes the network takes."""

HINTED_SCALE = 2
"""Of the detail that `Hints` speak of, whatever the scale of the picture that is wanted."""

_LOOSE_SHARE = 0.15
_LOOSE_SOFTENING = 0.06
_LOOSE_ITERATIONS = 15
_LEVEL_WINDOW_PX = 9
_LEAST_LEVEL = 0.003
_LEAST_ERROR = 1e-4
_USUAL_STRENGTH = 20.0
_MIDDLE_GRAY = np.float32(0.4)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hints:
    """What is known of a picture beside the picture itself.

    Attributes
    ----------
    observability, standard_error, confidence, disagreement
        Shape (Y, X), as in `RaySolution` and `RayState`; the first two for detail of
        `HINTED_SCALE`.
    disparity
        Shape (Y, X), in pitches per raw pixel.
    strength
        λ of total variation.
    """

    observability: FloatArray
    standard_error: FloatArray
    confidence: FloatArray
    disagreement: FloatArray
    disparity: FloatArray
    strength: float

    def cut(self, rows: slice, columns: slice) -> Hints:
        """Of a part of the picture."""
        maps = (one.name for one in fields(self) if one.name != "strength")
        return replace(self, **{name: getattr(self, name)[rows, columns] for name in maps})


def hints_of(
    setup: RaySetup,
    state: RayState,
    strength: float,
    known: tuple[FloatArray, FloatArray] | None = None,
) -> Hints:
    """Hints inside the grid's margins.

    Parameters
    ----------
    known
        Observability and standard error, each of shape (Y, X), if they are known for
        `HINTED_SCALE`.
    """
    grid = setup.grid
    seen, error = known or certainty(replace(setup, scale=HINTED_SCALE), state, strength)
    return Hints(
        observability=grid.inner(seen),
        standard_error=grid.inner(error),
        confidence=grid.inner(state.confidence),
        disagreement=grid.inner(state.disagreement),
        disparity=grid.inner(state.slope_map) / np.float32(grid.pixels_per_pitch),
        strength=strength,
    )


def loose_picture(
    setup: RaySetup,
    observation: RayObservation,
    picture: FloatArray,
    strength: float,
    disagreement: FloatArray,
) -> FloatArray:
    """The picture (3, Y, X) that rays give where the prior hardly holds it: noisy, but sharp.

    Parameters
    ----------
    picture
        Shape (3, Y, X): from the same rays, under the prior's full strength.
    disagreement
        Shape (Y, X), as in `RayState`.
    """
    loose = SolverRound(_LOOSE_SHARE * strength, _LOOSE_SOFTENING, _LOOSE_ITERATIONS)
    return solve_rounds(setup, observation, picture, (loose,), disagreement)


def encoded(light: FloatArray) -> FloatArray:
    """Linear light of any shape in the display's gamma; nothing is cut off above."""
    return np.power(np.maximum(light, 0), np.float32(1 / GAMMA), dtype=np.float32)


def decoded(shown: FloatArray) -> FloatArray:
    """The opposite of `encoded`, of the same shape."""
    return np.power(np.maximum(shown, 0), np.float32(GAMMA), dtype=np.float32)


def display_light(setup: RaySetup, picture: FloatArray) -> FloatArray:
    """A picture (3, Y, X) in camera colors as linear light of the display, same shape."""
    matrix = display_matrix(setup.color).astype(np.float32)
    return np.asarray(np.tensordot(matrix, picture, 1), np.float32)


def inside(grid: FineGrid, picture: FloatArray) -> FloatArray:
    """Drop the grid's margin of a planar picture (3, Y, X)."""
    m = grid.margin
    return picture[:, m : picture.shape[1] - m, m : picture.shape[2] - m]


def planes_of(light: FloatArray, loose: FloatArray, hints: Hints) -> FloatArray:
    """What the network takes, shape (`PLANES`, Y/2, X/2).

    Parameters
    ----------
    light, loose
        Shape (3, Y, X), Y and X even: display light, not encoded.
    hints
        Of the same pixels.
    """
    shown = encoded(light)
    maps = np.stack([_halved(one) for one in _scaled_maps(light, hints)])
    pictures = (shown - _MIDDLE_GRAY, 4 * (encoded(loose) - shown))
    return np.concatenate([*map(_unshuffled, pictures), maps]).astype(np.float32)


def brighter_planes(planes: FloatArray, factor: float) -> FloatArray:
    """What `planes_of` gives for encoded pictures and errors `factor` times as large.

    Shape (`PLANES`, y, x), as `planes`.
    """
    shown = 3 * PLANE_STEP**2
    bright = planes.copy()
    bright[:shown] = factor * (planes[:shown] + _MIDDLE_GRAY) - _MIDDLE_GRAY
    bright[shown : 2 * shown] *= factor
    bright[2 * shown] += np.log(factor) / 2
    return bright


def cut_planes(light: FloatArray, loose: FloatArray, hints: Hints, part: Tile) -> FloatArray:
    """`planes_of` a part of a picture (3, Y, X); its bounds are even."""
    rows, columns = part
    return planes_of(light[:, rows, columns], loose[:, rows, columns], hints.cut(rows, columns))


def _scaled_maps(light: FloatArray, hints: Hints) -> tuple[FloatArray, ...]:
    """Hints (Y, X) each, of about unit size; the standard error as it shows in the encoding."""
    import cv2

    luma = np.tensordot(LUMINANCE_WEIGHTS.astype(np.float32), np.maximum(light, 0), 1)
    window = (_LEVEL_WINDOW_PX, _LEVEL_WINDOW_PX)
    level = np.maximum(cv2.blur(np.asarray(luma, np.float32), window), np.float32(_LEAST_LEVEL))
    shown_error = hints.standard_error / (GAMMA * level ** np.float32(1 - 1 / GAMMA))
    strength = np.log(hints.strength / _USUAL_STRENGTH) / 2
    return (
        np.log(np.maximum(shown_error, np.float32(_LEAST_ERROR))) / 2 + 2,
        2 * hints.observability,
        hints.confidence,
        np.log(np.maximum(hints.disagreement, 1)),
        3 * hints.disparity,
        np.full(luma.shape, strength, np.float32),
    )


def _unshuffled(picture: FloatArray) -> FloatArray:
    """A picture (C, Y, X) as planes (4C, Y/2, X/2), in the order of torch's pixel_unshuffle."""
    c, y, x = picture.shape
    k = PLANE_STEP
    blocks = picture.reshape(c, y // k, k, x // k, k).transpose(0, 2, 4, 1, 3)
    return np.ascontiguousarray(blocks.reshape(c * k * k, y // k, x // k))


def _halved(values: FloatArray) -> FloatArray:
    """Means over blocks of 2 x 2 of a map (Y, X)."""
    y, x = values.shape
    k = PLANE_STEP
    return np.asarray(values.reshape(y // k, k, x // k, k).mean(axis=(1, 3)), np.float32)
