"""The pictures of a run and its page, written into one folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from lfdfp.datatypes import FloatArray, FocalStack, RayEvidence, SharpPicture
from lfdfp.files import write_text
from lfdfp.report.contact_sheet import contact_sheet, slice_label
from lfdfp.report.maps import (
    ByteImage,
    decision_picture,
    disparity_picture,
    observability_picture,
    screen_image,
    slice_index,
    standard_error_picture,
)
from lfdfp.report.page import NamedPicture, NamedStack, inspection_page
from lfdfp.storage.images import Picture, write_picture, write_screen_image


def screen_maps(picture: SharpPicture, stack: FocalStack) -> dict[str, ByteImage]:
    """Everything that is shown beside the picture, colored, by name; what is absent stays out."""
    maps = {}
    index = slice_index(picture, stack.slopes)
    if index is not None:
        maps["decision_map"] = decision_picture(index, len(stack.slices))
    depth, evidence = picture.depth, picture.evidence
    if depth is not None:
        maps["disparity"] = disparity_picture(depth.disparity, depth.confidence)
    if isinstance(evidence, RayEvidence):
        maps["observability"] = observability_picture(evidence.observability)
        if evidence.standard_error is not None:
            maps["standard_error"] = standard_error_picture(evidence.standard_error)
    maps["contact_sheet"] = contact_sheet(stack)
    return maps


def write_pictures(
    folder: Path,
    picture: SharpPicture,
    stack: FocalStack,
    maps: Mapping[str, ByteImage],
    *,
    picture_format: Literal["png", "tif", "jpg", "webp", "avif", "exr"] = "png",
    bits: Literal[8, 16] = 8,
    provenance: Mapping[str, object],
) -> list[Path]:
    """Write the pictures and the maps; return their paths, the main one first.

    Parameters
    ----------
    maps
        From `screen_maps`; always 8-bit PNGs.
    """
    photographs: dict[str, FloatArray] = {
        f"all_in_focus_x{picture.scale}": picture.super_resolved,
        "all_in_focus": picture.all_in_focus,
    }
    if stack.reference_view is not None:
        photographs["center_view"] = stack.reference_view
    written = []
    for name, light in photographs.items():
        path = folder / f"{name}.{picture_format}"
        write_picture(path, Picture(light=light, bits=bits), provenance)
        written.append(path)
    for name, image in maps.items():
        path = folder / f"{name}.png"
        write_screen_image(path, image, provenance)
        written.append(path)
    return written


def write_page(
    path: Path,
    picture: SharpPicture,
    stack: FocalStack,
    rendered: FocalStack | None,
    maps: Mapping[str, ByteImage],
    *,
    title: str,
    facts: Mapping[str, str],
    warnings: Sequence[str],
) -> None:
    """Write the page that shows a run: one HTML file that needs no other.

    Parameters
    ----------
    rendered
        The planes of `stack` rendered from the picture, which the page then shows first.
    maps
        From `screen_maps`.
    """
    page = inspection_page(
        title=title,
        pictures=_page_pictures(picture, stack, maps),
        labels=[slice_label(stack, n) for n in range(len(stack.slices))],
        stacks=_page_stacks(stack, rendered),
        index=slice_index(picture, stack.slopes),
        facts=facts,
        warnings=warnings,
    )
    write_text(path, page)


def _page_stacks(stack: FocalStack, rendered: FocalStack | None) -> list[NamedStack]:
    named = {"Plain stack": stack}
    if rendered is not None:
        named = {f"From the solution, ×{rendered.scale}": rendered} | named
    return [
        NamedStack(title=title, slices=[screen_image(light) for light in one.slices])
        for title, one in named.items()
    ]


def _page_pictures(
    picture: SharpPicture, stack: FocalStack, maps: Mapping[str, ByteImage]
) -> list[NamedPicture]:
    made = picture.provenance
    shown = [
        NamedPicture(
            title=f"All in focus ×{picture.scale}",
            caption=f"Fused and super-resolved; data: {made.data_term}, prior: {made.prior}.",
            picture=screen_image(picture.super_resolved),
        ),
        NamedPicture(
            title="All in focus",
            caption="The same at the size of one view.",
            picture=screen_image(picture.all_in_focus),
        ),
    ]
    if stack.reference_view is not None:
        shown.append(
            NamedPicture(
                title="Center view",
                caption="One sub-aperture view, before refocusing and fusion.",
                picture=screen_image(stack.reference_view),
            )
        )
    captions = {
        "decision_map": ("Decision map", "Which slice each part was taken from; near is red."),
        "disparity": ("Disparity", "Near is red; dark where it is uncertain."),
        "observability": ("Observability", "How far the rays determine the finest detail."),
        "standard_error": ("Standard error", "What noise leaves in the luma, linear light."),
    }
    shown += [
        NamedPicture(title=words[0], caption=words[1], picture=maps[name])
        for name, words in captions.items()
        if name in maps
    ]
    return shown
