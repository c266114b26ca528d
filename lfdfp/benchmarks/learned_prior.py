"""The learned prior of the picture from rays beside total variation, on the same captures.

    python -m lfdfp.benchmarks.learned_prior --camera f01
    python -m lfdfp.benchmarks.learned_prior --camera f01 --noise real --scenes portrait page

Every capture is solved once; its picture is judged before and after the correction, by
`lfdfp.evaluation.protocol`. The calibration is the true one; no scene of these has been learned
from.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, cast

import numpy as np

from lfdfp.computing.blas_threads import with_one_blas_thread
from lfdfp.datatypes import FloatArray, LightField
from lfdfp.decoding import decode
from lfdfp.evaluation.protocol import score
from lfdfp.evaluation.suites import CROPS_PX
from lfdfp.reconstruction.learned.apply import with_correction
from lfdfp.reconstruction.learned.correction import shipped_network
from lfdfp.reconstruction.learned.network import Committee, load_weights
from lfdfp.reconstruction.parameters import RayParameters
from lfdfp.reconstruction.ray_light import rays_of
from lfdfp.reconstruction.reconstruct import solution_of, solved_state
from lfdfp.reconstruction.solution import RaySolution, sharp_picture
from lfdfp.reconstruction.state import set_up
from lfdfp.settings import FusionSettings
from lfdfp.simulation import (
    CameraName,
    Imperfections,
    ScenePreset,
    camera_model,
    make_scene,
    simulate_capture,
)
from lfdfp.simulation.camera import NOISY

_DRAWN: Final = (
    "layers:1", "layers:2", "layers:3", "slanted:4", "curved:5", "thin:6", "specular:7", "flat:7",
)  # fmt: skip
_PHOTOGRAPHIC: Final = (
    "motorcycle:1", "portrait:1", "foliage:1", "page:1", "tissue:1", "night-sky:1", "lamps:1",
    "low-light:1", "nearly-black:1", "nearly-flat:1",
)  # fmt: skip
_NOISE: Final[dict[str, tuple[Imperfections | None, float | None]]] = {
    "usual": (None, None),
    "real": (NOISY, None),
    "iso-1600": (None, 1600.0),
}
"""Imperfections and ISO by name; `real` is as noisy as a real F01, with all imperfections."""

_SCALES: Final = (2, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorScore:
    """One capture; PSNR of total variation in dB, and what the learned prior adds to it.

    Attributes
    ----------
    coarse_share, fine_share
        Of both parts of the correction that were used.
    coarse_measured, fine_measured
        What held-out rays contain of them.
    solve_s, correct_s
        CPU seconds of total variation's solution, and of judgment and correction.
    """

    scene: str
    psnr_x2: float
    psnr_x4: float
    gain_x2: float
    gain_x4: float
    coarse_share: float
    fine_share: float
    coarse_measured: float
    fine_measured: float
    solve_s: float
    correct_s: float


@with_one_blas_thread
def measure(
    camera: CameraName,
    size: int | None,
    scene: str,
    noise: str,
    network: Committee,
) -> PriorScore:
    """Simulate, reconstruct, correct and compare one capture; `scene` is ``preset:seed``."""
    preset, seed = scene.split(":")
    flaws, iso = _NOISE[noise]
    model = camera_model(camera, size=size, imperfections=flaws, iso=iso)
    made = make_scene(cast(ScenePreset, preset), model.field_pitch, seed=int(seed))
    capture = simulate_capture(made, model, seed=int(seed))
    field = decode(capture.raw_capture(), capture.true_calibration())
    start = time.process_time()
    setup = set_up(*rays_of(field), FusionSettings(), RayParameters())
    solved = solved_state(setup)
    plain = solution_of(setup, solved)
    halfway = time.process_time()
    better = with_correction(setup, solved, plain, network)
    end = time.process_time()
    assert better.learned is not None
    found = {}
    for k in _SCALES:
        truth = capture.all_in_focus(k)
        pictures = (_picture(one, field, k) for one in (plain, better))
        found[k] = [score("", truth, picture, scale=k).psnr_db for picture in pictures]
    return PriorScore(
        scene=scene,
        psnr_x2=found[2][0],
        psnr_x4=found[4][0],
        gain_x2=found[2][1] - found[2][0],
        gain_x4=found[4][1] - found[4][0],
        coarse_share=better.learned.coarse_share,
        fine_share=better.learned.fine_share,
        coarse_measured=better.learned.measured[0],
        fine_measured=better.learned.measured[1],
        solve_s=halfway - start,
        correct_s=end - halfway,
    )


def _picture(solution: RaySolution, field: LightField, scale: int) -> FloatArray:
    return sharp_picture(solution, field, FusionSettings(scale=scale)).super_resolved


def _table(scores: list[PriorScore]) -> str:
    """Markdown: a row per capture, then the mean and the least."""
    lines = [
        "| scene | total variation ×2 / ×4, dB | learned adds "
        "| coarse / fine part in rays | used | CPU-s |",
        "|---|---|---|---|---|---|",
    ]
    for one in scores:
        cells = (
            one.scene,
            f"{one.psnr_x2:.2f} / {one.psnr_x4:.2f}",
            f"{one.gain_x2:+.2f} / {one.gain_x4:+.2f}",
            f"{one.coarse_measured:.2f} / {one.fine_measured:.2f}",
            f"{one.coarse_share:.2f} / {one.fine_share:.2f}",
            f"{one.solve_s:.1f} + {one.correct_s:.1f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    gains = np.array([(one.gain_x2, one.gain_x4) for one in scores])
    for name, (two, four) in (("mean", gains.mean(axis=0)), ("least", gains.min(axis=0))):
        lines.append(f"| **{name}** | | **{two:+.2f} / {four:+.2f}** | | | |")
    return "\n".join(lines)


def main() -> None:
    """Print the table, and write everything as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--camera", choices=tuple(CROPS_PX), default="f01")
    parser.add_argument("--size", type=int, help="side in pixels; default: as suites")
    parser.add_argument("--noise", choices=tuple(_NOISE), default="usual")
    parser.add_argument("--scenes", nargs="*", default=[*_DRAWN, *_PHOTOGRAPHIC])
    parser.add_argument("--weights", type=Path, help="default: those that are shipped")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    network = load_weights(options.weights) if options.weights else shipped_network()
    size = options.size or CROPS_PX[options.camera]
    scores = []
    for scene in options.scenes:
        scores.append(measure(options.camera, size, scene, options.noise, network))
        one = scores[-1]
        print(f"{scene} {one.gain_x2:+.2f} / {one.gain_x4:+.2f}", flush=True)
    print(_table(scores))
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in scores], indent=1))


if __name__ == "__main__":
    main()
