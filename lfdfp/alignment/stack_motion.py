"""Motion of a whole stack: neighbors are compared, and all are solved for together.

In a deep stack distant photographs have no sharp part in common, so motions are measured between
neighbors, and a few steps further, which keeps the neighbors' errors from adding up. Every tile of
every such pair is one observation of where a point of the scene lies in two photographs; the
motions of all photographs follow from all tiles at once, as in the adjustment of a survey, together
with how far blur displaces what is out of focus (`lfdfp.alignment.focus_order`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from lfdfp.alignment.focus_order import (
    SPREAD_PER_BLUR,
    FocusOrder,
    focus_order,
    sharpness,
)
from lfdfp.alignment.motions import (
    PARAMETERS,
    MotionModel,
    corner_motion,
    corners,
    motion_basis,
    motion_matrix,
    moved_points,
    normalized,
    within_model,
)
from lfdfp.alignment.pair_motion import PairMotion, pair_motion
from lfdfp.alignment.robust_motion import (
    MOTION_PENALTY,
    STACK_PENALTY,
    STRETCH_PENALTY,
    precisions,
    robust_weights,
    schwarz_price,
    unlikelihood,
)
from lfdfp.alignment.tile_shifts import Levels, TileShifts, correlation_gain, tile_correlations
from lfdfp.datatypes import DoubleArray, FloatArray

LINK_STEPS: Final = (1, 2, 6)
_CERTAIN_GAIN, _CERTAIN_USUAL_GAIN = 15.0, 5.0
"""In standard deviations, of one pair and in the median of all.

Terraces of a bright specimen on black, which spread over each
other as they blur, reached 12 in one pair and 4.7 in the median, since other pairs gain little or
lose. Moved cameras have at least 5.8 in the median, turns of half a pixel in a stack at least 2.5.
"""

_ENOUGH_GAIN: Final = 20.0
"""Together: further pairs need not be looked at."""

STILL_PX: Final = 0.1
"""A motion of the corners below this is not worth an interpolation."""

_SOLUTION_STEPS: Final = 8
_WEAK_PX: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Link:
    """What was measured between two photographs of a stack."""

    first: int
    second: int
    motion: PairMotion


@dataclass(slots=True)
class Gains:
    """What correlations gain from more than a shift, in standard deviations, pair by pair."""

    gains: list[float] = field(default_factory=list)

    def needs(self, before: DoubleArray, after: DoubleArray, shape: tuple[int, int]) -> bool:
        """Whether one pair more, whose motions (3, 3) differ, is still to be looked at."""
        differ = corner_motion(np.linalg.inv(before) @ after, shape) > STILL_PX
        return differ and self.together < _ENOUGH_GAIN

    @property
    def together(self) -> float:
        """Of all pairs, in standard deviations if they were strangers."""
        return float(sum(self.gains) / np.sqrt(max(len(self.gains), 1)))

    @property
    def certain(self) -> bool:
        """Whether most pairs surely gain, or one plainly."""
        usual = float(np.median(self.gains)) if self.gains else 0.0
        return usual >= _CERTAIN_USUAL_GAIN or max(self.gains, default=0.0) >= _CERTAIN_GAIN


@dataclass(slots=True)
class Links:
    """Links of a stack, measured while its photographs pass by once.

    Only the last few photographs are held, so that memory hardly grows with their number.
    """

    shape: tuple[int, int]
    level: tuple[int, int]
    sharpness: list[FloatArray] = field(default_factory=list)
    count: int = 0
    links: list[Link] = field(default_factory=list)
    turning: Gains = field(default_factory=Gains)
    _held: dict[int, Levels] = field(default_factory=dict)

    def add(self, levels: Levels) -> None:
        """Compare the next photograph with those a few steps before it."""
        number = self.count
        for step in LINK_STEPS:
            other = self._held.get(number - step)
            if other is not None:
                self._compare(number - step, other, levels)
        self._held[number] = levels
        self.sharpness.append(sharpness(levels.encoded[0]))
        self._held.pop(number - max(LINK_STEPS), None)
        self.count += 1

    def _compare(self, first: int, other: Levels, levels: Levels) -> None:
        motion = pair_motion(other, levels, self._chained(first, self.count))
        self.links.append(Link(first=first, second=self.count, motion=motion))
        if not motion.trusted:
            return
        shift = within_model(motion.matrix, "shift", self.shape)
        if self.turning.needs(shift, motion.matrix, self.shape):
            before, after = (
                tile_correlations(other, levels, matrix) for matrix in (shift, motion.matrix)
            )
            self.turning.gains.append(correlation_gain(before, after))

    def _chained(self, first: int, second: int) -> DoubleArray | None:
        """Motion over the trusted links so far, if they reach."""
        return chained_motions(self.links, first).get(second)


def measured_links(levels: Iterable[Levels]) -> Links:
    """Links of photographs that are looked at one after the other."""
    found: Links | None = None
    for one in levels:
        if found is None:
            rows, columns = one.encoded[0].shape
            found = Links(one.shape, (rows, columns))
        found.add(one)
    if found is None:
        raise ValueError("no photographs")
    return found


def chained_motions(links: Sequence[Link], start: int) -> dict[int, DoubleArray]:
    """Motions (3, 3) from photograph `start` to all that trusted links connect it with."""
    found = {start: np.eye(3)}
    waiting = [start]
    while waiting:
        here = waiting.pop(0)
        for link in links:
            if not connects(link):
                continue
            if link.first == here and link.second not in found:
                found[link.second] = normalized(link.motion.matrix @ found[here])
                waiting.append(link.second)
            elif link.second == here and link.first not in found:
                found[link.first] = normalized(np.linalg.inv(link.motion.matrix) @ found[here])
                waiting.append(link.first)
    return found


def connects(link: Link) -> bool:
    """Whether two photographs belong together: nothing speaks against it between neighbors."""
    without_detail = link.motion.agreement is None and link.second - link.first == 1
    return link.motion.trusted or without_detail


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StackMotion:
    """Motions of photographs against the reference.

    Attributes
    ----------
    model
        Of all of them.
    matrices
        From the reference to each photograph that is kept, by its number.
    uncertainties_px
        Standard deviation of the corner that is known least, by number; what all tiles have in
        common (a changing blur) is not in it.
    """

    model: MotionModel
    matrices: Mapping[int, DoubleArray]
    uncertainties_px: Mapping[int, float]


def solved(links: Links, reference: int, numbers: Sequence[int]) -> StackMotion:
    """Motions of photographs `numbers` against `reference` from all links between them.

    The model is the simplest that the tiles of all links support together, each worth what it adds
    to the one before; without certain motion it is "none".
    """
    start = chained_motions(links.links, reference)
    kept = [k for k in numbers if k in start]
    used = [k for k in links.links if k.first in kept and k.second in kept and connects(k)]
    still = StackMotion(
        model="none",
        matrices={k: np.eye(3) for k in kept},
        uncertainties_px=dict.fromkeys(kept, 0.0),
    )
    if not used:
        return still
    placed: dict[int, DoubleArray] = {k: start[k] for k in kept}
    order = focus_order(links.sharpness, placed, links.shape, links.level)
    observations = [_observed(link, placed, order, links.shape) for link in used]
    tiles = sum(len(o.tiles) for o in observations)
    free = [k for k in kept if k != reference]
    best, least, misfits = still, np.inf, [np.inf]
    for model, count in PARAMETERS.items():
        if tiles < 2 * count * len(free):
            continue
        first = {k: within_model(start[k], model, links.shape) for k in kept}
        made, misfit = _adjusted(observations, first, free, model, links.shape)
        cost = misfit + len(free) * _price(model, tiles)
        surely = len(misfits) == 1 or _surely(
            misfits, misfit, model, tiles, len(free), turning=links.turning.certain
        )
        if cost < least and surely:
            best, least = made, cost
        misfits.append(misfit)
    largest = max(corner_motion(m, links.shape) for m in best.matrices.values())
    return best if largest >= STILL_PX else still


def _surely(
    misfits: Sequence[float],
    misfit: float,
    model: MotionModel,
    tiles: int,
    moved: int,
    *,
    turning: bool,
) -> bool:
    """Whether a model makes the tiles so much likelier than no motion and than the one before.

    More than a shift needs less where tiles are surely more alike with it.
    """
    count = PARAMETERS[model]
    motion, step = (schwarz_price(tiles, p) for p in (MOTION_PENALTY, STACK_PENALTY))
    if model != "shift" and not turning:
        step = motion
    against_none, against_simpler = misfits[1] - misfit, misfits[-1] - misfit
    return against_none > moved * count * motion and against_simpler > moved * 2 * step


def _price(model: MotionModel, tiles: int) -> float:
    """What the parameters of one photograph must gain against no motion."""
    rigid = min(PARAMETERS[model], PARAMETERS["similarity"])
    return schwarz_price(tiles, STACK_PENALTY) * rigid + (
        schwarz_price(tiles, STRETCH_PENALTY) * (PARAMETERS[model] - rigid)
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Observed:
    """Tiles of one link: precisions (n, 2, 2) and displacements (n, 2) per pixel of spread."""

    first: int
    second: int
    tiles: TileShifts
    precision: DoubleArray
    spreading: DoubleArray


def _observed(
    link: Link, placed: Mapping[int, DoubleArray], order: FocusOrder, shape: tuple[int, int]
) -> _Observed:
    motion = link.motion
    if not (motion.trusted and len(motion.tiles)):
        return _weakly_observed(link, shape)
    tiles = motion.tiles
    points = moved_points(_inverse(placed[link.first]), tiles.positions)
    blurred = np.square(order.uncertainties(points, link.first, link.second))
    doubtful = replace(tiles, covariances=tiles.covariances + blurred[:, None, None] * np.eye(2))
    return _Observed(
        first=link.first,
        second=link.second,
        tiles=tiles,
        precision=precisions(doubtful, 0.0),
        spreading=order.displacements(points, link.first, link.second),
    )


def _weakly_observed(link: Link, shape: tuple[int, int]) -> _Observed:
    """That photographs without detail lie about where they lay."""
    spots = corners(shape)
    return _Observed(
        first=link.first,
        second=link.second,
        tiles=TileShifts(
            positions=spots,
            targets=spots,
            shifts=np.zeros_like(spots),
            covariances=np.tile(_WEAK_PX**2 * np.eye(2), (len(spots), 1, 1)),
            scales=np.ones(len(spots)),
            fineness=np.ones(len(spots)),
        ),
        precision=np.tile(np.eye(2) / _WEAK_PX**2, (len(spots), 1, 1)),
        spreading=np.zeros_like(spots),
    )


def _inverse(matrix: DoubleArray) -> DoubleArray:
    return np.asarray(np.linalg.inv(matrix), np.float64)


def _apart(
    o: _Observed, matrices: Mapping[int, DoubleArray], spread: float
) -> tuple[list[DoubleArray], DoubleArray]:
    """Where either photograph puts its tiles (n, 2) in the reference, and by how much they differ.

    What spreading explains does not count.
    """
    points = [
        moved_points(_inverse(matrices[k]), x)
        for k, x in ((o.first, o.tiles.positions), (o.second, o.tiles.targets))
    ]
    return points, points[1] - points[0] - spread * o.spreading


def _precision(o: _Observed, matrices: Mapping[int, DoubleArray]) -> DoubleArray:
    """Precisions (n, 2, 2) in the reference."""
    turn = matrices[o.first][:2, :2] / matrices[o.first][2, 2]
    return np.asarray(turn.T @ o.precision @ turn)


def _adjusted(
    observations: Sequence[_Observed],
    start: Mapping[int, DoubleArray],
    free: Sequence[int],
    model: MotionModel,
    shape: tuple[int, int],
) -> tuple[StackMotion, float]:
    """Gauss-Newton on all tiles, in the reference's frame, with robust weights.

    A tile's point is seen at B(x)·δ from where the present motions put it; both photographs must
    put it at the same place. The last unknown is by how much blur displaces it per step.

    Returns
    -------
    motion
        With the spread that goes best with it.
    misfit
        How unlikely the tiles are.
    """
    count = PARAMETERS[model]
    place = {k: slice(count * n, count * (n + 1)) for n, k in enumerate(free)}
    matrices, spread = dict(start), 0.0
    normal: DoubleArray = np.zeros((0, 0))
    for _ in range(_SOLUTION_STEPS):
        normal = 1e-9 * np.eye(count * len(free) + 1)
        right = np.zeros(len(normal))
        normal[-1, -1] += 1 / SPREAD_PER_BLUR**2
        right[-1] -= spread / SPREAD_PER_BLUR**2
        for o in observations:
            _add(o, matrices, spread, place, count, shape, normal, right)
        step = np.asarray(np.linalg.solve(normal, right), np.float64)
        spread += float(step[-1])
        for k in free:
            update = motion_matrix(step[place[k]], shape)
            matrices[k] = normalized(matrices[k] @ update)
        if np.abs(step).max() < 1e-4:
            break
    misfit = np.square(spread / SPREAD_PER_BLUR)
    for o in observations:
        _, apart = _apart(o, matrices, spread)
        misfit += unlikelihood(_squares(apart, _precision(o, matrices)))
    covariance = np.linalg.inv(normal)
    uncertainties = dict.fromkeys(start, 0.0)
    basis = motion_basis(corners(shape), shape)[:, :, :count]
    for k in free:
        spots = basis @ covariance[place[k], place[k]] @ np.swapaxes(basis, 1, 2)
        uncertainties[k] = float(np.sqrt(np.trace(spots, axis1=1, axis2=2).max()))
    found = StackMotion(model=model, matrices=matrices, uncertainties_px=uncertainties)
    return found, float(misfit)


def _squares(errors: DoubleArray, precision: DoubleArray) -> DoubleArray:
    """Squared errors (n,) in units of their uncertainty."""
    return np.asarray(np.einsum("ni,nij,nj->n", errors, precision, errors))


def _add(
    o: _Observed,
    matrices: Mapping[int, DoubleArray],
    spread: float,
    place: Mapping[int, slice],
    count: int,
    shape: tuple[int, int],
    normal: DoubleArray,
    right: DoubleArray,
) -> None:
    """Add the normal equations of one link's tiles, in place."""
    points, apart = _apart(o, matrices, spread)
    precision = _precision(o, matrices)
    precision = robust_weights(_squares(apart, precision))[:, None, None] * precision
    sides = [
        (sign, place[k], motion_basis(x, shape)[:, :, :count])
        for sign, k, x in ((-1.0, o.first, points[0]), (1.0, o.second, points[1]))
        if count and k in place
    ]
    sides.append((1.0, slice(len(right) - 1, len(right)), o.spreading[:, :, None]))
    for sign, where, basis in sides:
        weighted = precision @ basis
        right[where] += sign * np.tensordot(weighted, apart, axes=((0, 1), (0, 1)))
        for other_sign, other, other_basis in sides:
            normal[where, other] += (
                sign * other_sign * np.tensordot(weighted, other_basis, axes=((0, 1), (0, 1)))
            )
