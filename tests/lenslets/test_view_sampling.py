from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import ROW_STEP_PITCHES, LensletGrid
from lfdfp.lenslets.view_sampling import default_view_sampling


def hexagonal_grid(pitch: float, rotation: float, shape: tuple[int, int]) -> LensletGrid:
    angles = rotation + np.array([0.0, np.pi / 3])
    right, down = pitch * np.stack([np.sin(angles), np.cos(angles)], axis=1)
    return LensletGrid(
        origin_px=((shape[0] - 1) / 2 + 1.7, (shape[1] - 1) / 2 - 0.6),
        right_px=tuple(right),
        down_px=tuple(down),
        sensor_shape=shape,
    )


@pytest.mark.parametrize("rotation", [0.0, -0.0049, 0.02])
@pytest.mark.parametrize("shape", [(656, 656), (400, 700)])
def test_the_samples_fill_the_sensor_and_stay_inside(rotation, shape) -> None:
    grid = hexagonal_grid(9.93, rotation, shape)
    sampling = default_view_sampling(grid)

    def images(first: int, beyond: int) -> np.ndarray:
        t = np.arange(first, sampling.shape[0] + beyond)[:, None]
        s = np.arange(first, sampling.shape[1] + beyond)[None, :]
        y = sampling.origin_pitch[0] + sampling.step_pitch * t
        x = sampling.origin_pitch[1] + sampling.step_pitch * s
        r = y / ROW_STEP_PITCHES
        return grid.centers(x - r / 2, r + 0 * x)

    margin = 9.93 / 2 - 0.5
    last = np.array(shape)[:, None, None] - 1 - margin
    inside = images(0, 0)
    assert np.all((inside >= margin) & (inside <= last))
    around = images(-1, 1)
    for edge in (around[:, 0], around[:, -1], around[:, :, 0], around[:, :, -1]):
        assert not np.all((edge >= margin) & (edge <= last[..., 0]))


def test_one_sample_is_the_lenslet_nearest_to_the_middle() -> None:
    sampling = default_view_sampling(hexagonal_grid(14.29, 0.0006, (600, 800)))
    index = -np.array(sampling.origin_pitch) / sampling.step_pitch
    np.testing.assert_allclose(index, np.round(index), atol=1e-9)
    assert np.all((index >= 0) & (index < sampling.shape))


def test_a_sensor_without_lenslets_is_refused() -> None:
    with pytest.raises(ValueError, match="holds no lenslet of 40"):
        default_view_sampling(hexagonal_grid(40.0, 0.0, (24, 24)))
