"""Named sets of captures that every method is judged on alike: ``lfdfp evaluate --suite``.

`lfdfp.evaluation.protocol` decides for all of them which pixels count and in what encoding. Every
capture goes through the program as its owner's would, with the defaults. The truth is used for
scores alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lfdfp.errors import SettingsError
from lfdfp.evaluation.peers import installed_peers
from lfdfp.evaluation.protocol import Score
from lfdfp.evaluation.simulated_captures import run_scene
from lfdfp.progress import StageProgress, silent_stage, stages_of
from lfdfp.simulation import Imperfections, camera_model, make_scene, simulate_capture
from lfdfp.simulation.camera import NOISY, REALISTIC, one_by_one
from lfdfp.simulation.names import CameraName, ScenePreset

CROPS_PX: Final[Mapping[CameraName, int]] = {"f01": 656, "illum": 936}
"""Sides of the sensors' middles that suites use unless whole sensors are asked for."""

SCALES: Final = (2, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureCase:
    """One simulated capture of a suite.

    Attributes
    ----------
    size
        Side of the sensor's middle that is simulated, in pixels; None for the whole sensor.
    white_image
        Whether the program is given the camera's white image.
    """

    name: str
    camera: CameraName
    scene: ScenePreset
    seed: int = 1
    size: int | None = None
    flaws: Imperfections | None = None
    iso: float | None = None
    white_image: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What every method reached on one case, and what the product's stages took.

    Attributes
    ----------
    group
        What the means of the table are over.
    cpu_s
        CPU seconds from the raw capture to the picture, of the largest scale.
    """

    case: str
    group: str
    scores: tuple[Score, ...]
    cpu_s: float


_DRAWN: Final[tuple[tuple[ScenePreset, int], ...]] = (
    ("layers", 1), ("layers", 2), ("slanted", 4), ("curved", 5), ("thin", 6), ("specular", 7),
)  # fmt: skip
_PHOTOGRAPHIC: Final[tuple[ScenePreset, ...]] = (
    "motorcycle", "portrait", "foliage", "page", "tissue", "night-sky", "lamps", "low-light",
)  # fmt: skip


def _drawn(camera: CameraName) -> Iterator[CaptureCase]:
    for white in (True, False):
        for scene, seed in _DRAWN:
            yield CaptureCase(
                name=f"{scene} {seed}", camera=camera, scene=scene, seed=seed, white_image=white
            )


def _photographic(camera: CameraName) -> Iterator[CaptureCase]:
    for white in (True, False):
        for scene in _PHOTOGRAPHIC:
            yield CaptureCase(name=scene, camera=camera, scene=scene, white_image=white)


def _imperfect(camera: CameraName) -> Iterator[CaptureCase]:
    plain = CaptureCase(name="plain", camera=camera, scene="motorcycle", white_image=True)
    yield plain
    for name, _, flaws in one_by_one():
        yield replace(plain, name=name, flaws=flaws)
    yield replace(plain, name="hexagonal footprint", flaws=Imperfections(footprint="hexagon"))
    for iso in (400, 1600, 3200):
        yield replace(plain, name=f"ISO {iso}", iso=float(iso))
    yield replace(plain, name="all imperfections", flaws=REALISTIC)
    yield replace(plain, name="all, and as noisy as a real F01", flaws=NOISY)
    yield replace(plain, name="all, without the white image", flaws=REALISTIC, white_image=False)


SUITES: Final[Mapping[str, Callable[[CameraName], Iterator[CaptureCase]]]] = {
    "drawn": _drawn,
    "photographic": _photographic,
    "imperfections": _imperfect,
}
"""Cases of each suite, for a camera."""


def suite_cases(name: str, camera: CameraName, *, whole: bool = False) -> list[CaptureCase]:
    """The captures of a suite; `whole` simulates whole sensors instead of their middles.

    Raises
    ------
    SettingsError
        For a suite that does not exist.
    """
    if name not in SUITES:
        raise SettingsError(f"there is no suite {name!r}; there are {', '.join(SUITES)}")
    size = None if whole else CROPS_PX[camera]
    return [replace(case, size=size) for case in SUITES[name](camera)]


def run_case(case: CaptureCase, *, stage: StageProgress = silent_stage) -> CaseResult:
    """Simulate one capture, run the program and what it is compared with, and score them all.

    Raises
    ------
    LfdfpError
        As the stages.
    """
    camera = camera_model(case.camera, size=case.size, iso=case.iso, imperfections=case.flaws)
    scene = make_scene(case.scene, camera.field_pitch, seed=case.seed)
    own = stages_of(case.name, stage)
    with own("simulate"):
        capture = simulate_capture(scene, camera, seed=case.seed)
    result = run_scene(
        capture, scales=SCALES, white_image=case.white_image, peers=installed_peers(), stage=own
    )
    last = f"x{SCALES[-1]}"
    once = [t for t in result.times if not t.name.startswith(("x", "baselines"))]
    scaled = [t for t in result.times if t.name.startswith(last)]
    group = case.camera + (", white image" if case.white_image else ", capture alone")
    return CaseResult(
        case=case.name,
        group=group,
        scores=result.scores,
        cpu_s=sum(t.cpu_s for t in (*once, *scaled)),
    )


def suite_table(results: Sequence[CaseResult]) -> str:
    """Markdown: a row per group, scale and method with means over its cases, then every case."""
    rows: dict[tuple[str, int, str], list[Score]] = defaultdict(list)
    for result in results:
        for one in result.scores:
            rows[result.group, one.scale, one.name].append(one)
    lines = ["| captures | scale | method | PSNR dB | least | SSIM |", "|---|---|---|---|---|---|"]
    for key in sorted(rows, key=lambda key: key[:2]):
        group, scale, name = key
        psnr = [one.psnr_db for one in rows[key]]
        ssim = np.mean([one.ssim for one in rows[key]])
        lines.append(
            f"| {group} | ×{scale} | {name} | {np.mean(psnr):.2f} | {min(psnr):.2f} | {ssim:.3f} |"
        )
    gains = ", ".join(f"×{scale}" for scale in SCALES)
    lines += [
        "",
        f"| captures | case | the program, {gains}, dB | over a perfect view | CPU-s |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(_case_row(result) for result in results)])


def _case_row(result: CaseResult) -> str:
    found = {(one.scale, one.name): one.psnr_db for one in result.scores}
    own = [found[scale, "lfdfp, rays"] for scale in SCALES]
    view = [found[scale, "perfect noise-free view + bicubic"] for scale in SCALES]
    reached = " / ".join(f"{value:.2f}" for value in own)
    gain = " / ".join(f"{a - b:+.2f}" for a, b in zip(own, view, strict=True))
    return f"| {result.group} | {result.case} | {reached} | {gain} | {result.cpu_s:.1f} |"
