from __future__ import annotations

import numpy as np
import pytest

from lfdfp.datatypes import LightField
from lfdfp.errors import SettingsError
from lfdfp.refocusing import refocus
from lfdfp.refocusing.surface import refocus_on_surface, tilted_slopes
from tests.factories import textured_plane


def test_an_even_surface_is_a_plane() -> None:
    field, _ = textured_plane(0.4, angular=(5, 7))
    even = tilted_slopes(field, 0.27)
    np.testing.assert_allclose(refocus_on_surface(field, even), refocus(field, 0.27), atol=2e-4)


@pytest.mark.slow
def test_a_tilted_plane_is_sharp_all_over() -> None:
    """Disparity grows by 0.02 per column; the texture varies along rows alone."""
    t = np.arange(48, dtype=np.float64)[:, None]
    s = np.arange(40, dtype=np.float64)[None, :]
    disparity = 0.02 * (s - 19.5)
    views = np.empty((5, 5, 48, 40, 1), np.float32)
    for v, u in np.ndindex(5, 5):
        seen = np.broadcast_to(np.cos(0.9 * (t - disparity * (v - 2))), (48, 40))
        views[v, u, ..., 0] = 0.5 + 0.3 * seen
    views = views[:, 2:3]
    field = LightField(views=views, weights=np.ones(views.shape[:4], np.float32))
    picture = refocus_on_surface(field, tilted_slopes(field, 0.0, per_column=0.02))
    center = field.view(2, 0)
    np.testing.assert_allclose(picture[6:-6], center[6:-6], atol=2e-3)
    assert np.abs(refocus(field, 0.0) - center)[6:-6].max() > 0.02


def test_threads_change_nothing() -> None:
    field, _ = textured_plane(0.4, angular=(5, 7))
    slopes = tilted_slopes(field, 0.1, per_row=0.01)
    one = refocus_on_surface(field, slopes, threads=1)
    np.testing.assert_array_equal(refocus_on_surface(field, slopes, threads=3), one)


def test_slopes_that_do_not_fit_are_refused() -> None:
    field, _ = textured_plane(0.4, angular=(5, 7))
    with pytest.raises(SettingsError, match=r"finite and \(40, 48\), got \(3, 3\)"):
        refocus_on_surface(field, np.zeros((3, 3), np.float32))
