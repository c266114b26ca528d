"""``lfdfp inspect``: one page that shows a result, a stack or a light field."""

from __future__ import annotations

import webbrowser
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from lfdfp.cli.reporting import reported_errors, say, stage_bar
from lfdfp.datatypes import FloatArray, FocalStack, Provenance, SharpPicture
from lfdfp.errors import StorageError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What a page shows, and the files that it was read from."""

    picture: SharpPicture
    stack: FocalStack | None
    sources: tuple[Path, ...]
    views: tuple[FloatArray, ...] = ()
    plain: str | None = None


def inspect_command(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="Folder that run made, its fusion.h5, a focal stack (.h5), or a light field "
            "(whatever convert reads).",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Page to create (.html). Default: beside INPUT."),
    ] = None,
    element: Annotated[
        bool,
        typer.Option(
            "--element",
            help="Also write lf-picture.js beside the page: with it, <lf-picture src=PAGE> shows "
            "the picture inside any other page.",
        ),
    ] = False,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the page in a browser when it is done.")
    ] = False,
) -> None:
    """Write one page to look at: refocus, look around, compare, read values.

    The page is one file that needs no server, no network and no other file.

    Example:  lfdfp inspect IMG_0001/ --open

    Example:  lfdfp inspect field.h5 -o field.html
    """
    from lfdfp.files import PAGE_SUFFIXES, check_outputs, write_text
    from lfdfp.rendering.render import reduced
    from lfdfp.report.page import ELEMENT, picture_element
    from lfdfp.report.run_outputs import write_page

    page = _default_page(target) if output is None else output
    script = page.with_name(ELEMENT)
    with reported_errors(target):
        check_outputs(page, inputs=[target], endings=PAGE_SUFFIXES)
        if element:
            check_outputs(script, inputs=[target])
        shown = _rendered(_read(target))
        picture = shown.picture
        with stage_bar("page"):
            write_page(
                page,
                reduced(picture, 2) if picture.scale == 4 else picture,
                shown.stack,
                views=shown.views,
                plain=shown.plain,
                title=target.name,
                facts=_facts(shown),
                warnings=picture.provenance.warnings,
            )
        if element:
            write_text(script, picture_element())
    say(str(page))
    if element:
        say(str(script))
    if open_page:
        webbrowser.open(page.resolve().as_uri())


def _default_page(target: Path) -> Path:
    return target / "inspect.html" if target.is_dir() else target.with_suffix(".html")


def _read(target: Path) -> _Shown:
    from lfdfp.pipeline.reuse import FOCAL_STACK, FUSION
    from lfdfp.storage.hdf5 import kind_of, load_focal_stack, load_sharp_picture

    path = target / FUSION if target.is_dir() and (target / FUSION).is_file() else target
    kind = kind_of(path) if path.is_file() and path.suffix in (".h5", ".hdf5") else None
    if kind == "fusion_result":
        beside = path.with_name(FOCAL_STACK)
        stack = load_focal_stack(beside) if beside.is_file() else None
        sources = (path,) if stack is None else (path, beside)
        return _Shown(picture=load_sharp_picture(path), stack=stack, sources=sources)
    if kind == "focal_stack":
        stack = load_focal_stack(path)
        middle = stack.slices[len(stack.slices) // 2]
        seen = middle if stack.reference_view is None else stack.reference_view
        name = "Middle slice" if stack.reference_view is None else "Center view"
        return _Shown(picture=_plain(seen), stack=stack, sources=(path,), plain=name)
    if not path.exists():
        raise StorageError(f"{path}: no such file or folder")
    return _field(path)


def _rendered(shown: _Shown) -> _Shown:
    from lfdfp.pipeline.shown import as_shown

    picture, stack = as_shown(shown.picture, shown.stack, shown.sources[0])
    return replace(shown, picture=picture, stack=stack)


def _field(path: Path) -> _Shown:
    from lfdfp.cli.inputs import field_input
    from lfdfp.refocusing import focal_stack

    field = field_input(path).field
    with stage_bar("refocus") as progress:
        stack = focal_stack(field, progress=progress)
    v, u = field.center
    return _Shown(
        picture=_plain(field.view(v, u)),
        stack=stack,
        sources=(path,),
        plain="Center view",
        views=tuple(field.view(v, one) for one in range(field.views.shape[1])),
    )


def _plain(light: FloatArray) -> SharpPicture:
    """A view or slice as the picture of a page."""
    made = Provenance(data_term="stack", prior="none")
    return SharpPicture(all_in_focus=light, super_resolved=light, scale=1, provenance=made)


def _facts(shown: _Shown) -> dict[str, str]:
    from lfdfp.storage.hdf5 import provenance_of
    from lfdfp.storage.images import SHOT
    from lfdfp.storage.pictures.shot import shot_in_words

    facts: dict[str, str] = {}
    for path in shown.sources:
        if path.suffix in (".h5", ".hdf5") and path.is_file():
            told = provenance_of(path)
            facts |= {
                name.replace("_", " "): str(told[name])
                for name in ("program", "input", "input_sha256")
                if name in told
            } | shot_in_words(told.get(SHOT))
    steps = [*(shown.stack.history if shown.stack else ()), *shown.picture.provenance.history]
    if steps:
        facts["steps"] = "; ".join(dict.fromkeys(steps))
    return facts
