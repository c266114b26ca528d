"""Scenes of photographs: what cameras see, where painted shapes may flatter a method.

The pictures come with the package scikit-image; nothing is downloaded. `docs/simulator.md` names
their authors and licences. Every scene repeats its pictures, mirrored, until they cover the
field with about two texels per view pixel, except ``motorcycle``, which is stretched over it: a
photograph with measured depth (a stereo pair of Middlebury's 2014 benchmark).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np

from lfdfp.datatypes import ROW_STEP_PITCHES, FloatArray
from lfdfp.errors import SettingsError
from lfdfp.imaging.display import decode_srgb
from lfdfp.simulation.depth_layers import layers_from_depth
from lfdfp.simulation.layers import Layer
from lfdfp.simulation.names import PhotographicScene
from lfdfp.simulation.scene import Scene, corner_frame, even_disparity

_TEXELS_PER_PITCH = 2.0 / ROW_STEP_PITCHES
NEAR, FAR = -0.4, 0.33
"""Disparities, in pitches per raw pixel, between which photographic scenes lie."""
_MARGIN_PITCH = 6.0

_Field: TypeAlias = tuple[float, float]
_Layers: TypeAlias = tuple[Layer, ...]


def photographic_scene(
    name: PhotographicScene, field_pitch: tuple[float, float], *, seed: int
) -> Scene:
    """A scene of photographs.

    Parameters
    ----------
    name
        Which one; `docs/simulator.md` describes them.
    field_pitch
        (rows, columns) of the field of view in lenslet pitches: `CameraModel.field_pitch`.
    seed
        Chooses disparities, outlines and which part of a picture is seen.

    Raises
    ------
    SettingsError
        For an unknown name, or an installation of scikit-image without its pictures.
    """
    if name not in _BUILDERS:
        raise SettingsError(f"unknown scene {name!r}; known are {', '.join(_BUILDERS)}")
    rng = np.random.default_rng(seed)
    return Scene(layers=_BUILDERS[name](rng, field_pitch), field_pitch=field_pitch, name=name)


def bundled_picture(name: str) -> FloatArray:
    """A picture that scikit-image ships, by file name; linear sRGB, shape (rows, columns, 3).

    Raises
    ------
    SettingsError
        Where it is missing.
    """
    from PIL import Image

    with Image.open(_bundled_file(name), formats=("PNG", "JPEG")) as image:
        encoded = np.asarray(image.convert("RGB"), np.float32)
    return decode_srgb(np.asarray(encoded, np.float32) / np.float32(255))


def _bundled_file(name: str) -> Path:
    import skimage

    path = Path(skimage.__file__).parent / "data" / name
    if not path.is_file():
        raise SettingsError(
            f"scene needs {name}, which this installation of scikit-image lacks: "
            "pip install --force-reinstall scikit-image"
        )
    return path


def _motorcycle(rng: np.random.Generator, field: _Field) -> _Layers:
    """A motorcycle in a garage; measured depth, cut into layers."""
    del rng
    with np.load(_bundled_file("motorcycle_disp.npz")) as file:
        measured = file["arr_0"].astype(np.float32)
    picture = _upright_part(bundled_picture("motorcycle_left.png"), field)
    measured = _upright_part(measured, field)
    known = np.isfinite(measured) & (measured > 0)
    nearest, farthest = np.quantile(measured[known], (0.998, 0.002))
    share = np.clip((measured - farthest) / (nearest - farthest), 0, 1)
    disparity = np.where(known, FAR + (NEAR - FAR) * share, np.nan).astype(np.float32)
    return layers_from_depth(picture, disparity, field, count=7)


def _upright_part(picture: FloatArray, field: _Field) -> FloatArray:
    """The middle of a picture with the field's aspect."""
    rows, columns = picture.shape[:2]
    height = min(rows, round(columns * field[0] / field[1]))
    width = min(columns, round(rows * field[1] / field[0]))
    top, left = (rows - height) // 2, (columns - width) // 2
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


def _portrait(rng: np.random.Generator, field: _Field) -> _Layers:
    """An astronaut and a cat on cards before a brick wall."""
    near, middle, far = _spread(rng, 3)
    return (
        _card(rng, field, "astronaut.png", near, share=0.16),
        _card(rng, field, "chelsea.png", middle, share=0.25),
        _wall(rng, field, "brick.png", far, tint=(1.0, 0.62, 0.45)),
    )


def _foliage(rng: np.random.Generator, field: _Field) -> _Layers:
    """Blades of grass before grass before gravel: fine detail with many holes."""
    near, middle, far = _spread(rng, 3)
    green = (0.55, 1.0, 0.3)
    return (
        _sieve(rng, field, "grass.png", near, share=0.25, tint=green),
        _sieve(rng, field, "grass.png", middle, share=0.45, tint=(0.8, 1.0, 0.35)),
        _wall(rng, field, "gravel.png", far, tint=(1.0, 0.9, 0.75)),
    )


def _page(rng: np.random.Generator, field: _Field) -> _Layers:
    """A printed page that leans away, and a card with text before it."""
    near, far = _spread(rng, 2)
    lean = far + np.array([[0.12, 0.12], [-0.12, -0.12]], np.float32)
    return (
        _card(rng, field, "text.png", near, share=0.1),
        _wall(rng, field, "page.png", lean),
    )


def _tissue(rng: np.random.Generator, field: _Field) -> _Layers:
    """Stained tissue all over, slightly tilted: saturated colors, no plain area."""
    (middle,) = _spread(rng, 1)
    lean = middle + np.array([[-0.08, 0.03], [-0.03, 0.08]], np.float32)
    return (_wall(rng, field, "ihc.png", lean),)


def _night_sky(rng: np.random.Generator, field: _Field) -> _Layers:
    """Stars and galaxies above the outline of dark ground."""
    near, far = _spread(rng, 2)
    ground = _wall(rng, field, "grass.png", near, light=0.02)
    texture = ground.texture.copy()
    rows, columns = texture.shape[:2]
    ridge = 0.8 + 0.04 * np.cumsum(rng.standard_normal(columns)) / np.sqrt(columns)
    above = np.arange(rows)[:, None] < ridge * rows
    texture *= ~above[..., None]
    return (
        Layer(
            texture=texture,
            texture_frame=ground.texture_frame,
            disparity=ground.disparity,
            disparity_frame=ground.disparity_frame,
        ),
        _wall(rng, field, "hubble_deep_field.jpg", far, light=0.8),
    )


def _lamps(rng: np.random.Generator, field: _Field) -> _Layers:
    """A rocket and its tower at dusk, and lamps up to six times as bright as the sensor's white."""
    near, middle, far = _spread(rng, 3)
    return (
        _card(rng, field, "rocket.jpg", near, share=0.15, light=2.0),
        _bright_discs(rng, field, middle),
        _wall(rng, field, "rocket.jpg", far, light=2.0),
    )


def _bright_discs(rng: np.random.Generator, field: _Field, disparity: float) -> Layer:
    """Lamps of 0.3 to 1.5 pitches, 1.5 to 6 times as bright as the sensor's white."""
    import cv2

    rows, columns = (int(np.ceil(n * _TEXELS_PER_PITCH)) for n in field)
    opacity = np.zeros((rows, columns), np.uint8)
    light = np.zeros((rows, columns, 3), np.float32)
    for _ in range(max(6, int(field[0] * field[1] / 150))):
        center = int(rng.integers(0, columns)), int(rng.integers(0, rows))
        radius = max(1, round(rng.uniform(0.3, 1.5) * _TEXELS_PER_PITCH))
        color = rng.uniform(1.5, 6.0) * np.array([1.0, rng.uniform(0.7, 1), rng.uniform(0.4, 1)])
        cv2.circle(light, center, radius + 2, color.tolist(), -1)
        cv2.circle(opacity, center, radius, 255, -1, cv2.LINE_AA)
    return _surface(field, light, (opacity / 255).astype(np.float32), disparity)


def _low_light(rng: np.random.Generator, field: _Field) -> _Layers:
    """A table with coffee and a cat, at a twentieth of the usual light."""
    near, middle, far = _spread(rng, 3)
    return (
        _card(rng, field, "chelsea.png", near, share=0.15, light=0.05),
        _card(rng, field, "coffee.png", middle, share=0.3, light=0.05),
        _wall(rng, field, "brick.png", far, light=0.05),
    )


def _nearly_black(rng: np.random.Generator, field: _Field) -> _Layers:
    """Little but black: parts of a rocket, and stars."""
    near, far = _spread(rng, 2)
    return (
        _card(rng, field, "rocket.jpg", near, share=0.15, light=0.7, black=0.05),
        _wall(rng, field, "hubble_deep_field.jpg", far, light=0.7, black=0.03),
    )


def _nearly_flat(rng: np.random.Generator, field: _Field) -> _Layers:
    """The moon's ground in fog: hardly any contrast."""
    near, far = _spread(rng, 2)
    return (
        _card(rng, field, "moon.png", near, share=0.2, contrast=0.08),
        _wall(rng, field, "moon.png", far, contrast=0.08),
    )


_BUILDERS: dict[str, Callable[[np.random.Generator, _Field], _Layers]] = {
    "motorcycle": _motorcycle,
    "portrait": _portrait,
    "foliage": _foliage,
    "page": _page,
    "tissue": _tissue,
    "night-sky": _night_sky,
    "lamps": _lamps,
    "low-light": _low_light,
    "nearly-black": _nearly_black,
    "nearly-flat": _nearly_flat,
}


def _spread(rng: np.random.Generator, count: int) -> list[float]:
    """Disparities of planes, front first, one in each of `count` equal parts of the range."""
    part = (FAR - NEAR) / count
    return [float(NEAR + part * (n + rng.uniform(0.2, 0.8))) for n in range(count)]


def _covering(
    rng: np.random.Generator,
    field: _Field,
    name: str,
    *,
    light: float = 1.0,
    black: float = 0.0,
    contrast: float = 1.0,
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> FloatArray:
    """A picture repeated over the field and a margin, each time mirrored.

    Parameters
    ----------
    light
        Factor on the light.
    black
        Light that is taken off first: what is darker is black.
    contrast
        1 leaves the picture, less draws it towards its mean.
    tint
        Factors on red, green and blue.
    """
    picture = np.maximum(bundled_picture(name) - np.float32(black), 0)
    mean = picture.mean(axis=(0, 1))
    picture = (mean + contrast * (picture - mean)) * np.float32(light) * np.array(tint)
    rows, columns = (int(np.ceil((n + 2 * _MARGIN_PITCH) * _TEXELS_PER_PITCH)) for n in field)
    tall = [int(np.ceil(n / m)) + 1 for n, m in zip((rows, columns), picture.shape, strict=False)]
    block = np.concatenate([picture, picture[::-1]], axis=0)
    block = np.concatenate([block, block[:, ::-1]], axis=1)
    top, left = (int(rng.integers(0, n)) for n in picture.shape[:2])
    repeated = np.tile(block, ((tall[0] + 1) // 2 + 1, (tall[1] + 1) // 2 + 1, 1))
    return np.asarray(repeated[top : top + rows, left : left + columns], np.float32)


def _surface(
    field: _Field, rgb: FloatArray, opacity: FloatArray, disparity: float | FloatArray
) -> Layer:
    texture = np.dstack([rgb * opacity[..., None], opacity]).astype(np.float32)
    first = [-(n - 1) / 2 / _TEXELS_PER_PITCH for n in opacity.shape]
    values = even_disparity(disparity) if isinstance(disparity, float) else disparity
    return Layer(
        texture=np.ascontiguousarray(texture),
        texture_frame=(first[0], first[1], _TEXELS_PER_PITCH, _TEXELS_PER_PITCH),
        disparity=np.ascontiguousarray(values, np.float32),
        disparity_frame=corner_frame(field),
    )


def _wall(
    rng: np.random.Generator,
    field: _Field,
    name: str,
    disparity: float | FloatArray,
    *,
    light: float = 1.0,
    black: float = 0.0,
    contrast: float = 1.0,
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Layer:
    """A picture over the whole field."""
    rgb = _covering(rng, field, name, light=light, black=black, contrast=contrast, tint=tint)
    return _surface(field, rgb, np.ones(rgb.shape[:2], np.float32), disparity)


def _card(
    rng: np.random.Generator,
    field: _Field,
    name: str,
    disparity: float,
    *,
    share: float,
    light: float = 1.0,
    black: float = 0.0,
    contrast: float = 1.0,
) -> Layer:
    """A picture cut to turned rectangles and ellipses over about `share` of the field."""
    import cv2

    rgb = _covering(rng, field, name, light=light, black=black, contrast=contrast)
    rows, columns = rgb.shape[:2]
    opacity = np.zeros((rows, columns), np.uint8)
    while opacity.mean() < 255 * share:
        center = int(rng.integers(0, columns)), int(rng.integers(0, rows))
        half = rng.uniform(0.08, 0.25, 2) * min(rows, columns)
        angle = float(rng.uniform(0, 180))
        if rng.random() < 0.5:
            axes = int(half[0]), int(half[1])
            cv2.ellipse(opacity, center, axes, angle, 0, 360, 255, -1, cv2.LINE_AA)
        else:
            size = float(2 * half[0]), float(2 * half[1])
            corners = cv2.boxPoints((tuple(map(float, center)), size, angle))
            cv2.fillConvexPoly(opacity, corners.astype(np.int32), 255, cv2.LINE_AA)
    return _surface(field, rgb, (opacity / 255).astype(np.float32), disparity)


def _sieve(
    rng: np.random.Generator,
    field: _Field,
    name: str,
    disparity: float,
    *,
    share: float,
    tint: tuple[float, float, float],
) -> Layer:
    """A picture of which only the brightest `share` is there."""
    import cv2

    rgb = _covering(rng, field, name, tint=tint)
    light = cv2.GaussianBlur(rgb.mean(axis=2), (0, 0), 1.5)
    edge, spread = np.quantile(light, 1 - share), light.std()
    opacity = np.clip(0.5 + 3 * (light - edge) / max(float(spread), 1e-6), 0, 1)
    return _surface(field, rgb, opacity.astype(np.float32), disparity)
