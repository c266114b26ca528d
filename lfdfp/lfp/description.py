"""What a file is and what is inside it, raw or not, for people and for machines."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from lfdfp.datatypes import Camera, ColorData, Lens, MicrolensArray
from lfdfp.errors import MetadataError
from lfdfp.lfp.capture import documents_of_pair
from lfdfp.lfp.container import FILE_MAGIC, Container, read_container
from lfdfp.lfp.contents import (
    find_frame,
    frame_metadata,
    is_missing,
    is_processed,
    read_contents,
)
from lfdfp.lfp.document import Node, leaves, printable
from lfdfp.lfp.inventory import Content, Item, find_codes, inventory, summary
from lfdfp.lfp.metadata import (
    SensorFormat,
    parse_camera,
    parse_color,
    parse_exposure,
    parse_iso,
    parse_lens,
    parse_microlens_array,
    parse_orientation,
    parse_pixel_pitch,
    parse_sensor_format,
)
from lfdfp.lfp.opening import named, not_a_capture, read_head
from lfdfp.lfp.raw_pair import is_raw_pair, read_pair

FileKind = Literal["raw capture", "processed picture", "camera store", "bare raw image", "other"]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionDescription:
    """One section of a container.

    Attributes
    ----------
    kind
        "table" or "component".
    name
        Where the table of contents refers to it; "" where it does not.
    reference
        ``sha1-...`` as stored.
    offset, length
        Of the section's header, and of its payload, in bytes.
    intact
        Whether the SHA-1 is right; None when it was not checked.
    content
        What the payload is.
    width, height
        Of pictures and tables, in pixels, where known.
    focus_lambda
        Depth at which a picture of a refocus stack is focused.
    """

    index: int
    kind: str
    name: str
    reference: str
    offset: int
    length: int
    intact: bool | None
    content: Content
    width: int | None = None
    height: int | None = None
    focus_lambda: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDescription:
    """What a file is; None where it does not say.

    Attributes
    ----------
    holds
        What is inside, in words.
    predicted_pitch_px
        (rows, columns): spacing of the lenslets' images on the sensor along each axis, from the
        lens pitch, the exit pupil and the scale factors.
    lambda_range
        Least and greatest depth of the pictures and depth tables of a processed file.
    warnings
        What is wrong with the file: damaged sections, metadata that cannot be read.
    """

    path: str
    size_bytes: int
    kind: FileKind
    holds: str
    camera: Camera | None = None
    lens: Lens | None = None
    sensor: SensorFormat | None = None
    pixel_pitch_m: float | None = None
    microlens_array: MicrolensArray | None = None
    predicted_pitch_px: tuple[float, float] | None = None
    color: ColorData | None = None
    iso: float | None = None
    exposure_s: float | None = None
    orientation: int | None = None
    time: str = ""
    lambda_range: tuple[float, float] | None = None
    sections: tuple[SectionDescription, ...] = ()
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The same facts as nested dictionaries and lists of plain values, for JSON."""
        return dataclasses.asdict(self)

    def lines(self) -> list[str]:
        """The same facts as lines of text."""
        facts = [*_file_lines(self), *_optics_lines(self), *_sensor_lines(self)]
        return [
            *(f"{label + ':':<12} {value}" for label, value in facts),
            *(_section_line(section) for section in self.sections),
            *(f"warning: {warning}" for warning in self.warnings),
        ]


def describe(path: str | os.PathLike[str], *, verify: bool = True) -> FileDescription:
    """Describe a Lytro file: raw, processed, a camera's store, or a bare raw image with its text.

    Parameters
    ----------
    path
        The file.
    verify
        Check the SHA-1 of every section. A damaged one is reported, not an error.

    Raises
    ------
    LfpFormatError
        If the file is no well-formed LFP file.
    NotRawError
        If a bare raw image has no metadata beside it.
    MetadataError
        If the table of contents is no JSON text.
    """
    path = Path(path)
    with named(path):
        head = read_head(path)
        if head.startswith(FILE_MAGIC):
            return describe_container(read_container(path, verify=False), str(path), verify=verify)
        if is_raw_pair(path, head):
            return _describe_pair(path)
        raise not_a_capture(head)


def describe_container(
    container: Container, path: str = "", *, verify: bool = True
) -> FileDescription:
    """Describe a container that was read or built."""
    contents = read_contents(container)
    items = inventory(container, contents)
    sections = tuple(_describe_sections(items, verify=verify))
    damaged = [
        f"section {s.index} ({s.content}, {s.reference}) is damaged: its SHA-1 is wrong"
        for s in sections
        if s.intact is False
    ]
    metadata, private, warning = _documents(container, contents)
    frame = find_frame(contents)
    if frame and is_missing(container, frame, "imageRef") and not is_processed(contents):
        warning.append("the raw image that the contents name is not there: the file was cut short")
    return FileDescription(
        path=path,
        size_bytes=sum(len(piece) for piece in container.pieces()),
        kind=_kind(container, contents, items),
        holds=summary(container, contents),
        lambda_range=_lambda_range(contents, sections),
        sections=sections,
        **_capture_facts(metadata, private, [*damaged, *warning]),
    )


def _describe_pair(path: Path) -> FileDescription:
    data, documents = read_pair(path)
    metadata, private = documents_of_pair(documents)
    return FileDescription(
        path=str(path),
        size_bytes=len(data),
        kind="bare raw image",
        holds=f"packed raw codes, described in {printable(documents[0].path)}",
        **_capture_facts(metadata, private, _size_warning(metadata, len(data))),
    )


def _size_warning(metadata: Node, size: int) -> list[str]:
    try:
        expected = parse_sensor_format(metadata).size_bytes
    except MetadataError:
        return []  # told by the facts
    return [] if size == expected else [f"the raw codes take {expected} bytes, found {size}"]


def _documents(container: Container, contents: Node) -> tuple[Node | None, Node | None, list[str]]:
    try:
        return *frame_metadata(container, contents), []
    except MetadataError as error:
        return None, None, [str(error)]


def _capture_facts(
    metadata: Node | None, private: Node | None, warnings: list[str]
) -> dict[str, Any]:
    """All that metadata tell, each by itself: one bad value does not hide the others."""
    if metadata is None:
        return {"warnings": tuple(warnings)}

    def tolerated(parse: Callable[[], _T]) -> _T | None:
        try:
            return parse()
        except MetadataError as error:
            warnings.append(str(error))
            return None

    facts: dict[str, Any] = {
        "camera": tolerated(lambda: parse_camera(metadata, private)),
        "lens": tolerated(lambda: parse_lens(metadata)),
        "sensor": tolerated(lambda: parse_sensor_format(metadata)),
        "pixel_pitch_m": tolerated(lambda: parse_pixel_pitch(metadata)),
        "microlens_array": tolerated(lambda: parse_microlens_array(metadata)),
        "color": tolerated(lambda: parse_color(metadata)),
        "iso": tolerated(lambda: parse_iso(metadata)),
        "exposure_s": tolerated(lambda: parse_exposure(metadata)),
        "orientation": tolerated(lambda: parse_orientation(metadata)),
        "time": _time(metadata),
    }
    pitch = (facts["microlens_array"], facts["pixel_pitch_m"], facts["lens"])
    if all(part is not None for part in pitch):
        facts["predicted_pitch_px"] = predicted_pitch_px(*pitch)
    return facts | {"warnings": tuple(warnings)}


def predicted_pitch_px(
    mla: MicrolensArray, pixel_pitch_m: float, lens: Lens
) -> tuple[float, float]:
    """Spacing of the lenslets' images on the sensor (rows, columns), in pixels.

    Seen from the exit pupil, the images lie farther apart than the lenslets, by the distance
    between array and sensor over the distance to the pupil.
    """
    magnification = 1.0
    if lens.exit_pupil_offset_m:
        magnification += mla.sensor_offset_m[2] / lens.exit_pupil_offset_m
    pitch = mla.pitch_m / pixel_pitch_m * magnification
    return pitch * mla.scale[0], pitch * mla.scale[1]


def _time(metadata: Node) -> str:
    node = metadata.get("devices", "clock", "zuluTime")
    return printable(node.value) if node is not None and isinstance(node.value, str) else ""


def _kind(container: Container, contents: Node, items: list[Item]) -> FileKind:
    if find_codes(container, contents, "imageRef") is not None:
        return "raw capture"
    if contents.get("files", 0) is not None:
        return "camera store"
    pictures = ("JPEG picture", "PNG picture", "depth table", "H.264 stream")
    return "processed picture" if any(item.content in pictures for item in items) else "other"


def _describe_sections(items: list[Item], *, verify: bool) -> list[SectionDescription]:
    described, offset = [], 16
    for item in items:
        height, width = item.shape or (None, None)
        described.append(
            SectionDescription(
                index=item.index,
                kind=item.section.kind,
                name=item.reference.path if item.reference else "",
                reference=printable(item.section.reference),
                offset=offset,
                length=len(item.section.payload),
                intact=item.section.is_intact if verify else None,
                content=item.content,
                width=width,
                height=height,
                focus_lambda=_lambda(item),
            )
        )
        offset += sum(len(piece) for piece in item.section.pieces())
    return described


def _lambda(item: Item) -> float | None:
    """Depth of a picture: ``lambda`` in F01 files, ``focus`` in newer ones."""
    if item.reference is None or not item.reference.ancestors:
        return None
    parent = item.reference.ancestors[-1]
    return _finite(parent.get("lambda") or parent.get("focus"))


def _lambda_range(
    contents: Node, sections: tuple[SectionDescription, ...]
) -> tuple[float, float] | None:
    depths = [section.focus_lambda for section in sections if section.focus_lambda is not None]
    for leaf in leaves(contents):
        if leaf.key in ("minLambda", "maxLambda"):
            bound = _finite(Node(leaf.value, leaf.key))
            depths += [] if bound is None else [bound]
    return (min(depths), max(depths)) if depths else None


def _finite(node: Node | None) -> float | None:
    try:
        return None if node is None else node.number(-1e6, 1e6)
    except MetadataError:
        return None


def _file_lines(file: FileDescription) -> list[tuple[str, str]]:
    lines = [("file", f"{printable(file.path, 4096)}, {file.size_bytes} bytes"), ("is", file.kind)]
    lines.append(("holds", file.holds))
    if file.camera is not None:
        camera = file.camera
        lines.append(("camera", f"{camera.make} {camera.model}, serial number {camera.serial}"))
        lines.append(("firmware", camera.firmware))
    if file.time:
        lines.append(("time", file.time))
    if file.lambda_range is not None:
        least, greatest = file.lambda_range
        lines.append(("depth", f"lambda from {least:g} to {greatest:g}"))
    return lines


def _optics_lines(file: FileDescription) -> list[tuple[str, str]]:
    lines = []
    if file.lens is not None:
        lens = file.lens
        optics = [f"zoom step {lens.zoom_step}", f"focus step {lens.focus_step}"]
        if lens.focal_length_m is not None:
            optics.append(f"focal length {lens.focal_length_m * 1e3:.2f} mm")
        if lens.f_number is not None:
            optics.append(f"f/{lens.f_number:.2f}")
        lines.append(("lens", ", ".join(optics)))
    exposure = [] if file.exposure_s is None else [f"{file.exposure_s:.6g} s"]
    exposure += [] if file.iso is None else [f"ISO {file.iso:g}"]
    if exposure:
        lines.append(("exposure", ", ".join(exposure)))
    if file.microlens_array is not None:
        mla = file.microlens_array
        array = f"pitch {mla.pitch_m * 1e6:.4f} um, rotation {mla.rotation_rad:+.6f} rad"
        if file.predicted_pitch_px is not None:
            array += ", pitch on the sensor {1:.4f} px (rows {0:.4f})".format(
                *file.predicted_pitch_px
            )
        lines.append(("lenslets", array))
    return lines


def _sensor_lines(file: FileDescription) -> list[tuple[str, str]]:
    if file.sensor is None:
        return []
    sensor = file.sensor
    height, width = sensor.shape
    levels = ", ".join(
        f"{channel} {black:g}..{white:g}"
        for channel, black, white in zip(
            sensor.bayer, sensor.black_codes, sensor.white_codes, strict=True
        )
    )
    packing = f"{sensor.packing.bits_per_pixel} bits, {sensor.packing.endianness} endian"
    return [("sensor", f"{width} x {height}, {packing}"), ("levels", levels)]


def _section_line(section: SectionDescription) -> str:
    size = "" if section.width is None else f" {section.width} x {section.height}"
    depth = "" if section.focus_lambda is None else f" lambda {section.focus_lambda:g}"
    state = {True: "intact", False: "DAMAGED", None: "not checked"}[section.intact]
    return (
        f"section {section.index:>3}: {section.length:>10} bytes, {state}, "
        f"{section.content}{size}{depth}  {section.name or section.kind}  {section.reference}"
    )
