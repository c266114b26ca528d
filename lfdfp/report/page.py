"""One self-contained HTML page that shows a result: no server, no network, no other file."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from string import Template
from typing import Literal

import numpy as np

from lfdfp.datatypes import DoubleArray, FloatArray
from lfdfp.report.maps import ByteImage
from lfdfp.report.scripts import script_json

_WEBP_QUALITY = 90
_SLICE_QUALITY = 82
_LARGEST_SIDE = 16383  # of a WebP picture
_DEPTH_BITS = 12

ELEMENT = "lf-picture.js"
"""What the script of `picture_element` is called."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PagePicture:
    """A picture to look at, 8-bit sRGB, shape (rows, columns, 3)."""

    name: str
    title: str
    caption: str
    picture: ByteImage


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PageMap:
    """Numbers that the page colors, with a legend and the value under the cursor.

    Attributes
    ----------
    values
        Shape (rows, columns); NaN where nothing is known. Kept with `bits` over their range.
    colors
        ``turbo`` for what has no order of better and worse, ``cividis`` from bad to good.
    reverse
        Whether small values get the colors of large ones: near is red.
    ends
        Words at both ends of the legend, smallest value first.
    unit
        Behind the value under the cursor.
    curve
        The power that values are raised to before they are colored.
    whole
        Whether the values are numbers of something, not measures.
    """

    name: str
    title: str
    caption: str
    values: FloatArray
    colors: Literal["turbo", "cividis"] = "turbo"
    reverse: bool = False
    ends: tuple[str, str]
    unit: str = ""
    curve: float = 1.0
    bits: int = 8
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PageDepth:
    """What the page needs to refocus the first picture and to look past its edges.

    Attributes
    ----------
    disparity
        Shape (rows, columns): pixels of a view per angular step, of every pixel of the first
        picture.
    scale
        Pixels of the first picture per pixel of a view.
    half_aperture
        Half the width of the camera's aperture, in angular steps.
    """

    disparity: FloatArray
    scale: int
    half_aperture: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PageSlices:
    """A focal stack: for browsers that cannot render, and to see what was measured.

    Attributes
    ----------
    slices
        8-bit sRGB, of one size.
    labels
        Name of every slice.
    slopes
        Shape (N,), pixels of a view per angular step, or None.
    numbers
        Of photographs: which of all that were given each is, from 0; None: these are all.
    curves
        Shape (N, Y, X): focus measure of every slice on a coarse grid, or None.
    """

    slices: Sequence[ByteImage]
    labels: Sequence[str]
    slopes: DoubleArray | None = None
    numbers: Sequence[int] | None = None
    curves: FloatArray | None = None


def inspection_page(
    *,
    title: str,
    pictures: Sequence[PagePicture],
    maps: Sequence[PageMap] = (),
    depth: PageDepth | None = None,
    slices: PageSlices | None = None,
    views: Sequence[ByteImage] = (),
    facts: Mapping[str, str],
    warnings: Sequence[str],
) -> str:
    """HTML of a page with one viewport: pictures, maps as data, refocusing, facts.

    Parameters
    ----------
    pictures
        The first is the result; the second, if any, is what it is compared with at first sight.
    views
        From left to right through the middle, for epipolar slices; where there are none, these are
        rendered from the first picture and its depth.
    facts, warnings
        Text from files among them: everything is escaped here.
    """
    data = {
        "pictures": [
            {
                "name": p.name,
                "title": p.title,
                "caption": p.caption,
                "size": [p.picture.shape[1], p.picture.shape[0]],
                "source": _webp(p.picture, _WEBP_QUALITY),
            }
            for p in pictures
        ],
        "maps": [_map_entry(one, None if depth is None else depth.disparity) for one in maps],
        "depth": None if depth is None else _depth_entry(depth),
        "slices": None if slices is None else _slices_entry(slices),
        "views": [_webp(one, _SLICE_QUALITY) for one in views] or None,
    }
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
        for name, value in facts.items()
    )
    notes = "".join(f"<li>{html.escape(warning)}</li>" for warning in warnings)
    parts = {
        name: resources.files("lfdfp.report")
        .joinpath(f"templates/{name}")
        .read_text(encoding="utf-8")
        for name in ("inspect.html", "viewer.css", "viewer.js")
    }
    return Template(parts["inspect.html"]).substitute(
        title=html.escape(title),
        facts=rows,
        warnings=f"<ul class='warnings'>{notes}</ul>" if notes else "",
        style=parts["viewer.css"],
        script=parts["viewer.js"],
        data=script_json(data),
    )


def picture_element() -> str:
    """The script that defines ``<lf-picture src=…>``, which shows such a page inside another."""
    script = resources.files("lfdfp.report").joinpath("templates/lf-picture.js")
    return script.read_text(encoding="utf-8")


def _map_entry(one: PageMap, shared: FloatArray | None) -> dict[str, object]:
    """What the page keeps of a map; of the `shared` disparity it has one copy."""
    return {
        "name": one.name,
        "title": one.title,
        "caption": one.caption,
        "packed": None if one.values is shared else _packed(one.values, one.bits),
        "colors": one.colors,
        "reverse": one.reverse,
        "ends": list(one.ends),
        "unit": one.unit,
        "curve": one.curve,
        "whole": one.whole,
    }


def _depth_entry(depth: PageDepth) -> dict[str, object]:
    return {
        "packed": _packed(depth.disparity, _DEPTH_BITS),
        "range": [float(np.nanmin(depth.disparity)), float(np.nanmax(depth.disparity))],
        "scale": depth.scale,
        "halfAperture": depth.half_aperture,
    }


def _slices_entry(slices: PageSlices) -> dict[str, object]:
    curves = slices.curves
    return {
        "sources": [_webp(picture, _SLICE_QUALITY) for picture in slices.slices],
        "labels": list(slices.labels),
        "numbers": None if slices.numbers is None else list(slices.numbers),
        "slopes": None if slices.slopes is None else [round(float(s), 6) for s in slices.slopes],
        "curves": None
        if curves is None
        else np.round(curves / max(float(curves.max()), 1e-12), 4).tolist(),
    }


def _packed(values: FloatArray, bits: int) -> dict[str, object]:
    """Values as a picture whose red and green are their upper and lower 8 bits.

    Blue is 255 where a value is known. `range` is what 0 and `top` stand for.
    """
    from PIL import Image

    known = np.isfinite(values)
    low, high = (float(f(values[known])) if known.any() else 0.0 for f in (np.min, np.max))
    share = np.where(known, (values - low) / max(high - low, 1e-12), 0)
    levels = np.rint(share * ((1 << bits) - 1)).astype(np.uint16) << (16 - bits)
    packed = np.dstack([levels >> 8, levels & 255, known * 255]).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(packed).save(buffer, "PNG", compress_level=6)
    return {
        "source": _data_uri(buffer, "png"),
        "size": [values.shape[1], values.shape[0]],
        "range": [low, high],
        "top": ((1 << bits) - 1) << (16 - bits),
    }


def _webp(picture: ByteImage, quality: int) -> str:
    import cv2
    from PIL import Image

    rows, columns = picture.shape[:2]
    largest = max(rows, columns)
    if largest > _LARGEST_SIDE:
        factor = _LARGEST_SIDE / largest
        size = (int(columns * factor), int(rows * factor))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=quality, method=3)
    return _data_uri(buffer, "webp")


def _data_uri(buffer: io.BytesIO, kind: str) -> str:
    return f"data:image/{kind};base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
