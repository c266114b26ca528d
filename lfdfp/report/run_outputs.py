"""The pictures of a run and its page, written into one folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import numpy as np

from lfdfp.datatypes import FloatArray, FocalStack, RayEvidence, SharpPicture, StackEvidence
from lfdfp.files import write_text
from lfdfp.report.contact_sheet import contact_sheet, slice_label
from lfdfp.report.maps import (
    ByteImage,
    decision_picture,
    disparity_picture,
    from_prior_picture,
    observability_picture,
    screen_image,
    slice_index,
    standard_error_picture,
)
from lfdfp.report.page import PageDepth, PageMap, PagePicture, PageSlices, inspection_page
from lfdfp.storage.images import Picture, write_picture, write_screen_image

_LARGEST_ON_PAGE: Final = 2400
"""Pixels along the longer side; views of light fields at ×2 have fewer."""


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
        if evidence.from_prior is not None:
            maps["from_prior"] = from_prior_picture(evidence.from_prior)
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
    template: Picture | None = None,
    provenance: Mapping[str, object],
) -> list[Path]:
    """Write the pictures and the maps; return their paths, the main one first.

    Parameters
    ----------
    template
        Whose color profile and metadata the pictures take over.
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
        look = Picture(light=light) if template is None else template
        write_picture(path, replace(look, light=light, alpha=None, bits=bits), provenance)
        written.append(path)
    for name, image in maps.items():
        path = folder / f"{name}.png"
        write_screen_image(path, image, provenance)
        written.append(path)
    return written


def for_page(picture: SharpPicture, stack: FocalStack) -> tuple[SharpPicture, FocalStack]:
    """What a page of a picture shows, not larger than a screen can use."""
    if max(picture.super_resolved.shape[:2]) <= _LARGEST_ON_PAGE:
        return picture, stack
    evidence = picture.evidence
    if isinstance(evidence, StackEvidence):
        maps = _smaller(np.moveaxis(evidence.decision_map, 0, -1))
        evidence = StackEvidence(decision_map=np.ascontiguousarray(np.moveaxis(maps, -1, 0)))
    small = replace(
        picture,
        all_in_focus=_smaller(picture.all_in_focus),
        super_resolved=_smaller(picture.all_in_focus),
        scale=1,
        depth=None,
        evidence=evidence,
    )
    slices = np.stack([_smaller(light) for light in stack.slices])
    return small, FocalStack(slices=slices, slopes=stack.slopes)


def _smaller(light: FloatArray) -> FloatArray:
    """(T, S, C) reduced by averaging to at most `_LARGEST_ON_PAGE`."""
    import cv2

    rows, columns, channels = light.shape
    factor = min(1.0, _LARGEST_ON_PAGE / max(rows, columns))
    size = (max(1, round(columns * factor)), max(1, round(rows * factor)))
    small = [cv2.resize(light[..., c], size, interpolation=cv2.INTER_AREA) for c in range(channels)]
    return np.stack(small, axis=-1).astype(np.float32, copy=False)


def write_page(
    path: Path,
    picture: SharpPicture,
    stack: FocalStack | None,
    *,
    views: Sequence[FloatArray] = (),
    plain: str | None = None,
    title: str,
    facts: Mapping[str, str],
    warnings: Sequence[str],
) -> None:
    """Write the page that shows a picture: one HTML file that needs no other.

    Parameters
    ----------
    stack
        What the picture was made from, or made beside it; None leaves its slices out.
    plain
        What the picture is called where it is one of what it stands beside, and no result.
    views
        Views (T, S, C) of a light field from left to right, of which epipolar slices are shown.
    """
    page = inspection_page(
        title=title,
        pictures=_page_pictures(picture, stack) if plain is None else _plain(picture, plain),
        maps=_page_maps(picture, stack),
        depth=_page_depth(picture),
        slices=None if stack is None else _page_slices(stack),
        views=[screen_image(one) for one in views],
        facts=facts,
        warnings=warnings,
    )
    write_text(path, page)


def _page_pictures(picture: SharpPicture, stack: FocalStack | None) -> list[PagePicture]:
    made = picture.provenance
    shown = [
        PagePicture(
            name="sharp",
            title="All in focus" + (f" ×{picture.scale}" if picture.scale > 1 else ""),
            caption=f"Made from: {made.data_term}; prior: {made.prior}.",
            picture=screen_image(picture.super_resolved),
        )
    ]
    if stack is not None and stack.reference_view is not None:
        shown.append(
            PagePicture(
                name="center",
                title="Center view",
                caption="One sub-aperture view, before refocusing and fusion.",
                picture=screen_image(stack.reference_view),
            )
        )
    return shown


def _plain(picture: SharpPicture, title: str) -> list[PagePicture]:
    shown = screen_image(picture.super_resolved)
    return [PagePicture(name="sharp", title=title, caption="", picture=shown)]


def _page_maps(picture: SharpPicture, stack: FocalStack | None) -> list[PageMap]:
    maps = []
    depth, evidence = picture.depth, picture.evidence
    if depth is not None:
        fine = depth.disparity if depth.fine_disparity is None else depth.fine_disparity
        maps.append(
            PageMap(
                name="disparity",
                title="Disparity",
                caption="How far things move from view to view; near is red.",
                values=fine,
                reverse=True,
                ends=("near", "far"),
                unit="px/step",
                bits=12,
            )
        )
        if depth.confidence is not None:
            maps.append(
                PageMap(
                    name="confidence",
                    title="Confidence",
                    caption="How much better than others the disparity explains the rays.",
                    values=depth.confidence,
                    colors="cividis",
                    ends=("a guess", "sure"),
                )
            )
    slopes = None if stack is None else stack.slopes
    index = slice_index(picture, slopes)
    if index is not None:
        maps.append(
            PageMap(
                name="decision",
                title="Decision",
                caption="Which slice each part is sharpest in.",
                values=index + 1,
                reverse=True,
                ends=("slice", ""),
            )
        )
    if isinstance(evidence, RayEvidence):
        maps += _ray_maps(evidence)
    return maps


def _ray_maps(evidence: RayEvidence) -> list[PageMap]:
    maps = [
        PageMap(
            name="observability",
            title="Observability",
            caption="How far the rays determine the finest detail; the rest is from the prior.",
            values=evidence.observability,
            colors="cividis",
            ends=("from the prior", "measured"),
            curve=0.5,
        )
    ]
    if evidence.standard_error is not None:
        maps.append(
            PageMap(
                name="error",
                title="Standard error",
                caption="What the noise of the rays leaves in the luma, in linear light.",
                values=evidence.standard_error,
                colors="cividis",
                ends=("", ""),
                unit="of white",
            )
        )
    if evidence.from_prior is not None:
        maps.append(
            PageMap(
                name="from-prior",
                title="From the prior",
                caption="By how much the learned prior moved the luma, in the display's encoding.",
                values=evidence.from_prior,
                colors="cividis",
                ends=("", ""),
                unit="of luma",
            )
        )
    return maps


def _page_depth(picture: SharpPicture) -> PageDepth | None:
    """What refocusing needs: a disparity for every pixel, and an aperture."""
    depth = picture.depth
    if depth is None or depth.fine_disparity is None or depth.angular_shape is None:
        return None
    return PageDepth(
        disparity=depth.fine_disparity,
        scale=picture.scale,
        half_aperture=max(depth.angular_shape) / 2,
    )


def _page_slices(stack: FocalStack) -> PageSlices:
    return PageSlices(
        slices=[screen_image(light) for light in stack.slices],
        labels=[slice_label(stack, n) for n in range(len(stack.slices))],
        slopes=stack.slopes,
        curves=stack.focus_curves,
    )
