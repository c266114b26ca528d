"""The page of a picture made of photographs: which photograph each part comes from, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lfdfp.alignment.placement import (
    Placement,
    common_coverage,
    common_window,
    placed_photograph,
    placement_lines,
)
from lfdfp.datatypes import FloatArray
from lfdfp.files import write_text
from lfdfp.refocusing.focus_curves import coarse_focus_curves
from lfdfp.report.maps import screen_image
from lfdfp.report.page import PageMap, PagePicture, PageSlices, inspection_page
from lfdfp.storage.photographs import FrameList, read_frame

_MOST_FRAMES: Final = 40
_LARGEST_PICTURE: Final = 2400
_LARGEST_FRAME: Final = 1400
"""Pixels along the longer side, of the picture and of each photograph."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FusedForPage:
    """What the page of a fused picture shows.

    Attributes
    ----------
    light
        Shape (kT, kS, C), linear light.
    index, position
        Shape (T, S): number of the photograph that each pixel comes from, and the depth by their
        order, both from 0 and among all photographs that were given.
    placement
        How they were found to fit together.
    cropped
        Whether the picture shows only what all photographs show.
    """

    light: FloatArray
    index: NDArray[np.uint16]
    position: FloatArray
    placement: Placement
    cropped: bool = False


def write_photograph_page(
    path: Path,
    made: FusedForPage,
    frames: FrameList,
    *,
    title: str,
    facts: Mapping[str, str],
    warnings: Sequence[str],
) -> None:
    """Write one HTML file: the picture, its photographs as they were aligned, and the decisions.

    The photographs are read once more. Of more than 40 the page holds 40, evenly chosen.

    Raises
    ------
    LfdfpError
        If a photograph can no longer be read, or the page cannot be written.
    """
    kept = made.placement.kept
    shown = [kept[k] for k in _evenly(len(kept), _MOST_FRAMES)]
    slices = _placed_frames(frames, made, shown)
    reference = made.placement.reference
    told = {name: _without_folders(text, frames) for name, text in facts.items()}
    pictures = [
        PagePicture(
            name="sharp",
            title="All in focus",
            caption=f"Fused from {len(kept)} photographs.",
            picture=screen_image(_reduced(made.light, _LARGEST_PICTURE)),
        )
    ]
    if reference in shown:
        pictures.append(
            PagePicture(
                name="reference",
                title="One photograph",
                caption=f"{frames.frames[reference].path.name}: the others were moved onto it.",
                picture=screen_image(slices[shown.index(reference)]),
            )
        )
    page = inspection_page(
        title=title,
        pictures=pictures,
        maps=_maps(made),
        slices=PageSlices(
            slices=[screen_image(one) for one in slices],
            labels=[_short(str(frames.frames[number])) for number in shown],
            numbers=shown,
            curves=coarse_focus_curves(np.stack(slices)),
        ),
        facts=told | findings(made),
        warnings=[_without_folders(one, frames) for one in warnings],
    )
    write_text(path, page)


def findings(made: FusedForPage) -> dict[str, str]:
    """A line for each photograph: where it lies, and how much of the picture is from it."""
    count = len(made.placement.photographs)
    shares = np.bincount(made.index.ravel(), minlength=count) / made.index.size
    lines = {}
    for number, line in enumerate(placement_lines(made.placement)):
        name = made.placement.photographs[number].name
        found = line.removeprefix(f"{name}: ")
        lines[f"{number + 1}. {_short(name)}"] = f"{found}; {shares[number]:.0%} of the picture"
    return lines


def _maps(made: FusedForPage) -> list[PageMap]:
    numbers = _reduced(made.index[..., None].astype(np.float32), _LARGEST_FRAME, nearest=True)
    return [
        PageMap(
            name="decision",
            title="Decision",
            caption="The number of the photograph that each part is taken from.",
            values=numbers[..., 0] + 1,
            ends=("photograph", ""),
            whole=True,
        ),
        PageMap(
            name="order",
            title="Depth",
            caption="Depth in photographs, where their order is that of the distances.",
            values=_reduced(made.position[..., None], _LARGEST_FRAME)[..., 0] + 1,
            ends=("photograph", ""),
            bits=12,
        ),
    ]


def _placed_frames(frames: FrameList, made: FusedForPage, shown: Sequence[int]) -> list[FloatArray]:
    """The chosen photographs (T, S, C) as they were fused, small enough for a page."""
    placement = made.placement
    window = common_window(common_coverage(placement)) if made.cropped else (slice(None),) * 2
    channels = made.light.shape[2]
    small = []
    for number in shown:
        light, _ = placed_photograph(read_frame(frames, number).light, placement, number)
        wide = light if light.shape[2] == channels else np.repeat(light[..., :1], channels, axis=2)
        small.append(_reduced(wide[window], _LARGEST_FRAME))
    return small


def _evenly(count: int, most: int) -> list[int]:
    chosen = np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))
    return [int(one) for one in chosen]


def _reduced(light: FloatArray, side: int, *, nearest: bool = False) -> FloatArray:
    """(T, S, C) with at most `side` pixels along the longer side."""
    import cv2

    rows, columns, channels = light.shape
    factor = side / max(rows, columns)
    if factor >= 1:
        return light
    size = (max(1, round(columns * factor)), max(1, round(rows * factor)))
    how = cv2.INTER_NEAREST if nearest else cv2.INTER_AREA
    small = [cv2.resize(light[..., c], size, interpolation=how) for c in range(channels)]
    return np.stack(small, axis=-1).astype(np.float32, copy=False)


def _without_folders(text: str, frames: FrameList) -> str:
    """The page may be passed on: where the photographs lay is nobody's business."""
    for frame in frames.frames:
        text = text.replace(str(frame), _short(str(frame)))
    return text


def _short(name: str) -> str:
    """Without the folders before it."""
    return name.replace("\\", "/").rsplit("/", 1)[-1]
