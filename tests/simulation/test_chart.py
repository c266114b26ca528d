from __future__ import annotations

import numpy as np
import pytest

from lfdfp.errors import SettingsError
from lfdfp.simulation import make_scene
from lfdfp.simulation.chart import chart_fields


def test_the_fields_reach_from_the_dark_to_beyond_white() -> None:
    fields = chart_fields()
    assert fields.shape == (6, 6, 3)
    assert np.ptp(fields[3:], axis=-1).max() == 0  # grays
    assert (np.diff(fields[3:5, :, 0].ravel()) < 0).all()
    assert fields[5].min() >= 1
    assert np.ptp(fields[:3], axis=-1).min() > 0.02  # colors


def test_every_field_is_seen_where_it_is() -> None:
    size = 60.0, 72.0
    scene = make_scene("chart", size, seed=3)
    y, x = (np.array([((k + 0.5) / 6 - 0.5) * n for k in range(6)]) for n in size)
    rows, columns = np.meshgrid(y, x, indexing="ij")
    np.testing.assert_allclose(scene.radiance(rows, columns, 0.0, 0.0), chart_fields(), rtol=1e-5)


def test_the_chart_chooses_its_own_plane() -> None:
    with pytest.raises(SettingsError, match="'chart' has disparities of its own"):
        make_scene("chart", (40.0, 40.0), seed=1, disparities=[0.1])
