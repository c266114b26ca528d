"""One self-contained HTML page that shows a result: no server, no network, no other file."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from string import Template

import cv2
import numpy as np
from PIL import Image

from lfdfp.datatypes import FloatArray
from lfdfp.report.maps import ByteImage

_WEBP_QUALITY = 88
_INDEX_COLUMNS = 160
_LARGEST_SIDE = 16383  # of a WebP picture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NamedPicture:
    """A picture with the words that stand beside it."""

    title: str
    caption: str
    picture: ByteImage


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NamedStack:
    """Slices for the slider, 8 bits, of one size, on planes that all stacks of a page share."""

    title: str
    slices: Sequence[ByteImage]


def inspection_page(
    *,
    title: str,
    pictures: Sequence[NamedPicture],
    labels: Sequence[str],
    stacks: Sequence[NamedStack],
    index: FloatArray | None,
    facts: Mapping[str, str],
    warnings: Sequence[str],
) -> str:
    """HTML of a page with the pictures, a slider through the slices, and the facts.

    Parameters
    ----------
    pictures
        Shown one at a time, chosen by buttons; the first one is open.
    labels
        Name of every plane.
    stacks
        Ways in which the planes were made, chosen by buttons; the first one is open.
    index
        Shape (T, S): which slice each pixel is sharp in; a click on the slice then focuses
        there. None leaves clicking out.
    facts, warnings
        Text from files among them: everything is escaped here.
    """
    data = {
        "pictures": [
            {"title": p.title, "caption": p.caption, "source": _data_uri(p.picture)}
            for p in pictures
        ],
        "labels": list(labels),
        "stacks": [
            {"title": stack.title, "slices": [_data_uri(picture) for picture in stack.slices]}
            for stack in stacks
        ],
        "index": None if index is None else _coarse_index(index),
    }
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
        for name, value in facts.items()
    )
    notes = "".join(f"<li>{html.escape(warning)}</li>" for warning in warnings)
    template = resources.files("lfdfp.report").joinpath("templates/inspect.html")
    return Template(template.read_text(encoding="utf-8")).substitute(
        title=html.escape(title),
        facts=rows,
        warnings=f"<ul class='warnings'>{notes}</ul>" if notes else "",
        data=_script_json(data),
    )


def _script_json(value: object) -> str:
    """JSON that can stand inside a script element whatever text it holds."""
    text = json.dumps(value, ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _data_uri(picture: ByteImage) -> str:
    rows, columns = picture.shape[:2]
    largest = max(rows, columns)
    if largest > _LARGEST_SIDE:
        factor = _LARGEST_SIDE / largest
        size = (int(columns * factor), int(rows * factor))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=_WEBP_QUALITY, method=2)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _coarse_index(index: FloatArray) -> list[list[int]]:
    rows, columns = index.shape
    factor = min(1.0, _INDEX_COLUMNS / columns)
    size = (max(1, round(columns * factor)), max(1, round(rows * factor)))
    coarse = cv2.resize(index, size, interpolation=cv2.INTER_NEAREST)
    result: list[list[int]] = np.rint(np.nan_to_num(coarse)).astype(int).tolist()
    return result
