"""Scenes by name, painted from a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, cast, get_args

import numpy as np

from lfdfp.datatypes import ROW_STEP_PITCHES, FloatArray
from lfdfp.errors import SettingsError
from lfdfp.simulation.chart import chart_layers
from lfdfp.simulation.layers import Layer
from lfdfp.simulation.names import PhotographicScene, ScenePreset
from lfdfp.simulation.painting_kernels import SHAPE_DTYPE, paint_shapes
from lfdfp.simulation.photographs import photographic_scene
from lfdfp.simulation.scene import Scene, corner_frame, even_disparity
from lfdfp.simulation.textures import (
    TextureStyle,
    dead_leaves,
    matte,
    palette,
    premultiplied,
)

TEXELS_PER_PITCH = 6.0 / ROW_STEP_PITCHES
"""Six texels per view pixel: what the x4 grid can show, and a little more."""

_MARGIN_PITCH = 6.0
_Field: TypeAlias = tuple[float, float]
_Frame: TypeAlias = tuple[float, float, float, float]
_Disparities: TypeAlias = tuple[float, ...]
_Layers: TypeAlias = tuple[Layer, ...]


def make_scene(
    preset: ScenePreset,
    field_pitch: tuple[float, float],
    *,
    seed: int,
    disparities: Sequence[float] | None = None,
) -> Scene:
    """A scene from a seed.

    Parameters
    ----------
    preset
        `layers` (a far plane and two layers of leaves in front), `plane`, `slanted`, `curved`,
        `thin` (wires), `specular`, `flat` (hardly any texture), `mix` (one of these), `chart`
        (colors and grays), or a scene of photographs (`lfdfp.simulation.photographs`).
    field_pitch
        (rows, columns) of the field of view in lenslet pitches: `CameraModel.field_pitch`.
    disparities
        Of the layers, front first, in pitches per raw pixel (near is negative); by default drawn
        from the seed. Photographic scenes and the chart take none.

    Raises
    ------
    SettingsError
        For an unknown preset, or a number of disparities that does not fit it.
    """
    if preset not in get_args(ScenePreset):
        known = ", ".join(get_args(ScenePreset))
        raise SettingsError(f"unknown scene {preset!r}; known are {known}")
    if preset in (*get_args(PhotographicScene), "chart") and disparities is not None:
        raise SettingsError(f"scene {preset!r} has disparities of its own")
    if preset == "chart":
        layers = chart_layers(np.random.default_rng(seed), field_pitch)
        return Scene(layers=layers, field_pitch=field_pitch, name=preset)
    if preset in get_args(PhotographicScene):
        return photographic_scene(cast(PhotographicScene, preset), field_pitch, seed=seed)
    rng = np.random.default_rng(seed)
    chosen_preset = _MIXED[int(rng.integers(len(_MIXED)))] if preset == "mix" else preset
    drawn = _draw_disparities(rng, chosen_preset)
    if disparities is not None and len(disparities) != len(drawn):
        raise SettingsError(
            f"scene {preset!r} takes {len(drawn)} disparities, got {len(disparities)}"
        )
    chosen = tuple(drawn if disparities is None else disparities)
    layers = _BUILDERS[chosen_preset](rng, field_pitch, chosen)
    return Scene(layers=layers, field_pitch=field_pitch, name=chosen_preset)


_RANGES: dict[str, tuple[tuple[float, float], ...]] = {
    "layers": ((-0.42, -0.2), (-0.12, 0.1), (0.17, 0.38)),
    "plane": ((-0.3, 0.3),),
    "slanted": ((-0.4, -0.25), (-0.2, 0.2)),
    "curved": ((-0.4, -0.25), (-0.05, 0.15)),
    "thin": ((-0.45, -0.2), (-0.15, 0.05), (0.12, 0.38)),
    "specular": ((-0.35, -0.2), (0.15, 0.35)),
    "flat": ((-0.35, -0.15), (0.1, 0.3)),
}
_MIXED = tuple(_RANGES)


def _draw_disparities(rng: np.random.Generator, preset: str) -> list[float]:
    return [float(rng.uniform(*limits)) for limits in _RANGES[preset]]


def _layers(rng: np.random.Generator, field: _Field, disparities: _Disparities) -> _Layers:
    near, middle, far = disparities
    return (
        _cutout(rng, field, near, share=0.16),
        _cutout(rng, field, middle, share=0.3),
        _backdrop(rng, field, even_disparity(far)),
    )


def _plane(rng: np.random.Generator, field: _Field, disparities: _Disparities) -> _Layers:
    return (_backdrop(rng, field, even_disparity(disparities[0])),)


def _slanted(rng: np.random.Generator, field: _Field, disparities: _Disparities) -> _Layers:
    """A floor that comes nearer from top to bottom, and things that stand before it."""
    near, middle = disparities
    tilt = rng.uniform(0.1, 0.16), rng.uniform(-0.08, 0.08)
    corners = np.array([[tilt[0] - tilt[1], sum(tilt)], [-sum(tilt), tilt[1] - tilt[0]]])
    floor = _backdrop(rng, field, (middle + corners).astype(np.float32))
    lean = (near + 0.3 * corners.T).astype(np.float32)
    return (_cutout(rng, field, near, share=0.12, disparity_field=lean), floor)


def _curved(rng: np.random.Generator, field: _Field, disparities: _Disparities) -> _Layers:
    """A wavy backdrop with a round thing in front."""
    near, middle = disparities
    waves, frame = _waves(rng, field, 0.14)
    bulge, _ = _waves(rng, field, 0.05)
    return (
        _cutout(rng, field, near, share=0.2, disparity_field=near + bulge, frame=frame),
        _backdrop(rng, field, middle + waves, frame),
    )


def _thin(rng: np.random.Generator, field: _Field, disparities: _Disparities) -> _Layers:
    """Wires in front of leaves in front of a backdrop."""
    near, middle, far = disparities
    return (
        _wires(rng, field, near),
        _cutout(rng, field, middle, share=0.2),
        _backdrop(rng, field, even_disparity(far)),
    )


def _specular(rng: np.random.Generator, field: _Field, disparities: _Disparities) -> _Layers:
    """Glossy things: their highlights lie behind the surface, and some of them saturate."""
    near, far = disparities
    surfaces = (
        _cutout(rng, field, near, share=0.3),
        _backdrop(rng, field, even_disparity(far)),
    )
    glows = (
        _highlights(rng, field, near + rng.uniform(0.15, 0.3), surfaces[0]),
        _highlights(rng, field, far + rng.uniform(0.15, 0.3), surfaces[1]),
    )
    return (glows[0], surfaces[0], glows[1], surfaces[1])


def _flat(rng: np.random.Generator, field: _Field, disparities: _Disparities) -> _Layers:
    """Large even areas with few edges."""
    style = TextureStyle(
        smallest=60.0, largest=400.0, patterned=0.02, roughness=0.1, flat_share=0.8
    )
    near, far = disparities
    return (
        _cutout(rng, field, near, share=0.2, style=style),
        _backdrop(rng, field, even_disparity(far), style=style),
    )


_BUILDERS: dict[str, Callable[[np.random.Generator, _Field, _Disparities], _Layers]] = {
    "layers": _layers,
    "plane": _plane,
    "slanted": _slanted,
    "curved": _curved,
    "thin": _thin,
    "specular": _specular,
    "flat": _flat,
}


def _canvas(field: _Field) -> tuple[tuple[int, int], _Frame]:
    """Texels of a texture that covers the field and a margin, and where they lie."""
    rows, columns = (int(np.ceil((n + 2 * _MARGIN_PITCH) * TEXELS_PER_PITCH)) for n in field)
    first = [-(n - 1) / 2 / TEXELS_PER_PITCH for n in (rows, columns)]
    return (rows, columns), (first[0], first[1], TEXELS_PER_PITCH, TEXELS_PER_PITCH)


def _backdrop(
    rng: np.random.Generator,
    field: _Field,
    disparity: FloatArray,
    frame: _Frame | None = None,
    *,
    style: TextureStyle | None = None,
) -> Layer:
    shape, texture_frame = _canvas(field)
    rgb = dead_leaves(rng, shape, style or TextureStyle())
    return Layer(
        texture=premultiplied(rgb, np.ones(shape, np.float32)),
        texture_frame=texture_frame,
        disparity=disparity,
        disparity_frame=frame or corner_frame(field),
    )


def _cutout(
    rng: np.random.Generator,
    field: _Field,
    disparity: float,
    *,
    share: float,
    disparity_field: FloatArray | None = None,
    frame: _Frame | None = None,
    style: TextureStyle | None = None,
) -> Layer:
    shape, texture_frame = _canvas(field)
    size = min(shape)
    opacity = matte(rng, shape, share=share, smallest=0.05 * size, largest=0.3 * size)
    rgb = dead_leaves(rng, shape, style or TextureStyle())
    given = even_disparity(disparity) if disparity_field is None else disparity_field
    return Layer(
        texture=premultiplied(rgb, opacity),
        texture_frame=texture_frame,
        disparity=np.asarray(given, np.float32),
        disparity_frame=frame or corner_frame(field),
    )


def _wires(rng: np.random.Generator, field: _Field, disparity: float) -> Layer:
    """Strings side by side, and a few crossing wires, 0.15 to 0.8 pitches thick."""
    shape, frame = _canvas(field)
    count = max(6, int(field[1] / 9))
    wires = np.zeros(count, SHAPE_DTYPE)
    strings = np.arange(count) < 2 * count // 3
    lean = rng.uniform(-0.5, 0.5)
    angle = np.where(strings, lean, rng.uniform(0, 2 * np.pi, count))
    wires["row"] = rng.uniform(0, 1, count) * shape[0]
    wires["column"] = np.where(strings, (np.arange(count) + 0.5) * 1.5 / count, rng.random(count))
    wires["column"] *= shape[1]
    wires["cos"], wires["sin"] = np.cos(angle), np.sin(angle)
    wires["outline"] = 1
    wires["half_height"] = 2.0 * max(shape)
    wires["half_width"] = rng.uniform(0.075, 0.4, count) * TEXELS_PER_PITCH
    wires["color"] = palette(rng, count, 0.4)
    wires["other_color"] = palette(rng, count, 0.4)
    wires["pattern"], wires["frequency"] = 2, 0.05
    rgb, opacity = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32)
    paint_shapes(wires, rgb, opacity)
    return Layer(
        texture=premultiplied(_filled(rgb, opacity), opacity),
        texture_frame=frame,
        disparity=even_disparity(disparity),
        disparity_frame=corner_frame(field),
    )


def _filled(rgb: FloatArray, opacity: FloatArray) -> FloatArray:
    """Undo the mixing with the black canvas at antialiased borders."""
    return np.asarray(rgb / np.maximum(opacity, 1e-3)[..., None], np.float32)


def _highlights(rng: np.random.Generator, field: _Field, disparity: float, surface: Layer) -> Layer:
    """Reflected lamps: light without a body, brighter than the sensor's white at some places.

    They are virtual images behind the `surface` that they are seen in, and end at its outline
    (exactly so in the center view).
    """
    shape, frame = _canvas(field)
    count = max(4, int(field[0] * field[1] / 250))
    lamps = np.zeros(count, SHAPE_DTYPE)
    lamps["row"], lamps["column"] = rng.random(count) * shape[0], rng.random(count) * shape[1]
    lamps["half_height"] = rng.uniform(0.25, 1.6, count) * TEXELS_PER_PITCH
    lamps["half_width"] = rng.uniform(0.25, 1.6, count) * TEXELS_PER_PITCH
    lamps["cos"] = 1.0
    lamps["color"] = np.exp(rng.uniform(np.log(0.15), np.log(3.0), (count, 1)))
    rgb = np.zeros((*shape, 3), np.float32)
    paint_shapes(lamps, rgb, np.zeros(shape, np.float32))
    glow = premultiplied(rgb, np.ones(shape, np.float32))
    glow *= surface.texture[..., 3:]
    glow[..., 3] = 0
    return Layer(
        texture=glow,
        texture_frame=frame,
        disparity=even_disparity(disparity),
        disparity_frame=corner_frame(field),
    )


def _waves(rng: np.random.Generator, field: _Field, height: float) -> tuple[FloatArray, _Frame]:
    """A smooth disparity field of about +-`height`, one sample per two pitches."""
    y, x = (np.linspace(-0.5, 0.5, max(8, int(n / 2))) for n in field)
    total = np.zeros((len(y), len(x)))
    for strength in (0.6, 0.4):
        fy, fx = rng.uniform(0.5, 1.6, 2) * rng.choice([-1, 1], 2)
        phase = rng.uniform(0, 2 * np.pi)
        total += strength * np.sin(2 * np.pi * (fy * y[:, None] + fx * x) + phase)
    frame = (-field[0] / 2, -field[1] / 2, (len(y) - 1) / field[0], (len(x) - 1) / field[1])
    return np.asarray(height * total, np.float32), frame
