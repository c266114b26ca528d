"""How light fields, stacks and pictures show themselves: in notebooks, as plots, as data sets."""

from __future__ import annotations

import base64
import html
import io
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from lfdfp.datatypes import (
    DoubleArray,
    FloatArray,
    FocalStack,
    LightField,
    RayEvidence,
    SharpPicture,
    StackEvidence,
)
from lfdfp.errors import SettingsError
from lfdfp.report.maps import ByteImage, mean_index, screen_image

if TYPE_CHECKING:
    from types import ModuleType

Visible: TypeAlias = LightField | FocalStack | SharpPicture
_Variables: TypeAlias = "dict[str, tuple[str, FloatArray | None]]"

_THUMBNAIL_PX: Final = 320
_QUALITY: Final = 82
_DISPARITY: Final = "pixels per angular step"


def html_of(noun: Visible) -> str:
    """A thumbnail with the shapes of the arrays, as one piece of HTML that needs nothing else."""
    title, light = _main_picture(noun)
    rows = "".join(
        f"<tr><th style='text-align:left'>{name}</th><td style='text-align:left'>"
        f"{html.escape(told)}</td></tr>"
        for name, told in _parts(noun).items()
    )
    source = base64.b64encode(_thumbnail(screen_image(light))).decode("ascii")
    return (
        f"<div><b>{type(noun).__name__}</b><div style='display:flex;gap:1em;flex-wrap:wrap'>"
        f"<img alt='{title}' title='{title}' src='data:image/webp;base64,{source}'>"
        f"<table>{rows}</table></div></div>"
    )


def plot(noun: Visible, ax: Any = None) -> Any:
    """Draw on `ax` what is looked at first, or everything on a new figure.

    Raises
    ------
    SettingsError
        Where matplotlib is not installed.
    """
    title, light = _main_picture(noun)
    if ax is not None:
        _draw(ax, title, screen_image(light))
        return ax
    plt = _extra("matplotlib.pyplot", "plot")
    pictures, maps = _all_there_is(noun)
    count = len(pictures) + len(maps)
    columns = min(3, count)
    rows = -(-count // columns)
    shape = light.shape[0] / light.shape[1]
    figure, axes = plt.subplots(
        rows, columns, squeeze=False, layout="constrained", figsize=(4 * columns, 4 * rows * shape)
    )
    places = list(axes.flat)
    for place, (name, picture) in zip(places, pictures.items(), strict=False):
        _draw(place, name, screen_image(picture))
    for place, (name, (values, unit)) in zip(places[len(pictures) :], maps.items(), strict=False):
        drawn = _draw(place, name, values, cmap="viridis")
        figure.colorbar(drawn, ax=place, label=unit, shrink=0.8)
    for place in places[count:]:
        place.set_visible(False)
    return axes


def data_set(noun: Visible) -> Any:
    """An ``xarray.Dataset`` of all arrays, in linear light.

    Raises
    ------
    SettingsError
        Where xarray is not installed.
    """
    xarray = _extra("xarray", "xarray")
    coordinates: dict[str, DoubleArray] = {}
    if isinstance(noun, LightField):
        variables, coordinates = _variables_of_field(noun)
        history = noun.history
    elif isinstance(noun, FocalStack):
        variables, history = _variables_of_stack(noun), noun.history
        count = np.arange(len(noun.slices), dtype=np.float64)
        coordinates = {"n": count if noun.slopes is None else noun.slopes}
    else:
        variables, history = _variables_of(noun), noun.provenance.history
    return _named(xarray, variables, coordinates, {"history": list(history)})


def _variables_of_field(field: LightField) -> tuple[_Variables, dict[str, DoubleArray]]:
    (n_v, n_u), places = field.angular_shape, np.ndindex(field.angular_shape)
    light, weight = zip(*((field.view(*p), field.weight(*p)) for p in places), strict=True)
    variables: _Variables = {
        "views": ("v u t s c", np.stack(light).reshape(field.views.shape)),
        "weights": ("v u t s", np.stack(weight).reshape(field.weights.shape)),
    }
    v, u = (np.arange(n, dtype=np.float64) - n // 2 for n in (n_v, n_u))
    return variables, {"v": v, "u": u}


def _variables_of_stack(stack: FocalStack) -> _Variables:
    fine = stack.scale > 1
    return {
        "slices": (_fine("n t s c", fine), stack.slices),
        "coverage": (_fine("n t s", fine), stack.coverage),
        "reference_view": ("t s c", stack.reference_view),
        "focus_curves": ("n y x", stack.focus_curves),
        "focus_prior": ("n y x", stack.focus_prior),
    }


def _variables_of(picture: SharpPicture) -> _Variables:
    fine, depth, evidence = picture.scale > 1, picture.depth, picture.evidence
    variables: _Variables = {
        "all_in_focus": ("t s c", picture.all_in_focus),
        "super_resolved": (_fine("t s c", fine), picture.super_resolved),
    }
    if depth is not None:
        variables["disparity"] = "t s", depth.disparity
        variables["disparity_confidence"] = "t s", depth.confidence
        variables["fine_disparity"] = _fine("t s", fine), depth.fine_disparity
    if isinstance(evidence, StackEvidence):
        variables["decision_map"] = "n t s", evidence.decision_map
    if isinstance(evidence, RayEvidence):
        variables["observability"] = _fine("t s", fine), evidence.observability
        variables["standard_error"] = _fine("t s", fine), evidence.standard_error
    return variables


def _fine(axes: str, fine: bool) -> str:
    return axes.replace("t", "t_fine").replace(" s", " s_fine") if fine else axes


def _named(
    xarray: ModuleType,
    variables: _Variables,
    coordinates: dict[str, DoubleArray],
    attributes: dict[str, object],
) -> Any:
    """A data set of the variables that are there; the fine grid in pixels of the coarse one."""
    there = {name: (axes.split(), v) for name, (axes, v) in variables.items() if v is not None}
    sizes = {a: n for axes, v in there.values() for a, n in zip(axes, v.shape, strict=True)}
    for axis, size in sizes.items():
        coarse = sizes.get(axis.removesuffix("_fine"), size)
        place = np.arange(size, dtype=np.float64)
        if axis.endswith("_fine"):
            place = (place + 0.5) * coarse / size - 0.5
        coordinates = {axis: place} | coordinates
    return xarray.Dataset(there, coords=coordinates, attrs=attributes)


def _main_picture(noun: Visible) -> tuple[str, FloatArray]:
    """Title and linear light (T, S, C) of what is looked at first."""
    if isinstance(noun, LightField):
        return "center view", noun.view(*noun.center)
    if isinstance(noun, FocalStack):
        return "middle slice", noun.slices[len(noun.slices) // 2]
    return f"all in focus ×{noun.scale}", noun.super_resolved


def _all_there_is(
    noun: Visible,
) -> tuple[dict[str, FloatArray], dict[str, tuple[FloatArray, str]]]:
    """Pictures by title, and maps with their units."""
    title, light = _main_picture(noun)
    pictures: dict[str, FloatArray] = {title: light}
    maps: dict[str, tuple[FloatArray, str]] = {}
    if isinstance(noun, FocalStack):
        names = range(len(noun.slices)) if noun.slopes is None else np.round(noun.slopes, 3)
        pictures = {f"slice {name}": one for name, one in zip(names, noun.slices, strict=True)}
    elif isinstance(noun, SharpPicture):
        if noun.depth is not None:
            maps["disparity"] = noun.depth.disparity, _DISPARITY
        if isinstance(noun.evidence, RayEvidence):
            maps["observability"] = noun.evidence.observability, "share that was measured"
        if isinstance(noun.evidence, StackEvidence):
            maps["decision"] = mean_index(noun.evidence.decision_map), "slice"
    else:
        v = noun.center[0]
        pictures |= {"leftmost view": noun.view(v, 0), "rightmost view": noun.view(v, -1)}
    return pictures, maps


def _parts(noun: Any) -> dict[str, str]:
    """What the noun holds: arrays by shape and type, all else in a few words."""
    parts = {}
    for one in fields(noun):
        value = getattr(noun, one.name)
        if isinstance(value, np.ndarray):
            parts[one.name] = f"{' × '.join(map(str, value.shape))}, {value.dtype}"
        elif isinstance(value, tuple) and one.name in ("history", "warnings"):
            parts[one.name] = "; ".join(map(str, value)) or "none"
        elif isinstance(value, int | float | str):
            parts[one.name] = str(value)
    return parts


def _draw(ax: Any, title: str, picture: ByteImage | FloatArray, **how: Any) -> Any:
    drawn = ax.imshow(picture, **how)
    ax.set_title(title)
    ax.set_axis_off()
    return drawn


def _thumbnail(picture: ByteImage) -> bytes:
    from PIL import Image

    small = Image.fromarray(picture)
    small.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=_QUALITY)
    return buffer.getvalue()


def _extra(package: str, extra: str) -> ModuleType:
    import importlib

    try:
        return importlib.import_module(package)
    except ImportError as error:
        name = package.split(".")[0]
        raise SettingsError(f"{name} is not installed: pip install 'lfdfp[{extra}]'") from error
