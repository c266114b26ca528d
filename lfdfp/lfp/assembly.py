"""Raw captures to containers that are formed like the cameras' own files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from lfdfp.datatypes import CodeArray, RawCapture
from lfdfp.errors import MetadataError
from lfdfp.lfp.container import Container, Section
from lfdfp.lfp.document import Node
from lfdfp.lfp.metadata import (
    Layout,
    SensorFormat,
    compose_metadata,
    compose_private_metadata,
    compose_white_text,
    parse_sensor_format,
)
from lfdfp.lfp.packing import pack


def build_container(
    mosaic: CodeArray,
    metadata: Mapping[str, Any],
    private_metadata: Mapping[str, Any],
    *,
    layout: Layout,
    white_image: CodeArray | None = None,
    white_metadata: Mapping[str, Any] | None = None,
) -> Container:
    """Put a mosaic and its metadata into a container.

    Parameters
    ----------
    mosaic
        Shape (H, W), raw codes; packed as the metadata say.
    metadata, private_metadata
        What the two JSON sections shall hold, in either layout of keys.
    layout
        Form of the table of contents: ``picture.frameArray`` of the F01, or ``frames`` of the
        Illum and of newer desktop software.
    white_image
        Shape (H, W): packed into the same file, under ``modulationDataRef``.
    white_metadata
        What describes the white image where the capture's metadata do not.

    Raises
    ------
    MetadataError
        If the metadata do not describe such a mosaic.
    ValueError
        If a code does not fit into the packing's bits.
    """
    sensor = parse_sensor_format(Node(dict(metadata), "metadata"))
    images = {"imageRef": mosaic} | (
        {} if white_image is None else {"modulationDataRef": white_image}
    )
    for key, image in images.items():
        if image.shape != sensor.shape:
            raise MetadataError(
                f"the metadata describe a mosaic of {sensor.shape}, but {key} is {image.shape}"
            )
    entries = {
        "metadataRef": Section.make("component", _text(metadata)),
        "privateMetadataRef": Section.make("component", _text(private_metadata)),
    } | {key: Section.make("component", _packed(image, sensor)) for key, image in images.items()}
    if white_metadata is not None:
        entries["modulationDataMetadataRef"] = Section.make("component", _text(white_metadata))
    frame = {key: section.reference for key, section in entries.items()}
    contents = _f01_contents(frame) if layout == "f01" else _illum_contents(frame)
    return Container(sections=(Section.make("table", _text(contents)), *entries.values()))


def container_of(capture: RawCapture, *, layout: Layout) -> Container:
    """Put a capture, with the white image that it carries, into a container."""
    white = capture.white_image
    return build_container(
        capture.mosaic,
        compose_metadata(capture, layout),
        compose_private_metadata(capture),
        layout=layout,
        white_image=None if white is None else white.mosaic,
        white_metadata=None if white is None else compose_white_text(white, layout),
    )


def _packed(mosaic: CodeArray, sensor: SensorFormat) -> bytes:
    stored = np.left_shift(mosaic, sensor.right_shift, dtype=np.uint16)
    return pack(stored, sensor.packing)


def _text(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, indent="\t", allow_nan=False).encode()


def _f01_contents(frame: Mapping[str, str]) -> dict[str, Any]:
    tags = {"darkFrame": False, "modulationFrame": False}
    parameters = {"vendorContent": {"com.lytro.tags": tags}}
    return {
        "picture": {
            "frameArray": [{"frame": frame, "parameters": parameters}],
            "viewArray": [],
            "accelerationArray": [],
            "derivationArray": [],
        },
        "thumbnailArray": [],
        "version": {"major": 1, "minor": 0, "provisionalDate": "2011-08-03"},
    }


def _illum_contents(frame: Mapping[str, str]) -> dict[str, Any]:
    return {
        "schema": "http://schema.lytro.com/lfp/picture/2.1.6/picture_schema.json",
        "generators": ["lfdfp"],
        "thumbnails": [],
        "derivations": [],
        "frames": [{"assignedProperties": {}, "accelerations": [], "frame": frame}],
        "annotations": [],
        "views": [],
    }
