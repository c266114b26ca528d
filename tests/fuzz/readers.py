"""Every reader of files that others may have made, as a function of bytes, with sound examples."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from lfdfp.datatypes import FocalStack, LightField
from lfdfp.errors import LfdfpError
from lfdfp.interchange.formats import read_light_field, write_light_field
from lfdfp.interchange.netpbm import read_pfm, read_ppm
from lfdfp.lfp import (
    Container,
    Section,
    container_of,
    describe,
    read_capture,
    read_refocus_stack,
    write_pair,
)
from lfdfp.lfp.document import parse_json
from lfdfp.lfp.metadata import compose_metadata, parse_metadata
from lfdfp.lfp.packing import Packing, unpack
from lfdfp.lfp.white_images import find_white_images, loaded
from lfdfp.settings import read_settings
from lfdfp.storage.camera_calibrations import load_camera_calibration
from lfdfp.storage.hdf5 import (
    load_focal_stack,
    load_light_field,
    load_sharp_picture,
    save_focal_stack,
    save_light_field,
)
from lfdfp.storage.images import read_picture
from tests.factories import tiny_capture
from tests.lfp import processed_files

Structure = Literal["bytes", "json", "lfp", "hdf5"]
_GOLDEN = Path(__file__).parents[1] / "golden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One reader.

    Attributes
    ----------
    name
        Of the file that the bytes are written to, below a folder that `prepare` has filled.
    read
        Reads that folder; raises nothing but `LfdfpError`.
    structure
        What a mutation can keep to, so as to get beyond the first check.
    """

    name: str
    read: Callable[[Path], object]
    seeds: Callable[[Path], list[bytes]]
    structure: Structure = "bytes"
    prepare: Callable[[Path], object] | None = None


def _file(name: str, read: Callable[[Path], object], seeds: Any, **rest: Any) -> Reader:
    return Reader(name=name, read=lambda folder: read(folder / name), seeds=seeds, **rest)


@cache
def _capture(camera: Literal["f01", "illum"] = "f01") -> Any:
    return tiny_capture(camera, size={"f01": 80, "illum": 116}[camera]).raw_capture()


@cache
def _field() -> LightField:
    random = np.random.default_rng(0)
    smooth = np.cumsum(random.random((3, 3, 14, 14, 3), np.float32), axis=3) / 14
    return LightField(views=smooth, weights=np.ones(smooth.shape[:4], np.float32))


def _lfp_seeds(folder: Path) -> list[bytes]:
    containers = [container_of(_capture(layout), layout=layout) for layout in ("f01", "illum")]
    containers += [processed_files.older_file()]
    return [b"".join(bytes(piece) for piece in one.pieces()) for one in containers]


def _read_lfp(path: Path) -> None:
    """Read it in three ways; it is refused where all of them refuse it."""
    refused = []
    for read in (describe, read_capture, read_refocus_stack):
        try:
            read(path, verify=False)
        except LfdfpError as error:
            refused.append(error)
    if len(refused) > 2:
        raise refused[0]


def _metadata_seeds(folder: Path) -> list[bytes]:
    made = [compose_metadata(_capture(layout), layout) for layout in ("f01", "illum")]
    return [json.dumps(one).encode() for one in made]


def _unpack(path: Path) -> None:
    data = path.read_bytes()
    if len(data) < 3:
        return
    known = [
        (12, "big"),
        (10, "little"),
        (8, "little"),
        (16, "big"),
        (16, "little"),
        (data[0], "big"),
    ]
    bits, order = known[data[0] % len(known)]
    packing = Packing(bits_per_pixel=bits, endianness=order)  # type: ignore[arg-type]
    unpack(data[3:], (data[1], data[2]), packing)


def _pair(folder: Path) -> None:
    write_pair(folder / "a.RAW", _capture(), layout="f01")
    (folder / "a.TXT").unlink()


def _pair_seeds(folder: Path) -> list[bytes]:
    write_pair(folder / "s.RAW", _capture(), layout="f01")
    return [(folder / "s.TXT").read_bytes()]


def _white(folder: Path) -> None:
    _pair(folder)
    (folder / "a.RAW").rename(folder / "MOD_0000.RAW")


def _read_white(source: Path) -> None:
    for _, image in loaded(find_white_images(source)):
        if isinstance(image, LfdfpError):
            raise image


def _bundle_seeds(folder: Path) -> list[bytes]:
    write_pair(folder / "MOD_0000.RAW", _capture(), layout="f01")
    parts = [(f"MOD_0000.{k}", (folder / f"MOD_0000.{k}").read_bytes()) for k in ("RAW", "TXT")]
    sections = [(name, Section.make("component", content)) for name, content in parts]
    listed = [{"name": name, "dataRef": one.reference} for name, one in sections]
    table = Section.make("table", json.dumps({"files": listed}).encode())
    container = Container(sections=(table, *(one for _, one in sections)))
    return [b"".join(bytes(piece) for piece in container.pieces())]


def _tar_seeds(folder: Path) -> list[bytes]:
    write_pair(folder / "MOD_0000.RAW", _capture(), layout="f01")
    made = []
    for format in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=format) as archive:
            for suffix in ("RAW", "TXT"):
                archive.add(folder / f"MOD_0000.{suffix}", f"T1CALIB/MOD_0000.{suffix}")
        made.append(stream.getvalue())
    return made


def _picture_seeds(folder: Path) -> list[bytes]:
    codes = np.random.default_rng(0).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    made = []
    for format in ("PNG", "JPEG", "TIFF", "WEBP"):
        stream = io.BytesIO()
        Image.fromarray(codes).save(stream, format)
        made.append(stream.getvalue())
    return made


def _png_seeds(folder: Path) -> list[bytes]:
    write_light_field(folder / "s.png", _field(), "eslf", bits=8)
    return [(folder / "s.png").read_bytes()]


def _mat_seeds(folder: Path) -> list[bytes]:
    write_light_field(folder / "s.mat", _field(), "lf-toolbox")
    return [(folder / "s.mat").read_bytes()]


def _hci(folder: Path) -> None:
    write_light_field(folder / "views", _field(), "hci")


def _hci_seeds(folder: Path) -> list[bytes]:
    _hci(folder)
    return [(folder / "views" / "parameters.cfg").read_bytes()]


def _views(folder: Path) -> None:
    write_light_field(folder / "views", _field(), "views", bits=8)


def _view_seeds(folder: Path) -> list[bytes]:
    _views(folder)
    return [(folder / "views" / "view_01_01.png").read_bytes()]


def _netpbm_seeds(*texts: bytes) -> Callable[[Path], list[bytes]]:
    return lambda folder: [text + bytes(range(72)) for text in texts]


def _own_seeds(kind: str) -> Callable[[Path], list[bytes]]:
    def seeds(folder: Path) -> list[bytes]:
        made = [path.read_bytes() for path in sorted(_GOLDEN.glob(f"{kind}_*.h5"))]
        if kind == "light_field":
            save_light_field(folder / "s.h5", replace(_field(), history=("a",)), {})
        elif kind == "focal_stack":
            slices = np.ones((3, 6, 7, 3), np.float32)
            stack = FocalStack(slices=slices, slopes=np.linspace(-1, 1, 3, dtype=np.float32))
            save_focal_stack(folder / "s.h5", stack, {})
        return made + [path.read_bytes() for path in folder.glob("s.h5")]

    return seeds


_SETTINGS = b"""[refocus]
planes = 9
aperture = "round:0.5"
[fusion]
scale = 2
seed = 3
data = "stack"
[decode]
[display]
exposure_ev = 0.5
"""

READERS: dict[str, Reader] = {
    "container": _file("a.lfp", _read_lfp, _lfp_seeds, structure="lfp"),
    "metadata": _file(
        "a.json",
        lambda path: parse_metadata(parse_json(path.read_bytes(), "metadata")),
        _metadata_seeds,
        structure="json",
    ),
    "packing": _file("a.bin", _unpack, lambda _: [bytes([0, 4, 6]) + bytes(36)]),
    "pair": Reader(
        name="a.TXT",
        read=lambda folder: read_capture(folder / "a.RAW"),
        seeds=_pair_seeds,
        structure="json",
        prepare=_pair,
    ),
    "white-images": Reader(
        name="MOD_0000.TXT", read=_read_white, seeds=_pair_seeds, structure="json", prepare=_white
    ),
    "bundle": _file("data.C.0", _read_white, _bundle_seeds, structure="lfp"),
    "tar": _file("caldata.tar", _read_white, _tar_seeds),
    "photograph": _file("a.png", read_picture, _picture_seeds),
    "eslf": _file("a.png", read_light_field, _png_seeds),
    "mat": _file("a.mat", read_light_field, _mat_seeds, structure="hdf5"),
    "hci": Reader(
        name="views/parameters.cfg",
        read=lambda folder: read_light_field(folder / "views"),
        seeds=_hci_seeds,
        prepare=_hci,
    ),
    "views": Reader(
        name="views/view_01_01.png",
        read=lambda folder: read_light_field(folder / "views"),
        seeds=_view_seeds,
        prepare=_views,
    ),
    "pfm": _file("a.pfm", read_pfm, _netpbm_seeds(b"Pf\n3 6\n-1.0\n", b"PF\n2 3\n1.0\n")),
    "ppm": _file("a.ppm", read_ppm, _netpbm_seeds(b"P6\n4 6\n255\n", b"P5\n6 6\n65535\n")),
    "light-field": _file("a.h5", load_light_field, _own_seeds("light_field"), structure="hdf5"),
    "focal-stack": _file("a.h5", load_focal_stack, _own_seeds("focal_stack"), structure="hdf5"),
    "sharp-picture": _file(
        "a.h5", load_sharp_picture, _own_seeds("fusion_result"), structure="hdf5"
    ),
    "calibration": _file(
        "a.h5", load_camera_calibration, _own_seeds("camera_calibration"), structure="hdf5"
    ),
    "settings": _file("a.toml", read_settings, lambda _: [_SETTINGS]),
}
