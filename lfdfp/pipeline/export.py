"""A sharp picture with depth as what other programs and displays take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lfdfp.datatypes import FloatArray, SharpPicture
from lfdfp.errors import ImageError
from lfdfp.progress import Progress, ignore_progress
from lfdfp.rendering.camera_paths import Shot, camera_path, row_of_views, taken
from lfdfp.rendering.render import fine_disparity

if TYPE_CHECKING:
    from lfdfp.interchange.depth_picture import White
    from lfdfp.rendering.camera_paths import Path as CameraPath
    from lfdfp.report.stereo import Stereo


@dataclass(frozen=True, slots=True, kw_only=True)
class AnimationSettings:
    """How an animation is made.

    Attributes
    ----------
    frames
        Of one turn, at least 4.
    frames_per_second
        Above 0.
    width
        Of the frames in pixels at most.
    """

    frames: int = 36
    frames_per_second: float = 18.0
    width: int = 960


def export_animation(
    picture: SharpPicture,
    target: Path,
    path: CameraPath,
    settings: AnimationSettings,
    *,
    progress: Progress = ignore_progress,
) -> None:
    """Write a seamless loop: focus that travels, or an eye that moves.

    Raises
    ------
    ImageError
        For a picture without depth, or an ending that no animation has.
    StorageError
        If the file cannot be written.
    """
    from lfdfp.report.animation import write_animation
    from lfdfp.report.maps import screen_image

    small = _narrowed(picture, settings.width)
    frames = _frames(small, camera_path(small, path, settings.frames), progress)
    shown = [screen_image(frame) for frame in frames]
    write_animation(target, shown, frames_per_second=settings.frames_per_second)


def export_quilt(
    picture: SharpPicture,
    target: Path,
    grid: tuple[int, int],
    *,
    progress: Progress = ignore_progress,
) -> Path:
    """Write a quilt of (columns, rows) views for a light-field display.

    The grid is put into the name of `target`, where displays look for it; the file is returned.

    Raises
    ------
    ImageError, StorageError
        As `export_animation`.
    """
    from lfdfp.report.stereo import quilt, quilt_name

    columns, rows = grid
    height, width = picture.super_resolved.shape[:2]
    views = _frames(picture, row_of_views(picture, columns * rows), progress)
    named = target.with_name(quilt_name(target, columns, rows, width / height))
    _write(named, quilt(views, columns))
    return named


def export_stereo(picture: SharpPicture, target: Path, how: Stereo) -> None:
    """Write the views from both ends of the aperture as one stereo picture.

    Raises
    ------
    ImageError, StorageError
        As `export_animation`.
    """
    from lfdfp.report.stereo import stereo_picture

    left, right = _frames(picture, row_of_views(picture, 2), ignore_progress)
    _write(target, stereo_picture(left, right, how))


def export_depth(picture: SharpPicture, target: Path, white: White) -> None:
    """Write depth without a legend; a JPEG is the picture with its depth map inside.

    Raises
    ------
    ImageError, StorageError
        As `export_animation`.
    """
    from lfdfp.interchange.depth_picture import add_depth_map, write_depth

    disparity = fine_disparity(picture)
    if target.suffix.lower() in (".jpg", ".jpeg"):
        _write(target, picture.super_resolved)
        add_depth_map(target, disparity)
        return
    write_depth(target, disparity, white=white)


def slope_at(picture: SharpPicture, place: tuple[float, float]) -> float:
    """Slope of what is seen at (x, y), each from 0 to 1, from the left and from the top.

    Raises
    ------
    ImageError
        For a picture without depth, or a place outside it.
    """
    disparity = fine_disparity(picture)
    x, y = place
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise ImageError(f"--focus-at {x:g},{y:g}: both go from 0 to 1 over the picture")
    row, column = (int(share * (n - 1)) for share, n in zip((y, x), disparity.shape, strict=True))
    around = disparity[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
    return float(np.median(around))


def _frames(picture: SharpPicture, shots: Sequence[Shot], progress: Progress) -> list[FloatArray]:
    frames = []
    for number, shot in enumerate(shots):
        progress(number, len(shots))
        frames.append(taken(picture, shot))
    progress(len(shots), len(shots))
    return frames


def _narrowed(picture: SharpPicture, width: int) -> SharpPicture:
    """A coarser picture, where half or a quarter of its scale is still as wide as asked."""
    from lfdfp.rendering.render import reduced

    while picture.scale % 2 == 0 and picture.super_resolved.shape[1] >= 2 * width:
        picture = reduced(picture, 2)
    return picture


def _write(target: Path, light: FloatArray) -> None:
    from lfdfp.storage.images import Picture, write_picture

    write_picture(target, Picture(light=np.ascontiguousarray(light, np.float32)), {})
