"""Ways are loops within the aperture and the depths; near things move against the eye."""

from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import Depth, Provenance, SharpPicture
from lfdfp.rendering.camera_paths import Shot, camera_path, row_of_views, taken


def _near_square() -> SharpPicture:
    light, disparity = np.zeros((40, 60, 3), np.float32), np.full((40, 60), 0.5, np.float32)
    light[15:25, 25:35] = 1
    disparity[15:25, 25:35] = -1.0
    return SharpPicture(
        all_in_focus=light,
        super_resolved=light,
        scale=1,
        depth=Depth(disparity=disparity, angular_shape=(9, 9)),
        provenance=Provenance(data_term="rays", prior="variation"),
    )


@pytest.mark.parametrize("path", ["focus", "wiggle", "orbit", "dolly"])
def test_a_way_is_a_loop_with_even_steps(path: str) -> None:
    shots = camera_path(_near_square(), path, 12)
    states = np.array([[shot.slope, shot.dolly, *shot.viewpoint] for shot in shots])
    steps = np.linalg.norm(np.diff(np.vstack([states, states[:1]]), axis=0), axis=1)
    assert len(shots) == 12
    assert steps.max() < 2.5
    assert np.abs(states[:, 1:]).max() <= 4.5
    assert states[:, 0].min() >= -1.0 - 1e-6
    assert states[:, 0].max() <= 0.5 + 1e-6


def test_focus_begins_at_the_near() -> None:
    first = camera_path(_near_square(), "focus", 12)[0]
    assert first.slope == pytest.approx(-1.0)
    assert first.half_width == 4.5


def test_views_go_from_the_left_eye_to_the_right() -> None:
    picture = _near_square()
    left, right = (taken(picture, shot) for shot in row_of_views(picture, 2))
    columns = [np.average(np.arange(60), weights=view.sum(axis=(0, 2))) for view in (left, right)]
    assert columns[0] > columns[1] + 4


def test_the_middle_of_the_aperture_sees_the_picture_itself() -> None:
    picture = _near_square()
    np.testing.assert_array_equal(taken(picture, Shot(slope=0.0)), picture.super_resolved)
