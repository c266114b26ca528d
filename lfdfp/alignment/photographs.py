"""Photographs of one scene to a focal stack: moved onto a reference, brought to its exposure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from lfdfp.alignment.exposure import (
    ExposureMatch,
    described,
    exposure_windows,
    match_exposures,
)
from lfdfp.alignment.motions import MotionModel, corner_motion, covered, warped
from lfdfp.alignment.stack_motion import Links, chained_motions, measured_links, solved
from lfdfp.alignment.tile_shifts import levels_of
from lfdfp.datatypes import BoolArray, DoubleArray, FloatArray, FocalStack
from lfdfp.errors import ImageError

Reference = Literal["first", "middle"] | int
"""Which photograph the others are moved onto; a number counts from 1."""

_LARGEST_SIDE_PX: Final = 32_766
"""OpenCV addresses pixels by 16 bits when it moves a picture."""

_UNTOUCHED_PX: Final = 0.05
"""A photograph whose corners move less is not interpolated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedPhotograph:
    """What was found of one photograph.

    Attributes
    ----------
    state
        "in place": the photograph needs no motion.
    moved_px, uncertainty_px
        Largest motion of a corner from the reference, and its standard deviation.
    agreement
        Share of the tiles with detail that show what its neighbors show; None without detail.
    """

    name: str
    state: Literal["reference", "moved", "in place", "left out"]
    moved_px: float = 0.0
    uncertainty_px: float = 0.0
    agreement: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placement:
    """How photographs were made to fit together; `model` None where nothing was aligned."""

    photographs: tuple[PlacedPhotograph, ...]
    reference: int
    model: MotionModel | None
    exposure: ExposureMatch | None

    @property
    def kept(self) -> tuple[int, ...]:
        """Numbers of the photographs that are in the stack, from 0."""
        return tuple(n for n, p in enumerate(self.photographs) if p.state != "left out")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhotographStack:
    """A focal stack of photographs, and how it came about.

    Attributes
    ----------
    window
        Rows and columns of the reference that the stack shows; None for all.
    """

    stack: FocalStack
    placement: Placement
    window: tuple[slice, slice] | None = None


def stack_of_photographs(
    photographs: Sequence[FloatArray] | FloatArray,
    *,
    names: Sequence[str] = (),
    align: bool = True,
    equalize: bool = True,
    reference: Reference = "middle",
    crop: bool = False,
) -> PhotographStack:
    """A stack of two or more photographs (T, S, C) of one scene, linear light.

    Parameters
    ----------
    names
        What the photographs are called in messages; "photograph 1" and so on if not given.
    align
        Move every photograph onto the reference. What shows another scene is left out.
    equalize
        Bring the photographs to the reference's exposure and white balance, where a difference is
        certain (`lfdfp.alignment.exposure`).
    reference
        "middle" is the one in the middle of those that are kept: least has to move.
    crop
        Cut off the border that some photograph does not show.

    Raises
    ------
    ImageError
        For fewer than two photographs, photographs of different size or number of channels,
        pictures too long to be moved, or photographs of which fewer than two show one scene.
    """
    names = names or [f"photograph {n}" for n in range(1, len(photographs) + 1)]
    _check(photographs, names, reference)
    slices = np.asarray(photographs, np.float32)
    coverage: FloatArray | None = None
    window: tuple[slice, slice] | None = None
    placement = _unplaced(names, reference)
    if align:
        placement, matrices = _placed(slices, names, reference)
        slices, coverage = _moved(slices, matrices)
    if equalize:
        slices, exposure = _equalized(slices, coverage, placement.kept.index(placement.reference))
        placement = replace(placement, exposure=exposure)
    if crop and coverage is not None:
        window = common_window(coverage.min(axis=0) > 0)
        slices, coverage = slices[:, *window], None
    stack = FocalStack(
        slices=slices,
        coverage=coverage,
        history=(f"{len(names)} photographs", *_history(placement)),
        warnings=_warnings(placement),
    )
    return PhotographStack(stack=stack, placement=placement, window=window)


def _check(
    photographs: Sequence[FloatArray] | FloatArray, names: Sequence[str], reference: Reference
) -> None:
    if len(photographs) < 2:
        raise ImageError(f"fusion needs at least two photographs, got {len(photographs)}")
    shapes = [p.shape for p in photographs]
    if len(set(shapes)) > 1:
        raise ImageError(
            f"photographs must have one size and one number of channels, got {shapes}; "
            "crop or resize them first"
        )
    if isinstance(reference, int) and not 1 <= reference <= len(names):
        raise ImageError(
            f"photograph {reference} cannot be the reference: there are {len(names)} of them"
        )


def _unplaced(names: Sequence[str], reference: Reference) -> Placement:
    chosen = _number(reference, range(len(names)))
    return Placement(
        photographs=tuple(
            PlacedPhotograph(name=name, state="reference" if n == chosen else "in place")
            for n, name in enumerate(names)
        ),
        reference=chosen,
        model=None,
        exposure=None,
    )


def _number(reference: Reference, kept: Sequence[int]) -> int:
    """Number of the reference, from 0; not necessarily one of `kept`."""
    if reference == "first":
        return kept[0]
    return kept[(len(kept) - 1) // 2] if reference == "middle" else reference - 1


def _placed(
    slices: FloatArray, names: Sequence[str], reference: Reference
) -> tuple[Placement, dict[int, DoubleArray]]:
    """Where photographs lie against the reference, and the motions of those that are kept."""
    shape = slices.shape[1:3]
    if max(shape) > _LARGEST_SIDE_PX:
        raise ImageError(
            f"pictures of {shape[1]} x {shape[0]} pixels cannot be aligned, {_LARGEST_SIDE_PX} a "
            "side are the most; crop them, or leave out the alignment"
        )
    links = measured_links(levels_of(one) for one in slices)
    kept = _one_scene(links, names)
    chosen = _number(reference, kept)
    if chosen not in kept:
        raise ImageError(
            f"{names[chosen]}: cannot be the reference, since it does not show what "
            f"{names[kept[0]]} shows; choose another"
        )
    motion = solved(links, chosen, kept)
    photographs = []
    for number, name in enumerate(names):
        matrix = motion.matrices.get(number)
        distance = 0.0 if matrix is None else corner_motion(matrix, shape)
        photographs.append(
            PlacedPhotograph(
                name=name,
                state=_state(number, chosen, matrix, distance),
                moved_px=distance,
                uncertainty_px=motion.uncertainties_px.get(number, 0.0),
                agreement=_best_agreement(links, number),
            )
        )
    placement = Placement(
        photographs=tuple(photographs), reference=chosen, model=motion.model, exposure=None
    )
    return placement, dict(motion.matrices)


def placement_lines(placement: Placement) -> list[str]:
    """What was found, a line for each photograph."""
    lines = []
    for number, one in enumerate(placement.photographs):
        line = f"{one.name}: {one.state}"
        if one.state == "moved":
            line += f" by {one.moved_px:.2f} ± {one.uncertainty_px:.2f} px"
        if one.agreement is not None:
            line += f", {one.agreement:.0%} of the detail agrees"
        if (
            placement.exposure is not None
            and placement.exposure.applied
            and one.state != "left out"
        ):
            gains = placement.exposure.gains[placement.kept.index(number)]
            line += ", exposure multiplied by " + " ".join(f"{gain:.4f}" for gain in gains)
        lines.append(line)
    return lines


def _state(
    number: int, reference: int, matrix: DoubleArray | None, distance: float
) -> Literal["reference", "moved", "in place", "left out"]:
    if matrix is None:
        return "left out"
    if number == reference:
        return "reference"
    return "moved" if distance >= _UNTOUCHED_PX else "in place"


def _best_agreement(links: Links, number: int) -> float | None:
    own = [k.motion.agreement for k in links.links if number in (k.first, k.second)]
    return max((share for share in own if share is not None), default=None)


def _one_scene(links: Links, names: Sequence[str]) -> list[int]:
    """Numbers of the largest group of photographs that links hold together."""
    groups: list[list[int]] = []
    for number in range(len(names)):
        if not any(number in group for group in groups):
            groups.append(sorted(chained_motions(links.links, number)))
    largest = max(groups, key=len)
    if len(largest) < 2:
        raise ImageError(
            f"{names[0]} and {names[1]} do not show the same scene, or nothing that could be "
            "recognized; check the files, or leave out the alignment (--no-align)"
        )
    return largest


def _moved(
    slices: FloatArray, matrices: dict[int, DoubleArray]
) -> tuple[FloatArray, FloatArray | None]:
    """The kept slices on the reference's grid, and where they show something; None: everywhere."""
    shape = slices.shape[1:3]
    far = {k for k, m in matrices.items() if corner_motion(m, shape) >= _UNTOUCHED_PX}
    if not far:
        return (slices if len(matrices) == len(slices) else slices[sorted(matrices)]), None
    made = np.empty((len(matrices), *slices.shape[1:]), np.float32)
    coverage = np.ones((len(matrices), *shape), np.float32)
    for place, number in enumerate(sorted(matrices)):
        made[place] = slices[number]
        if number in far:
            made[place] = warped(slices[number], matrices[number])
            coverage[place] = covered(shape, matrices[number])
    return made, coverage


def _equalized(
    slices: FloatArray, coverage: FloatArray | None, reference: int
) -> tuple[FloatArray, ExposureMatch]:
    covers = [None] * len(slices) if coverage is None else coverage
    windows = [exposure_windows(s, c) for s, c in zip(slices, covers, strict=True)]
    match = match_exposures(windows, reference)
    return (slices * match.gains[:, None, None] if match.applied else slices), match


def common_window(common: BoolArray) -> tuple[slice, slice]:
    """A large window of rows and columns inside `common` (T, S): the worst side is cut until it is.

    Raises
    ------
    ImageError
        If nothing is left.
    """
    top, left, bottom, right = 0, 0, *common.shape
    while top < bottom and left < right:
        part = common[top:bottom, left:right]
        holes = [1 - line.mean() for line in (part[0], part[-1], part[:, 0], part[:, -1])]
        worst = int(np.argmax(holes))
        if holes[worst] == 0:
            return slice(top, bottom), slice(left, right)
        top, bottom = top + (worst == 0), bottom - (worst == 1)
        left, right = left + (worst == 2), right - (worst == 3)
    raise ImageError("no part of the picture is in all photographs: nothing is left to crop to")


def _history(placement: Placement) -> list[str]:
    made = []
    if placement.model is not None:
        moved = ", ".join(f"{p.moved_px:.2f}" for p in placement.photographs)
        name = placement.photographs[placement.reference].name
        made.append(f"motion: {placement.model}, against {name} by at most {moved} px")
    if placement.exposure is not None:
        made.append(described(placement.exposure))
    return made


def _warnings(placement: Placement) -> tuple[str, ...]:
    return tuple(
        f"{p.name}: left out, it does not show what the other photographs show"
        for p in placement.photographs
        if p.state == "left out"
    )
