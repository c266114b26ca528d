"""What each imperfection of a camera, and each kind of scene, costs the picture from the rays.

    python -m lfdfp.benchmarks.ray_robustness --camera f01 --seeds 1 2
    python -m lfdfp.benchmarks.ray_robustness --size 400 --cases plain "disparity 0"

Every case changes one thing about a plain camera and a scene of three layers, with a white image,
and runs the product: calibration, decoding, stack, rays. The picture from rays stands beside two
from the stack, both fused from exactly shifted slices by decision maps: back-projected, and
enlarged as `--preset fast` does. The change is that of the picture from rays against the plain case
of the same seeds. The truth is used for scores alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import get_args

import numpy as np

from lfdfp.datatypes import Calibration, FloatArray
from lfdfp.evaluation.protocol import score
from lfdfp.evaluation.simulated_captures import aligned_truth
from lfdfp.fusion.presets import EngineSettings
from lfdfp.reconstruction.solution import area_average
from lfdfp.settings import FusionSettings
from lfdfp.simulation import Imperfections, camera_model, simulate_capture
from lfdfp.simulation.camera import NOISY, REALISTIC, one_by_one
from lfdfp.simulation.names import CameraName, ScenePreset
from lfdfp.simulation.presets import make_scene

_SIZES = {"f01": 800, "illum": 1144}
_SCALES = (2, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that differs from the plain capture.

    Attributes
    ----------
    grid_offset_px, grid_scale
        Error of the lattice: both coordinates moved, and distances from the middle stretched.
    disparities
        Of the layers, in pitches per raw pixel; None draws them from the seed.
    """

    name: str
    scene: ScenePreset = "layers"
    flaws: Imperfections = field(default_factory=Imperfections)
    iso: float | None = None
    white_image: bool = True
    grid_offset_px: float = 0.0
    grid_scale: float = 1.0
    disparities: tuple[float, ...] | None = None


def _one_by_one() -> Iterator[Case]:
    """Every imperfection by itself, at its realistic size."""
    yield Case(name="hexagonal footprint", flaws=Imperfections(footprint="hexagon"))
    for scale in (0.93, 1.07):
        yield Case(name=f"footprint x {scale}", flaws=Imperfections(footprint_scale=scale))
    for name, size, flaws in one_by_one():
        yield Case(name=f"{name} {size:g}", flaws=flaws)


CASES: tuple[Case, ...] = (
    Case(name="plain"),
    *_one_by_one(),
    Case(name="lattice moved by 0.1 px", grid_offset_px=0.1),
    Case(name="lattice moved by 0.2 px", grid_offset_px=0.2),
    Case(name="lattice pitch + 0.05 %", grid_scale=1.0005),
    *(Case(name=f"ISO {iso}", iso=float(iso)) for iso in (80, 400, 800, 1600, 3200)),
    Case(name="slanted surfaces", scene="slanted"),
    Case(name="curved surfaces", scene="curved"),
    Case(name="thin wires", scene="thin"),
    Case(name="specular, saturated", scene="specular"),
    Case(name="hardly any texture", scene="flat"),
    Case(name="disparity 0", scene="plane", disparities=(0.0,)),
    Case(name="all imperfections", flaws=REALISTIC),
    Case(name="all, and as noisy as real F01", flaws=NOISY),
    Case(name="no white image", white_image=False),
    Case(name="all imperfections, no white image", flaws=REALISTIC, white_image=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseScore:
    """PSNR in dB at x2 and x4 of one capture, and the CPU seconds of the picture from rays."""

    case: str
    seed: int
    cpu_s: float
    rays: tuple[float, float]
    stack: tuple[float, float]
    back_projected_stack: tuple[float, float]
    perfect_view: tuple[float, float]


def measure(case: Case, camera: CameraName, size: int, seed: int) -> CaseScore:
    """Simulate one capture, run the product on it, compare with the truth."""
    from lfdfp.calibration import calibrate
    from lfdfp.decoding import decode
    from lfdfp.fusion import fuse
    from lfdfp.imaging.resampling import bicubic
    from lfdfp.pipeline.stages import sharp_picture
    from lfdfp.refocusing import focal_stack

    model = camera_model(camera, size=size, iso=case.iso, imperfections=case.flaws)
    scene = make_scene(case.scene, model.field_pitch, seed=seed, disparities=case.disparities)
    capture = simulate_capture(scene, model, seed=seed)
    raw = capture.raw_capture()
    white = capture.white_capture() if case.white_image else None
    decoded = decode(raw, _falsified(calibrate(raw, white), case))
    stack = focal_stack(decoded)
    truth = aligned_truth(capture, decoded)
    start = time.process_time()
    finest = sharp_picture(decoded, stack, FusionSettings(scale=4)).super_resolved
    cpu_s = time.process_time() - start
    found: dict[str, list[float]] = defaultdict(list)
    for scale in _SCALES:
        plain = FusionSettings(scale=scale, preset="fast", data="stack")
        pictures: dict[str, FloatArray] = {
            "rays": area_average(finest, truth.sampling.shape, scale),
            "perfect view": bicubic(truth.view(0.0, 0.0), scale),
        }
        for name, engine in (("stack", None), ("back-projected stack", EngineSettings())):
            pictures[name] = fuse(stack, plain, engine=engine).super_resolved
        wanted = truth.all_in_focus(scale)
        for name, picture in pictures.items():
            found[name].append(score(name, wanted, picture, scale=scale).psnr_db)
    return CaseScore(
        case=case.name,
        seed=seed,
        cpu_s=cpu_s,
        rays=(found["rays"][0], found["rays"][1]),
        stack=(found["stack"][0], found["stack"][1]),
        back_projected_stack=(found["back-projected stack"][0], found["back-projected stack"][1]),
        perfect_view=(found["perfect view"][0], found["perfect view"][1]),
    )


def _falsified(calibration: Calibration, case: Case) -> Calibration:
    """The calibration with the case's lattice error."""
    grid = calibration.grid
    middle = (np.array(grid.sensor_shape) - 1) / 2
    origin = middle + case.grid_scale * (np.array(grid.origin_px) - middle) + case.grid_offset_px
    right, down = (case.grid_scale * np.array(step) for step in (grid.right_px, grid.down_px))
    false = replace(
        grid,
        origin_px=(float(origin[0]), float(origin[1])),
        right_px=(float(right[0]), float(right[1])),
        down_px=(float(down[0]), float(down[1])),
    )
    return replace(calibration, grid=false)


def table(scores: Sequence[CaseScore]) -> str:
    """Markdown: a row per case, means over the seeds."""
    lines = [
        "| case | rays ×2 / ×4, dB | over a perfect view | over the stack, back-projected "
        "| over the stack, fast | least over it | change | CPU-s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    plain = {s.seed: np.array(s.rays) for s in scores if s.case == CASES[0].name}
    for name in dict.fromkeys(s.case for s in scores):
        own = [s for s in scores if s.case == name]
        rays, stack, projected, view = (
            np.array([getattr(s, part) for s in own])
            for part in ("rays", "stack", "back_projected_stack", "perfect_view")
        )
        change = [np.array(s.rays) - plain[s.seed] for s in own if s.seed in plain]
        same_scene = next(c for c in CASES if c.name == name).scene == CASES[0].scene
        shown = _pair(np.mean(change, axis=0)) if change and same_scene else ""
        mean = rays.mean(axis=0)
        gains = [_pair((rays - other).mean(axis=0)) for other in (view, projected, stack)]
        least = _pair((rays - stack).min(axis=0))
        cpu = f"{np.mean([s.cpu_s for s in own]):.1f}"
        cells = (name, f"{mean[0]:.2f} / {mean[1]:.2f}", *gains, least, shown, cpu)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _pair(values: FloatArray) -> str:
    return f"{values[0]:+.2f} / {values[1]:+.2f}"


def main() -> None:
    """Measure, print the table, write everything as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--camera", choices=get_args(CameraName), default="f01")
    parser.add_argument("--size", type=int, help="sensor side; default 800 (F01), 1144 (Illum)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--cases", nargs="*", help="names; default: all")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    chosen = [c for c in CASES if not options.cases or c.name in options.cases]
    scores = []
    for case in chosen:
        for seed in options.seeds:
            size = options.size or _SIZES[options.camera]
            scores.append(measure(case, options.camera, size, seed))
            print(scores[-1], file=sys.stderr, flush=True)
    print(table(scores))
    if options.json:
        options.json.write_text(json.dumps([asdict(s) for s in scores], indent=1))


if __name__ == "__main__":
    main()
