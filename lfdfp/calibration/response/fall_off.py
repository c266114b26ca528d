"""The fall-off of light over the field, from the parallax within one capture.

A lenslet at p sees in direction w the scene point p - δ w, so one point is seen by many lenslets
in many directions. What one lenslet sees is dimmed by the fall-off F at p and by the profile in
direction w. Along a point's rays, light changes with w by ::

    g = ∇ log profile (p) + δ ∇ log F (p)

Both are smooth over the sensor, and the scene's disparities δ tell them apart: what is in
proportion to δ is the fall-off. A millionth of a pitch does not matter, since a hundred thousand
lenslets take part; where nothing is in front of or behind the plane of focus, nothing is learnt,
and what is usual stays: natural vignetting, by the lens's focal length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lfdfp.calibration.raw_codes import raw_codes
from lfdfp.calibration.response.parallax_kernels import (
    N_SUMS,
    LensletViews,
    average_neighbors,
    block_sums,
    disagreement,
    light_by_direction,
)
from lfdfp.datatypes import DoubleArray, FloatArray, LensletGrid, RawCapture
from lfdfp.lenslets.arrays import LensletArray

_RADIUS_PITCH = 0.40
_RING_PITCH = 0.30
_DIRECTIONS = 8
_AVERAGINGS = 2
_STEEPEST_SLOPE = 0.75
_PLANE_STEP_PITCH = 0.1
_MOST_DISAGREEMENT = 0.04
_MATCH_WINDOW = 5
_CONTRAST = 0.5
_BLOCK = 10
_FLOOR = 0.02
_FEWEST_PER_BLOCK = 12
_BLOCKS_PER_UNKNOWN = 2
_ROUNDS = 2
_REWEIGHTINGS = 6
_TUKEY = 4.0
_PARTS = 4
_TINY = 1e-6
_DARK_SHARE = 0.01
_SHORTEST_M, _LONGEST_M = 2e-3, 0.2
_SATURATION_SHARE = 0.98

_SHADING_SPREAD = (0.3, 0.1, *[0.015] * 6)
"""Expected size of the coefficients' difference from the usual ones: nearly symmetric about the
sensor's middle, as far as lenses are centered."""

_OPTIMISM = 3.0
"""Variance of measured fall-offs over what their blocks say: gloss and occlusions err alike over
whole surfaces. Nine full captures of simulated scenes, six of them photographs, show 1 to 4."""

_TILT_SPREAD_PER_PX = (0.02, 0.1, 0.1, *[0.03] * 7)
_TILT_TERMS = len(_TILT_SPREAD_PER_PX)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FieldShading:
    """Logarithm of the light over the field, and of the profile's tilt.

    Attributes
    ----------
    information
        Shape (28, 28): precision of the measurement. The coefficients are eight of the fall-off
        over `_shading_terms`, then ten each of the profile's change per pixel (down, right in
        the lattice's frame) over `_tilt_terms`.
    moment
        Shape (28,): information times the measured coefficients.
    usual
        Shape (8,): coefficients of the fall-off to expect where nothing is measured.
    blocks
        How many parts of the sensor had something to say.
    """

    information: DoubleArray
    moment: DoubleArray
    usual: DoubleArray
    blocks: int

    @property
    def coefficients(self) -> DoubleArray:
        """Shape (28,): the likeliest, given the measurement and what is usual.

        No lens gains light towards the corners: where the measurement says so (gloss changes
        with direction as well), the fall-off is the usual one.
        """
        count = len(_SHADING_SPREAD)
        tilt = slice(count, None)
        prior = _prior()
        precision = self.information + prior
        if not self._contradicts_itself():
            pull = self.moment + prior[:, :count] @ self.usual
            return np.asarray(np.linalg.solve(precision, pull), np.float64)
        explained = self.information[tilt, :count] @ self.usual
        rest = np.linalg.solve(precision[tilt, tilt], self.moment[tilt] - explained)
        return np.concatenate([self.usual, rest])

    def _contradicts_itself(self) -> bool:
        """Whether the measurement, by itself, says that light grows towards the corners."""
        alone = np.linalg.solve(self.information + _prior(), self.moment)
        return _mean_at_corners(np.asarray(alone, np.float64)) > 0

    def log_light(self, position: DoubleArray) -> DoubleArray:
        """At positions, shape (..., 2), from the middle, in half diagonals; 0 in the middle."""
        return np.asarray(_shading_terms(position) @ self.coefficients[: len(_SHADING_SPREAD)])

    def tilt_per_px(self, position: DoubleArray) -> DoubleArray:
        """Change of the profile's logarithm with direction, shape (..., 2), per pixel."""
        tilt = self.coefficients[len(_SHADING_SPREAD) :].reshape(2, _TILT_TERMS)
        return np.asarray(_tilt_terms(position) @ tilt.T)

    def uncertainty(self) -> float:
        """Root mean square error to expect of the light over the field, prior included."""
        precision = _prior()
        if not self._contradicts_itself():
            precision = precision + self.information
        count = len(_SHADING_SPREAD)
        side = np.linspace(-1, 1, 9) / np.sqrt(2)
        position = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
        terms = _shading_terms(position)
        terms -= terms.mean(axis=0)
        covariance = np.linalg.inv(precision)[:count, :count]
        return float(np.sqrt(np.einsum("nk,kl,nl->n", terms, covariance, terms).mean()))


def natural_vignetting(capture: RawCapture) -> DoubleArray:
    """Coefficients, shape (8,), of the fall-off by cos⁴ of the field angle; 0 without metadata.

    Every lens loses about that much light towards the corners, by the focal length alone; what
    else a lens cuts off, nobody has told the program.
    """
    coefficients = np.zeros(len(_SHADING_SPREAD))
    focal_length = capture.lens.focal_length_m
    if focal_length is None or not _SHORTEST_M <= focal_length <= _LONGEST_M:
        return coefficients
    half_diagonal_m = capture.pixel_pitch_m * np.hypot(*capture.mosaic.shape) / 2
    square = np.linspace(0, 1, 33)
    fall_off = -2 * np.log1p((half_diagonal_m / focal_length) ** 2 * square)
    terms = np.stack([square, square**2], axis=1)
    coefficients[:2] = np.linalg.lstsq(terms, fall_off, rcond=None)[0]
    return coefficients


def unmeasured_shading(capture: RawCapture) -> FieldShading:
    """What is usual, where the capture says nothing."""
    count = len(_SHADING_SPREAD) + 2 * _TILT_TERMS
    return FieldShading(
        information=np.zeros((count, count)),
        moment=np.zeros(count),
        usual=natural_vignetting(capture),
        blocks=0,
    )


def shading_from_parallax(
    capture: RawCapture, grid: LensletGrid, response: FloatArray
) -> FieldShading:
    """Measure the fall-off of light over the field, and the tilt of the lenslets' profile.

    Parameters
    ----------
    response
        Shape (H, W): the lenslets' profiles, the same fall-off everywhere.

    Returns
    -------
    FieldShading
        The usual one where the capture says nothing: too few lenslets, or too dark.
    """
    lenslets = LensletArray.over(grid)
    views = _views(capture, grid, response, lenslets)
    position = lenslets.field_positions()
    reach = _RING_PITCH * grid.pitch_px
    slopes = np.arange(-_STEEPEST_SLOPE, _STEEPEST_SLOPE, _PLANE_STEP_PITCH / reach)
    shading = unmeasured_shading(capture)
    for _ in range(_ROUNDS):
        corrected = _corrected(views, shading, position)
        slope = _matched(_half_of_the_ring(corrected), slopes)
        down, right = (-(-n // _BLOCK) for n in slope.shape)
        sums = np.zeros((down, right, N_SUMS))
        block_sums(corrected, slope, _BLOCK, _FLOOR, sums)
        found = _fitted(sums, _block_means(position), lenslets.step_field(), shading)
        if found is None:
            return unmeasured_shading(capture)
        shading = found
    return shading


def _mean_at_corners(coefficients: DoubleArray) -> float:
    corners = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]]) / np.sqrt(2)
    return float((_shading_terms(corners) @ coefficients[: len(_SHADING_SPREAD)]).mean())


def combined_shading(found: Sequence[FieldShading]) -> FieldShading:
    """One or several measurements of the same camera as one, each by its precision."""
    return FieldShading(
        information=np.sum([one.information for one in found], axis=0),
        moment=np.sum([one.moment for one in found], axis=0),
        usual=np.mean([one.usual for one in found], axis=0),
        blocks=sum(one.blocks for one in found),
    )


def _directions_px(pitch_px: float) -> DoubleArray:
    """Shape (D, 2): the middle, then a ring of directions (v, u) in pixels."""
    angle = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
    ring = _RING_PITCH * pitch_px * np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    return np.concatenate([np.zeros((1, 2)), ring])


def _views(
    capture: RawCapture,
    grid: LensletGrid,
    response: FloatArray,
    lenslets: LensletArray,
) -> LensletViews:
    """Light by direction, averaged a little over neighbors, and where it is known."""
    shape = lenslets.centers_px.shape[:2]
    directions = _directions_px(grid.pitch_px)
    views = LensletViews(
        light=np.zeros((len(directions), *shape), np.float32),
        valid=np.zeros(shape, np.bool_),
        first_row=lenslets.first[0],
        directions_px=directions,
    )
    light_by_direction(
        raw_codes(capture, dark_share=_DARK_SHARE, saturation_share=_SATURATION_SHARE),
        response,
        lenslets.centers_px,
        _RADIUS_PITCH * grid.pitch_px,
        grid.turn,
        views,
    )
    for view in views.light:
        for _ in range(_AVERAGINGS):
            average_neighbors(view.copy(), views.valid, views.first_row, view)
    views.valid[...] &= (views.light > 0).all(axis=0)
    return views


def _corrected(views: LensletViews, shading: FieldShading, position: DoubleArray) -> LensletViews:
    """The views without what is known of the fall-off and the tilt so far.

    Parameters
    ----------
    position
        Shape (R, X, 2): of the lenslets, in half diagonals from the sensor's middle.
    """
    known = shading.log_light(position) + np.moveaxis(
        shading.tilt_per_px(position) @ views.directions_px.T, -1, 0
    )
    return views._replace(light=np.asarray(views.light * np.exp(-known), np.float32))


def _half_of_the_ring(views: LensletViews) -> LensletViews:
    """The middle and every second direction: enough to match."""
    some = np.r_[0, 1 : len(views.directions_px) : 2]
    return views._replace(light=views.light[some], directions_px=views.directions_px[some])


def _matched(views: LensletViews, slopes: DoubleArray) -> FloatArray:
    """Slope of every lenslet, shape (R, X): the plane on which the views around agree best.

    NaN where no plane is clearly better than the others.
    """
    import cv2

    shape = views.valid.shape
    least = np.full(shape, np.inf, np.float32)
    best = np.zeros(shape, np.int64)
    around = np.full((3, *shape), np.inf, np.float32)
    cost, before = np.empty(shape, np.float32), np.full(shape, np.inf, np.float32)
    followed, mean = np.zeros(shape, np.bool_), np.zeros(shape, np.float32)
    for n, slope in enumerate(slopes):
        disagreement(views, slope, _MOST_DISAGREEMENT, cost)
        smooth = cv2.blur(cost, (_MATCH_WINDOW, _MATCH_WINDOW))
        around[2, followed] = smooth[followed]
        mean += smooth / np.float32(len(slopes))
        better = smooth < least
        around[0, better], around[1, better] = before[better], smooth[better]
        least[better], best[better] = smooth[better], n
        followed, before = better, smooth
    clear = mean > (1 + _CONTRAST) * least + _CONTRAST * _FLOOR**2
    inside = (best > 0) & (best < len(slopes) - 1) & views.valid & clear
    bend = around[0] + around[2] - 2 * around[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        offset = np.where(bend > 0, 0.5 * (around[0] - around[2]) / bend, 0.0)
    found = slopes[0] + (best + np.clip(offset, -0.5, 0.5)) * (slopes[1] - slopes[0])
    return np.where(inside, found, np.nan).astype(np.float32)


def _block_means(position: DoubleArray) -> DoubleArray:
    """Mean position, shape (blocks down, blocks right, 2)."""
    down, right = (-(-n // _BLOCK) for n in position.shape[:2])
    return np.array(
        [
            [
                position[j * _BLOCK : (j + 1) * _BLOCK, i * _BLOCK : (i + 1) * _BLOCK].mean(
                    axis=(0, 1)
                )
                for i in range(right)
            ]
            for j in range(down)
        ]
    )


def _fitted(
    sums: DoubleArray, position: DoubleArray, step: DoubleArray, known: FieldShading
) -> FieldShading | None:
    """Fall-off and tilt that explain the blocks' sums, added to what was known before.

    Parameters
    ----------
    step
        Shape (2, 2): change of the field position per pitch down and right in the lens plane.
    """
    enough = sums[..., -1] >= _FEWEST_PER_BLOCK
    if enough.sum() < _BLOCKS_PER_UNKNOWN * len(_prior()):
        return None
    blocks = _Blocks(*_block_equations(sums[enough]), _block_design(position[enough], step))
    weight = np.ones(len(blocks.moment))
    for _ in range(_REWEIGHTINGS):
        gram, right = blocks.equations(weight)
        solution = np.linalg.solve(gram + _TINY * _prior(), right)
        left = blocks.left_over(np.asarray(solution, np.float64))
        size = np.hypot(left[:, 0], left[:, 1]) / np.maximum(blocks.normal[:, 0, 0], 1e-12)
        limit = _TUKEY * max(float(np.median(size)), 1e-12)
        weight = np.clip(1 - (size / limit) ** 2, 0, None) ** 2
    variance = _variance(blocks, weight, left)
    variance *= _OPTIMISM * _disunity(position[enough], blocks, weight, variance)
    gram, right = blocks.equations(weight)
    return FieldShading(
        information=gram / variance,
        moment=(right + gram @ known.coefficients) / variance,
        usual=known.usual,
        blocks=int(enough.sum()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """What B blocks say of tilt and gradient of the fall-off.

    Attributes
    ----------
    normal, moment
        Shape (B, 4, 4) and (B, 4): least squares equations of every block.
    design
        Shape (B, 4, 28): tilt and gradient there, by the coefficients.
    """

    normal: DoubleArray
    moment: DoubleArray
    design: DoubleArray

    def equations(self, weight: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
        """Least squares equations (28, 28) and (28,) of all blocks together."""
        gram = np.einsum(
            "bik,b,bij,bjl->kl", self.design, weight, self.normal, self.design, optimize=True
        )
        right = np.einsum("bik,b,bi->k", self.design, weight, self.moment)
        return np.asarray(gram, np.float64), np.asarray(right, np.float64)

    def left_over(self, solution: DoubleArray) -> DoubleArray:
        """Shape (B, 4): moments that a solution does not explain."""
        explained = np.einsum("bij,bjk,k->bi", self.normal, self.design, solution)
        return np.asarray(self.moment - explained)


def _variance(blocks: _Blocks, weight: DoubleArray, left: DoubleArray) -> float:
    """Of what one unit of weight measures, if the blocks are independent."""
    gram, _ = blocks.equations(weight)
    scatter = np.einsum("bik,b,bi->bk", blocks.design, weight, left)
    count = blocks.design.shape[-1]
    ratio = np.linalg.solve(gram + _TINY * _prior(), scatter.T @ scatter)
    used = np.count_nonzero(weight)
    return float(np.trace(ratio) / count * used / max(used - count, 1))


def _disunity(
    position: DoubleArray, blocks: _Blocks, weight: DoubleArray, variance: float
) -> float:
    """How much more the result changes with a part of the sensor than independent blocks would.

    Gloss and wrong slopes err alike over whole surfaces: each of 4 x 4 parts is left out once
    (a jackknife), and the scatter of the fall-offs compared with the expected one.
    """
    low, high = position.min(axis=0), position.max(axis=0) + 1e-9
    part = ((position - low) / (high - low) * _PARTS).astype(np.int64) @ (_PARTS, 1)
    terms = _shading_terms(position)
    terms = terms - terms.mean(axis=0)
    count, prior = terms.shape[1], variance * _prior()
    fields = []
    for k in np.unique(part):
        gram, right = blocks.equations(np.where(part == k, 0.0, weight))
        fields.append(terms @ np.linalg.solve(gram + prior, right)[:count])
    change = np.array(fields) - np.mean(fields, axis=0)
    jackknife = (change**2).sum(axis=0).mean() * (len(fields) - 1) / len(fields)
    gram, _ = blocks.equations(weight)
    covariance = variance * np.linalg.inv(gram + prior)[:count, :count]
    expected = np.einsum("nk,kl,nl->n", terms, covariance, terms).mean()
    return float(max(jackknife / max(expected, 1e-12), 1.0))


def _block_equations(sums: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    """Normal matrices (B, 4, 4) and moments (B, 4) of tilt and gradient of the fall-off.

    Every block has an error of its slopes besides, in proportion to the scene's gradient, which
    is eliminated.
    """
    w, wd, wdd, ws0, ws1, wss, wds0, wds1, g0, g1, dg0, dg1, sg, _ = sums.T
    zero = np.zeros_like(w)
    full = np.stack(
        [
            np.stack([w, zero, wd, zero], axis=-1),
            np.stack([zero, w, zero, wd], axis=-1),
            np.stack([wd, zero, wdd, zero], axis=-1),
            np.stack([zero, wd, zero, wdd], axis=-1),
        ],
        axis=-2,
    )
    cross = np.stack([ws0, ws1, wds0, wds1], axis=-1) / np.sqrt(wss + 1e-9 * w)[:, None]
    moment = np.stack([g0, g1, dg0, dg1], axis=-1)
    moment = moment - cross * (sg / np.sqrt(wss + 1e-9 * w))[:, None]
    return full - cross[:, :, None] * cross[:, None, :], moment


def _block_design(position: DoubleArray, step: DoubleArray) -> DoubleArray:
    """Shape (B, 4, 28): tilt (2) and gradient of the fall-off per pitch (2) at the blocks."""
    count = len(_SHADING_SPREAD)
    design = np.zeros((len(position), 4, count + 2 * _TILT_TERMS))
    tilt = _tilt_terms(position)
    design[:, 0, count : count + _TILT_TERMS] = tilt
    design[:, 1, count + _TILT_TERMS :] = tilt
    design[:, 2:, :count] = np.einsum("ad,bdk->bak", step, _shading_gradients(position))
    return design


def _shading_terms(position: DoubleArray) -> DoubleArray:
    """Shape (..., 8): r², r⁴, y, x, y² - x², 2 y x, r² y, r² x."""
    y, x = position[..., 0], position[..., 1]
    square = y * y + x * x
    terms = (square, square**2, y, x, y * y - x * x, 2 * y * x, square * y, square * x)
    return np.stack(terms, axis=-1)


def _shading_gradients(position: DoubleArray) -> DoubleArray:
    """Shape (..., 2, 8): derivatives of `_shading_terms` by y and x."""
    y, x = position[..., 0], position[..., 1]
    square, one, zero = y * y + x * x, np.ones_like(y), np.zeros_like(y)
    by_y = (2 * y, 4 * square * y, one, zero, 2 * y, 2 * x, square + 2 * y * y, 2 * y * x)
    by_x = (2 * x, 4 * square * x, zero, one, -2 * x, 2 * y, 2 * y * x, square + 2 * x * x)
    return np.stack([np.stack(by_y, axis=-1), np.stack(by_x, axis=-1)], axis=-2)


def _tilt_terms(position: DoubleArray) -> DoubleArray:
    """Shape (..., 10): all monomials up to the third degree."""
    y, x = position[..., 0], position[..., 1]
    powers = [(a, total - a) for total in range(4) for a in range(total, -1, -1)]
    return np.stack([y**a * x**b for a, b in powers], axis=-1)


def _prior() -> DoubleArray:
    """Shape (28, 28): precision of what is usual."""
    spread = np.array([*_SHADING_SPREAD, *_TILT_SPREAD_PER_PX, *_TILT_SPREAD_PER_PX])
    return np.diag(spread**-2.0)
