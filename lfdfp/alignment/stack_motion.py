"""Motion of a whole stack: neighbors are compared, and all are solved for together.

In a deep stack distant photographs have no sharp part in common, so motions are measured between
neighbors, and a few steps further, which keeps the neighbors' errors from adding up. Every tile of
every such pair is one observation of where a point of the scene lies in two photographs; the
motions of all photographs follow from all tiles at once, as in the adjustment of a survey.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

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
    STACK_PENALTY,
    STRETCH_PENALTY,
    precisions,
    robust_weights,
    schwarz_price,
    unlikelihood,
)
from lfdfp.alignment.tile_shifts import Levels, TileShifts, correlation_gain, tile_correlations
from lfdfp.datatypes import DoubleArray

LINK_STEPS: Final = (1, 2, 6)
_CERTAIN_GAIN, _CERTAIN_USUAL_GAIN = 15.0, 5.0
"""In standard deviations, of one pair and in the median of all.

Still cameras reached 4.7 in a pair. Terraces of a bright specimen on black, which spread over each
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
    """What correlations gain from one kind of motion, in standard deviations, pair by pair."""

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
        """Whether the motion is surely there: in most pairs, or plainly in one."""
        usual = float(np.median(self.gains)) if self.gains else 0.0
        return usual >= _CERTAIN_USUAL_GAIN or max(self.gains, default=0.0) >= _CERTAIN_GAIN


@dataclass(slots=True)
class Links:
    """Links of a stack, measured while its photographs pass by once.

    Only the last few photographs are held, so that memory does not grow with their number.
    """

    shape: tuple[int, int]
    count: int = 0
    links: list[Link] = field(default_factory=list)
    moving: Gains = field(default_factory=Gains)
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
        self._held.pop(number - max(LINK_STEPS), None)
        self.count += 1

    def _compare(self, first: int, other: Levels, levels: Levels) -> None:
        motion = pair_motion(other, levels, self._chained(first, self.count))
        self.links.append(Link(first=first, second=self.count, motion=motion))
        if not motion.trusted:
            return
        shift = within_model(motion.matrix, "shift", self.shape)
        asked = [
            (kind, before)
            for kind, before in ((self.moving, np.eye(3)), (self.turning, shift))
            if kind.needs(before, motion.matrix, self.shape)
        ]
        after = tile_correlations(other, levels, motion.matrix) if asked else None
        for kind, before in asked:
            assert after is not None
            kind.gains.append(correlation_gain(tile_correlations(other, levels, before), after))

    def _chained(self, first: int, second: int) -> DoubleArray | None:
        """Motion over the trusted links so far, if they reach."""
        return chained_motions(self.links, first).get(second)

    @property
    def richest(self) -> MotionModel:
        """The richest model whose like surely makes photographs more alike."""
        if not self.moving.certain:
            return "none"
        return "perspective" if self.turning.certain else "shift"


def measured_links(levels: Iterable[Levels]) -> Links:
    """Links of photographs that are looked at one after the other."""
    found: Links | None = None
    for one in levels:
        if found is None:
            found = Links(one.shape)
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
    if links.richest == "none" or not used:
        return still
    observations = [_observed(link, links.shape) for link in used]
    tiles = sum(len(o.tiles) for o in observations)
    free = [k for k in kept if k != reference]
    best, least = still, _misfit(observations, still.matrices)
    before = least
    for model, count in PARAMETERS.items():
        if not 0 < count <= PARAMETERS[links.richest] or tiles < 2 * count * len(free):
            continue
        first = {k: within_model(start[k], model, links.shape) for k in kept}
        made = _adjusted(observations, first, free, model, links.shape)
        misfit = _misfit(observations, made.matrices)
        cost = misfit + len(free) * _price(model, tiles)
        if cost < least and before - misfit > len(free) * _price("shift", tiles):
            best, least = made, cost
        before = misfit
    largest = max(corner_motion(m, links.shape) for m in best.matrices.values())
    return best if largest >= STILL_PX else still


def _price(model: MotionModel, tiles: int) -> float:
    """What the parameters of one photograph must gain against no motion."""
    rigid = PARAMETERS["similarity"] if model == "affine" else PARAMETERS[model]
    stretches = PARAMETERS[model] - rigid
    return schwarz_price(tiles, STACK_PENALTY) * rigid + (
        schwarz_price(tiles, STRETCH_PENALTY) * stretches
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Observed:
    first: int
    second: int
    tiles: TileShifts
    precision: DoubleArray


def _observed(link: Link, shape: tuple[int, int]) -> _Observed:
    motion = link.motion
    if motion.trusted and len(motion.tiles):
        precision = precisions(motion.tiles, motion.scatter_px)
        return _Observed(
            first=link.first, second=link.second, tiles=motion.tiles, precision=precision
        )
    spots = corners(shape)
    weak = TileShifts(
        positions=spots,
        targets=spots,
        shifts=np.zeros_like(spots),
        covariances=np.tile(_WEAK_PX**2 * np.eye(2), (len(spots), 1, 1)),
        scales=np.ones(len(spots)),
        fineness=np.ones(len(spots)),
    )
    return _Observed(
        first=link.first, second=link.second, tiles=weak, precision=precisions(weak, _WEAK_PX)
    )


def _misfit(observations: Sequence[_Observed], matrices: Mapping[int, DoubleArray]) -> float:
    return sum(unlikelihood(_squares(o, matrices)) for o in observations)


def _squares(o: _Observed, matrices: Mapping[int, DoubleArray]) -> DoubleArray:
    """Squared errors of tiles, in the first photograph, in units of their uncertainty."""
    between = matrices[o.first] @ np.linalg.inv(matrices[o.second])
    errors = moved_points(between, o.tiles.targets) - o.tiles.positions - o.tiles.shifts
    return np.asarray(np.einsum("ni,nij,nj->n", errors, o.precision, errors))


def _adjusted(
    observations: Sequence[_Observed],
    start: Mapping[int, DoubleArray],
    free: Sequence[int],
    model: MotionModel,
    shape: tuple[int, int],
) -> StackMotion:
    """Gauss-Newton on all tiles, in the reference's frame, with robust weights.

    A tile's point is seen at B(x)·δ from where the present motions put it; both photographs must
    put it at the same place.
    """
    count = PARAMETERS[model]
    place = {k: slice(count * n, count * (n + 1)) for n, k in enumerate(free)}
    matrices = dict(start)
    normal: DoubleArray = np.zeros((0, 0))
    for _ in range(_SOLUTION_STEPS):
        normal = 1e-9 * np.eye(count * len(free))
        right = np.zeros(count * len(free))
        for o in observations:
            _add(o, matrices, place, count, shape, normal, right)
        step = np.asarray(np.linalg.solve(normal, right), np.float64)
        for k in free:
            update = motion_matrix(step[place[k]], shape)
            matrices[k] = normalized(matrices[k] @ update)
        if np.abs(step).max() < 1e-4:
            break
    covariance = np.linalg.inv(normal)
    uncertainties = dict.fromkeys(start, 0.0)
    basis = motion_basis(corners(shape), shape)[:, :, :count]
    for k in free:
        spread = basis @ covariance[place[k], place[k]] @ np.swapaxes(basis, 1, 2)
        uncertainties[k] = float(np.sqrt(np.trace(spread, axis1=1, axis2=2).max()))
    return StackMotion(model=model, matrices=matrices, uncertainties_px=uncertainties)


def _add(
    o: _Observed,
    matrices: Mapping[int, DoubleArray],
    place: Mapping[int, slice],
    count: int,
    shape: tuple[int, int],
    normal: DoubleArray,
    right: DoubleArray,
) -> None:
    """Add the normal equations of one link's tiles, in place."""
    back = [np.asarray(np.linalg.inv(matrices[k]), np.float64) for k in (o.first, o.second)]
    points = [
        moved_points(back[0], o.tiles.positions + o.tiles.shifts),
        moved_points(back[1], o.tiles.targets),
    ]
    turn = matrices[o.first][:2, :2] / matrices[o.first][2, 2]
    precision = turn.T @ o.precision @ turn
    precision = robust_weights(_squares(o, matrices))[:, None, None] * precision
    apart = points[1] - points[0]
    sides = [
        (sign, place[k], motion_basis(x, shape)[:, :, :count])
        for sign, k, x in ((-1.0, o.first, points[0]), (1.0, o.second, points[1]))
        if k in place
    ]
    for sign, where, basis in sides:
        weighted = precision @ basis
        right[where] += sign * np.tensordot(weighted, apart, axes=((0, 1), (0, 1)))
        for other_sign, other, other_basis in sides:
            normal[where, other] += (
                sign * other_sign * np.tensordot(weighted, other_basis, axes=((0, 1), (0, 1)))
            )
