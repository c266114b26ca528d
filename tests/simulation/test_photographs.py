from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from lfdfp.errors import SettingsError
from lfdfp.simulation.names import PhotographicScene
from lfdfp.simulation.photographs import FAR, NEAR, bundled_picture, photographic_scene

_FIELD = (40.0, 44.0)


def _center_view(name: PhotographicScene, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    scene = photographic_scene(name, _FIELD, seed=seed)
    y, x = np.meshgrid(np.arange(-19.0, 19.0, 0.4), np.arange(-21.0, 21.0, 0.4), indexing="ij")
    return scene.radiance(y, x, 0.0, 0.0), scene.disparity(y, x)


@pytest.mark.parametrize("name", get_args(PhotographicScene))
def test_every_scene_covers_the_field_within_the_range(name: PhotographicScene) -> None:
    light, disparity = _center_view(name)
    assert np.isfinite(light).all()
    assert light.min() >= 0
    assert light.std() > 0.2 * light.mean() or name in ("nearly-flat", "page", "tissue")
    assert np.isfinite(disparity).all()
    assert disparity.min() >= NEAR - 0.15
    assert disparity.max() <= FAR + 0.15


@pytest.mark.slow
def test_scenes_are_what_their_names_say() -> None:
    light = {name: _center_view(name)[0] for name in get_args(PhotographicScene)}
    assert (light["lamps"] > 1.0).mean() > 0.005
    assert light["low-light"].mean() < 0.03
    assert np.median(light["nearly-black"]) < 0.01
    assert np.median(light["night-sky"]) < 0.02
    assert light["nearly-flat"].std() < 0.1 * light["nearly-flat"].mean()


def test_the_motorcycle_stands_before_its_garage() -> None:
    _, disparity = _center_view("motorcycle")
    middle, top = disparity[50:80, 35:70], disparity[:8]
    assert np.median(middle) < np.median(top) - 0.1


def test_a_seed_draws_the_same_scene_again_and_another_seed_another() -> None:
    first, again, other = (_center_view("portrait", seed)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 0.01


def test_pictures_that_are_missing_are_named() -> None:
    with pytest.raises(SettingsError, match=r"nothing\.png, which this installation"):
        bundled_picture("nothing.png")
    with pytest.raises(SettingsError, match="unknown scene 'beach'"):
        photographic_scene("beach", _FIELD, seed=0)  # type: ignore[arg-type]
