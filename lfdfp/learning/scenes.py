"""Scenes to learn from: drawn at random, of all kinds, and no photograph among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from lfdfp.datatypes import ROW_STEP_PITCHES, FloatArray
from lfdfp.simulation.layers import Layer
from lfdfp.simulation.painting_kernels import SHAPE_DTYPE, paint_shapes
from lfdfp.simulation.scene import Scene, corner_frame
from lfdfp.simulation.textures import (
    TextureStyle,
    dead_leaves,
    matte,
    palette,
    pink_noise,
    premultiplied,
)
from lfdfp.super_resolution.random_shapes import picture_of_shapes

_MARGIN_PITCH = 6.0
_TEXELS_PER_VIEW_PX = (2.0, 7.0)
_NEAREST, _FARTHEST = -0.45, 0.42
_MOST_LAYERS = 4
_DARKEST_EXPOSURE = 0.04

_THEME_SHARES = (0.78, 0.1, 0.12)
_WELL_EXPOSED_SHARE = 0.6

_Field: TypeAlias = tuple[float, float]
_Shape: TypeAlias = tuple[int, int]
_Kinds: TypeAlias = tuple[tuple[Callable[[np.random.Generator, _Shape], FloatArray], float], ...]


def training_scene(field_pitch: _Field, rng: np.random.Generator) -> Scene:
    """One to four surfaces of random textures, front first, under random light.

    Most scenes mix all kinds of textures; some are calm all over, some dark.
    """
    count = int(rng.choice(np.arange(1, _MOST_LAYERS + 1), p=(0.3, 0.3, 0.25, 0.15)))
    disparities = np.sort(rng.uniform(_NEAREST, _FARTHEST, count))
    kinds = (_ALL, _CALM, _DARK)[int(rng.choice(3, p=_THEME_SHARES))]
    darkest = 1.0 if rng.random() < _WELL_EXPOSED_SHARE else _DARKEST_EXPOSURE
    exposure = float(np.exp(rng.uniform(np.log(darkest), 0)))
    layers = tuple(
        _surface(rng, field_pitch, float(disparity), kinds, exposure, opaque=number == count - 1)
        for number, disparity in enumerate(disparities)
    )
    return Scene(layers=layers, field_pitch=field_pitch, name="drawn to learn from")


def _surface(
    rng: np.random.Generator,
    field: _Field,
    disparity: float,
    kinds: _Kinds,
    exposure: float,
    *,
    opaque: bool,
) -> Layer:
    per_pitch = float(rng.uniform(*_TEXELS_PER_VIEW_PX)) / ROW_STEP_PITCHES
    rows, columns = (int(np.ceil((n + 2 * _MARGIN_PITCH) * per_pitch)) for n in field)
    shape = (rows, columns)
    rgb = _texture(rng, shape, kinds) * np.float32(exposure)
    opacity = np.ones(shape, np.float32) if opaque else _outline(rng, shape, per_pitch)
    return Layer(
        texture=premultiplied(rgb, opacity),
        texture_frame=(
            -(rows - 1) / 2 / per_pitch,
            -(columns - 1) / 2 / per_pitch,
            per_pitch,
            per_pitch,
        ),
        disparity=_relief(rng, disparity),
        disparity_frame=_relief_frame(field),
    )


def _relief(rng: np.random.Generator, disparity: float) -> FloatArray:
    """A disparity field of 9 x 9 samples: even, leaning, or wavy."""
    y, x = np.mgrid[-0.5:0.5:9j, -0.5:0.5:9j]
    kind = rng.random()
    total = np.full((9, 9), disparity)
    if kind > 0.5:
        total = total + rng.uniform(-0.15, 0.15) * y + rng.uniform(-0.15, 0.15) * x
    if kind > 0.75:
        phase, (fy, fx) = rng.uniform(0, 2 * np.pi), rng.uniform(-1.2, 1.2, 2)
        total = total + rng.uniform(0, 0.07) * np.sin(2 * np.pi * (fy * y + fx * x) + phase)
    return np.asarray(total, np.float32)


def _relief_frame(field: _Field) -> tuple[float, float, float, float]:
    top, left, *_ = corner_frame(field)
    return (top, left, 8 / field[0], 8 / field[1])


def _outline(rng: np.random.Generator, shape: _Shape, per_pitch: float) -> FloatArray:
    """Opacity: leaves with holes, or wires."""
    if rng.random() < 0.3:
        return _wires(rng, shape, per_pitch)
    size = min(shape)
    smallest = float(rng.uniform(0.02, 0.08)) * size
    return matte(
        rng, shape, share=float(rng.uniform(0.08, 0.4)), smallest=smallest, largest=0.3 * size
    )


def _wires(rng: np.random.Generator, shape: _Shape, per_pitch: float) -> FloatArray:
    count = int(rng.integers(3, 12))
    wires = np.zeros(count, SHAPE_DTYPE)
    angle = rng.uniform(0, np.pi) + np.where(rng.random(count) < 0.7, 0.0, rng.uniform(0, 3, count))
    wires["row"], wires["column"] = rng.random(count) * shape[0], rng.random(count) * shape[1]
    wires["cos"], wires["sin"] = np.cos(angle), np.sin(angle)
    wires["outline"] = 1
    wires["half_height"] = 2.0 * max(shape)
    wires["half_width"] = rng.uniform(0.075, 0.5, count) * per_pitch
    opacity = np.zeros(shape, np.float32)
    paint_shapes(wires, np.zeros((*shape, 3), np.float32), opacity)
    return opacity


def _texture(rng: np.random.Generator, shape: _Shape, kinds: _Kinds) -> FloatArray:
    """Linear RGB, shape (rows, columns, 3), of one of several kinds, often in uneven light."""
    share = np.array([share for _, share in kinds])
    kind, _ = kinds[int(rng.choice(len(kinds), p=share / share.sum()))]
    rgb = kind(rng, shape)
    if rng.random() < 0.5:
        light = np.exp(0.5 * rng.random() * _smooth(rng, shape))
        rgb = rgb * light[..., None]
    return np.asarray(np.clip(rgb, 0.0, 1.0), np.float32)


def _leaves(rng: np.random.Generator, shape: _Shape) -> FloatArray:
    smallest = float(np.exp(rng.uniform(np.log(2.5), np.log(40))))
    style = TextureStyle(
        smallest=smallest,
        largest=smallest * float(rng.uniform(4, 40)),
        patterned=float(rng.choice([0.0, 0.1, 0.4])),
        roughness=float(rng.uniform(0.0, 0.6)),
        flat_share=float(rng.uniform(0.0, 0.9)),
        saturation=float(rng.uniform(0.0, 1.0)),
    )
    return dead_leaves(rng, shape, style)


def _shapes(rng: np.random.Generator, shape: _Shape) -> FloatArray:
    """Gray shapes, lines and letters, each gray a color."""
    gray = picture_of_shapes(max(shape), rng)[: shape[0], : shape[1]]
    return _tinted(rng, gray**2.2)


def _text(rng: np.random.Generator, shape: _Shape) -> FloatArray:
    """Lines of letters on paper, or light on dark."""
    import cv2

    page = np.zeros(shape, np.uint8)
    size = float(rng.uniform(0.25, 0.9))
    font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX]))
    letters = list("abcdefghijklmnopqrstuvwxyz      ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:")
    row = 0.0
    while row < shape[0] + 40:
        words = "".join(rng.choice(letters, 60))
        place = (int(rng.integers(-20, 20)), int(row))
        width = int(rng.integers(1, 3))
        cv2.putText(page, words, place, font, size, 255, width, cv2.LINE_AA)
        row += 34 * size * rng.uniform(1.0, 1.4)
    paper, ink = palette(rng, 1, 0.2)[0] ** 0.3, palette(rng, 1, 0.5)[0] * 0.3
    rgb = paper + (ink - paper) * (page[..., None] / np.float32(255))
    return np.asarray(rgb[::-1] if rng.random() < 0.2 else rgb, np.float32)


def _grain(rng: np.random.Generator, shape: _Shape) -> FloatArray:
    """Fine texture all over: 1/f noise, strokes, or a weave."""
    import cv2

    kind = rng.random()
    if kind < 0.4:
        fine = pink_noise(rng, shape, float(rng.choice([4.0, 8.0, 32.0])))
    elif kind < 0.75:
        fine = rng.standard_normal(shape, np.float32)
        length, turn = int(rng.integers(3, 15)), rng.uniform(0, np.pi)
        kernel = np.zeros((15, 15), np.float32)
        along = 4 * length * np.array([np.cos(turn), np.sin(turn)])
        first, last = np.rint(56 - along).astype(int), np.rint(56 + along).astype(int)
        cv2.line(kernel, first.tolist(), last.tolist(), 1.0, 1, cv2.LINE_AA, 3)
        fine = np.asarray(cv2.filter2D(fine, -1, kernel), np.float32)
        fine = fine / np.float32(fine.std() + 1e-6)
    else:
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        fine = np.zeros(shape, np.float32)
        for _ in range(2):
            turn, period = rng.uniform(0, np.pi), rng.uniform(2.5, 14)
            fine += np.sin(2 * np.pi / period * (np.cos(turn) * y + np.sin(turn) * x))
        fine = fine * np.clip(_smooth(rng, shape) + 1, 0, 1)
    strength = float(rng.uniform(0.08, 0.7))
    base = palette(rng, 1, float(rng.random()))[0]
    other = _smooth(rng, shape)[..., None] * (palette(rng, 1, 0.7)[0] - base) * 0.3
    return np.asarray((base + other) * np.exp(strength * fine)[..., None], np.float32)


def _shading(rng: np.random.Generator, shape: _Shape) -> FloatArray:
    """Hardly more than smooth light on an even surface."""
    base = palette(rng, 1, float(rng.random()))[0]
    light = np.exp(rng.uniform(0.1, 0.8) * _smooth(rng, shape))
    fine = 1 + rng.choice([0.0, 0.01, 0.04]) * pink_noise(rng, shape, 16.0)
    return np.asarray(base * (light * fine)[..., None], np.float32)


def _dots(rng: np.random.Generator, shape: _Shape) -> FloatArray:
    """Small bright things on a dark ground."""
    count = int(shape[0] * shape[1] * np.exp(rng.uniform(np.log(2e-4), np.log(4e-3))))
    dots = np.zeros(max(count, 3), SHAPE_DTYPE)
    number = len(dots)
    dots["row"], dots["column"] = rng.random(number) * shape[0], rng.random(number) * shape[1]
    dots["half_height"] = np.exp(rng.uniform(np.log(0.6), np.log(5.0), number))
    dots["half_width"] = dots["half_height"] * rng.uniform(0.6, 1.6, number)
    dots["cos"] = 1.0
    dots["color"] = palette(rng, number, 0.6) ** 0.7
    ground = np.float32(np.exp(rng.uniform(np.log(5e-4), np.log(0.03))))
    rgb = np.full((*shape, 3), ground, np.float32)
    rgb *= np.exp(0.4 * _smooth(rng, shape))[..., None]
    paint_shapes(dots, rgb, np.ones(shape, np.float32))
    return rgb


def _gloom(rng: np.random.Generator, shape: _Shape) -> FloatArray:
    """Leaves or shapes in hardly any light."""
    painted = _leaves(rng, shape) if rng.random() < 0.6 else _shapes(rng, shape)
    return painted * np.float32(np.exp(rng.uniform(np.log(0.003), np.log(0.1))))


_ALL: _Kinds = (
    (_leaves, 0.36),
    (_shapes, 0.2),
    (_text, 0.1),
    (_grain, 0.22),
    (_shading, 0.06),
    (_dots, 0.06),
)
_CALM: _Kinds = ((_shading, 1.0),)
_DARK: _Kinds = ((_dots, 0.45), (_gloom, 0.4), (_leaves, 0.15))


def _tinted(rng: np.random.Generator, gray: FloatArray) -> FloatArray:
    """Grays as the way between three colors."""
    stops = palette(rng, 3, float(rng.random()))
    stops = stops[np.argsort(stops.sum(axis=1))]
    places = np.array([0.0, 0.3, 1.0])
    channels = [np.interp(gray, places, stops[:, c]) for c in range(3)]
    return np.asarray(np.stack(channels, axis=-1), np.float32)


def _smooth(rng: np.random.Generator, shape: _Shape) -> FloatArray:
    """A field that varies by about one over the whole of `shape`."""
    import cv2

    coarse = rng.standard_normal((6, 6), np.float32)
    grown = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(grown, np.float32)
