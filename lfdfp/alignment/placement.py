"""How photographs of one scene fit together, found while they pass by once.

Only small pictures of each photograph are kept, so memory does not grow with their size; a second
pass brings each onto the reference's grid and exposure (`placed_photograph`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np

from lfdfp.alignment.exposure import (
    ExposureBlocks,
    ExposureMatch,
    described,
    exposure_blocks,
    exposure_windows,
    match_exposures,
)
from lfdfp.alignment.motions import MotionModel, corner_motion, covered, warped
from lfdfp.alignment.stack_motion import Links, chained_motions, measured_links, solved
from lfdfp.alignment.tile_shifts import levels_of
from lfdfp.datatypes import BoolArray, DoubleArray, FloatArray
from lfdfp.errors import ImageError

Reference = Literal["first", "middle"] | int
"""Which photograph the others are moved onto; a number counts from 1."""

_LARGEST_SIDE_PX: Final = 32_766
"""OpenCV addresses pixels by 16 bits when it moves a picture."""

UNTOUCHED_PX: Final = 0.05
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
    """How photographs fit together.

    Attributes
    ----------
    shape
        (T, S) of every photograph.
    reference
        Number of the photograph that the others are moved onto, from 0.
    model
        None where nothing was aligned.
    exposure
        Of the photographs that are kept, in their order; None where it was not asked for.
    matrices
        Motion (3, 3) from the reference to each photograph that is moved, by number.
    """

    shape: tuple[int, int]
    photographs: tuple[PlacedPhotograph, ...]
    reference: int
    model: MotionModel | None = None
    exposure: ExposureMatch | None = None
    matrices: Mapping[int, DoubleArray] = field(default_factory=dict)

    @property
    def kept(self) -> tuple[int, ...]:
        """Numbers of the photographs that belong to the stack, from 0."""
        return tuple(n for n, p in enumerate(self.photographs) if p.state != "left out")

    @property
    def warnings(self) -> tuple[str, ...]:
        """A line for each photograph that is left out."""
        return tuple(
            f"{p.name}: left out, it does not show what the other photographs show"
            for p in self.photographs
            if p.state == "left out"
        )


def placement_of(
    photographs: Iterable[FloatArray],
    names: Sequence[str],
    *,
    align: bool = True,
    equalize: bool = True,
    reference: Reference = "middle",
) -> Placement:
    """Find how two or more photographs (T, S, C) of one scene, linear light, fit together.

    Parameters
    ----------
    photographs
        Looked at one after the other, each once: they may be read as they are asked for.
    names
        What each photograph is called in messages.
    align, equalize, reference
        As those of `lfdfp.alignment.stack_of_photographs`.

    Raises
    ------
    ImageError
        For fewer than two photographs, photographs of different size or number of channels,
        pictures too long to be moved, photographs of which fewer than two show one scene, or a
        reference that does not exist.
    """
    if len(names) < 2:
        raise ImageError(f"fusion needs at least two photographs, got {len(names)}")
    if isinstance(reference, int) and not 1 <= reference <= len(names):
        raise ImageError(
            f"photograph {reference} cannot be the reference: there are {len(names)} of them"
        )
    seen = _Seen(align=align, equalize=equalize)
    checked = seen.passing(photographs)
    links = measured_links(levels_of(one) for one in checked) if align else None
    for _ in checked:
        pass
    unplaced = _unplaced(seen.shape, names, reference)
    found = unplaced if links is None else _aligned(links, names, reference)
    return _equalized(found, seen.blocks) if equalize else found


def placed_photograph(
    light: FloatArray, placement: Placement, number: int
) -> tuple[FloatArray, BoolArray | None]:
    """A photograph (T, S, C) on the reference's grid and with its exposure.

    Returns
    -------
    light
        Shape (T, S, C); `light` itself where nothing has to change.
    coverage
        Shape (T, S): where it shows something; None: everywhere.
    """
    coverage = None
    matrix = placement.matrices.get(number)
    if matrix is not None:
        light, coverage = warped(light, matrix), covered(placement.shape, matrix)
    exposure = placement.exposure
    if exposure is not None and exposure.applied:
        light = light * exposure.gains[placement.kept.index(number)]
    return light, coverage


def common_coverage(placement: Placement) -> BoolArray:
    """What all photographs show of the reference's picture, shape (T, S)."""
    common = np.ones(placement.shape, bool)
    for matrix in placement.matrices.values():
        common &= covered(placement.shape, matrix)
    return common


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


def placement_lines(placement: Placement) -> list[str]:
    """What was found, a line for each photograph."""
    lines = []
    for number, one in enumerate(placement.photographs):
        line = f"{one.name}: {one.state}"
        if one.state == "moved":
            line += f" by {one.moved_px:.2f} ± {one.uncertainty_px:.2f} px"
        if one.agreement is not None:
            line += f", {one.agreement:.0%} of the detail agrees"
        exposure = placement.exposure
        if exposure is not None and exposure.applied and one.state != "left out":
            gains = exposure.gains[placement.kept.index(number)]
            line += ", exposure multiplied by " + " ".join(f"{gain:.4f}" for gain in gains)
        lines.append(line)
    return lines


def placement_history(placement: Placement) -> list[str]:
    """What was done, for the record of a picture."""
    made = [f"{len(placement.photographs)} photographs"]
    if placement.model is not None:
        moved = ", ".join(f"{p.moved_px:.2f}" for p in placement.photographs)
        name = placement.photographs[placement.reference].name
        made.append(f"motion: {placement.model}, against {name} by at most {moved} px")
    if placement.exposure is not None:
        made.append(described(placement.exposure))
    return made


@dataclass(slots=True, kw_only=True)
class _Seen:
    """What is kept of photographs that pass by."""

    align: bool
    equalize: bool
    shape: tuple[int, int] = (0, 0)
    blocks: list[ExposureBlocks] = field(default_factory=list)

    def passing(self, photographs: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """The photographs, once they are found to fit together."""
        expected: tuple[int, ...] | None = None
        for one in photographs:
            if expected is not None and one.shape != expected:
                raise ImageError(
                    "photographs must have one size and one number of channels, got "
                    f"{expected} and {one.shape}; crop or resize them first"
                )
            expected, self.shape = one.shape, (one.shape[0], one.shape[1])
            if self.align and max(self.shape) > _LARGEST_SIDE_PX:
                raise ImageError(
                    f"pictures of {self.shape[1]} x {self.shape[0]} pixels cannot be aligned, "
                    f"{_LARGEST_SIDE_PX} a side are the most; crop them, or leave out the alignment"
                )
            if self.equalize:
                self.blocks.append(exposure_blocks(one))
            yield one


def _unplaced(shape: tuple[int, int], names: Sequence[str], reference: Reference) -> Placement:
    chosen = _number(reference, range(len(names)))
    return Placement(
        shape=shape,
        photographs=tuple(
            PlacedPhotograph(name=name, state="reference" if n == chosen else "in place")
            for n, name in enumerate(names)
        ),
        reference=chosen,
    )


def _number(reference: Reference, kept: Sequence[int]) -> int:
    """Number of the reference, from 0; not necessarily one of `kept`."""
    if reference == "first":
        return kept[0]
    return kept[(len(kept) - 1) // 2] if reference == "middle" else reference - 1


def _aligned(links: Links, names: Sequence[str], reference: Reference) -> Placement:
    kept = _one_scene(links, names)
    chosen = _number(reference, kept)
    if chosen not in kept:
        raise ImageError(
            f"{names[chosen]}: cannot be the reference, since it does not show what "
            f"{names[kept[0]]} shows; choose another"
        )
    motion = solved(links, chosen, kept)
    distances = {k: corner_motion(m, links.shape) for k, m in motion.matrices.items()}
    return Placement(
        shape=links.shape,
        photographs=tuple(
            PlacedPhotograph(
                name=name,
                state=_state(distances.get(number), number == chosen),
                moved_px=distances.get(number, 0.0),
                uncertainty_px=motion.uncertainties_px.get(number, 0.0),
                agreement=_best_agreement(links, number),
            )
            for number, name in enumerate(names)
        ),
        reference=chosen,
        model=motion.model,
        matrices={k: m for k, m in motion.matrices.items() if distances[k] >= UNTOUCHED_PX},
    )


def _state(
    distance: float | None, is_reference: bool
) -> Literal["reference", "moved", "in place", "left out"]:
    if distance is None:
        return "left out"
    if is_reference:
        return "reference"
    return "moved" if distance >= UNTOUCHED_PX else "in place"


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


def _equalized(placement: Placement, blocks: Sequence[ExposureBlocks]) -> Placement:
    windows = [exposure_windows(blocks[k], placement.matrices.get(k)) for k in placement.kept]
    match = match_exposures(windows, placement.kept.index(placement.reference))
    return replace(placement, exposure=match)
