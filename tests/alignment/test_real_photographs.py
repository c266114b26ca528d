"""Placement of real photographs: still cameras, a hand-held stack beside SIFT and RANSAC."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from lfdfp.alignment.motions import moved_points
from lfdfp.alignment.placement import Placement, placement_of
from lfdfp.datatypes import DoubleArray, FloatArray
from lfdfp.imaging.display import decode_srgb

pytestmark = [pytest.mark.data, pytest.mark.slow]
_INLIERS = 100


def _encoded(path: Path) -> FloatArray:
    codes = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert codes is not None, path
    return np.ascontiguousarray(codes[..., ::-1], np.float32) / 255


def _placed(paths: list[Path]) -> Placement:
    names = [path.name for path in paths]
    return placement_of((decode_srgb(_encoded(path)) for path in paths), names)


def _by_features(first: FloatArray, second: FloatArray) -> tuple[DoubleArray, int]:
    """Similarity between two pictures by SIFT and RANSAC, and the matches that agree with it."""
    detector = cv2.SIFT.create(nfeatures=8000, contrastThreshold=0.01)
    grays = [np.uint8(255 * picture.mean(axis=2)) for picture in (first, second)]
    (here, mine), (there, other) = (detector.detectAndCompute(gray, None) for gray in grays)
    pairs = cv2.BFMatcher().knnMatch(mine, other, k=2)
    good = [near for near, next_near in pairs if near.distance < 0.8 * next_near.distance]
    start = np.array([here[match.queryIdx].pt for match in good])
    end = np.array([there[match.trainIdx].pt for match in good])
    cv2.setRNGSeed(0)
    matrix, inliers = cv2.estimateAffinePartial2D(
        start, end, method=cv2.RANSAC, ransacReprojThreshold=1.0
    )
    return np.vstack([matrix, [0, 0, 1]]), int(inliers.sum())


def test_a_hand_held_stack_lies_as_features_say(data_dir: Path) -> None:
    paths = sorted((data_dir / "multifocus" / "stacks" / "macro-handheld").glob("*.jpg"))
    placement = _placed(paths)
    assert placement.kept == tuple(range(10))
    assert placement.model == "similarity"
    motions = [placement.matrices.get(k, np.eye(3)) for k in range(10)]
    rows, columns = np.mgrid[: placement.shape[0] : 20, : placement.shape[1] : 20]
    grid = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float64)
    pictures = [_encoded(path) for path in paths]
    for k in range(9):
        expected, inliers = _by_features(pictures[k], pictures[k + 1])
        assert inliers >= _INLIERS
        found = motions[k + 1] @ np.linalg.inv(motions[k])
        apart = np.hypot(*(moved_points(found, grid) - moved_points(expected, grid)).T)
        assert apart.max() < 0.5, paths[k].name


@pytest.mark.parametrize(("data_set", "sides"), [("nyu-d", ("near", "far")), ("mfi-whu", "AB")])
def test_pairs_of_still_cameras_are_left_as_they_are(
    data_dir: Path, data_set: str, sides: tuple[str, str]
) -> None:
    near, far = (sorted((data_dir / "multifocus" / data_set / side).iterdir()) for side in sides)
    assert len(near) == len(far) >= 14
    for pair in zip(near, far, strict=True):
        placement = _placed(list(pair))
        assert placement.model == "none", pair[0].name
        assert not placement.matrices
        assert placement.exposure is not None
        assert not placement.exposure.applied, pair[0].name


def test_a_frame_of_another_stack_is_left_out_by_name(data_dir: Path) -> None:
    paths = sorted((data_dir / "multifocus" / "nyu-d" / "sharp").iterdir())[:2]
    sides = [data_dir / "multifocus" / "nyu-d" / side for side in ("near", "far")]
    found = [*(side / f"{paths[0].stem}.jpg" for side in sides), paths[1]]
    placement = _placed(found)
    assert placement.kept == (0, 1)
    assert placement.warnings[0].startswith(f"{paths[1].name}: left out")
