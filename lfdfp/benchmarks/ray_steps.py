"""Where the time of the reconstruction from rays goes, beside the floor of reading every ray once.

    python -m lfdfp.benchmarks.ray_steps --camera illum
    python -m lfdfp.benchmarks.ray_steps --camera f01 --size 984

CPU seconds of one simulated capture with its true calibration, on one thread, so that a profiler
sees every pass; two threads take somewhat more than half of it. The floor is the time that NumPy
needs to add up the light, the response and the slopes of all pixels: what one pass over the rays
cannot undercut without fewer bytes. Steps overlap: the strength of the prior is found by solving.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from lfdfp.computing.memory import peak_memory_mib
from lfdfp.decoding import decode
from lfdfp.reconstruction.reconstruct import reconstruct
from lfdfp.simulation import CameraName, camera_model, make_scene, simulate_capture

_WHOLE = {"reconstruct.reconstruct": "everything"}
_STEPS = {
    "disparity_steps.first_disparity": "range and first disparity",
    "disparity_steps.sweep_planes": "disparity against the picture",
    "disparity_steps.fit_surfaces": "surfaces fitted to residuals",
    "picture_steps._follow": "visibility of every ray",
    "picture_steps._weighted_mean": "first picture",
    "picture_steps.solve_rounds": "picture: weights, equations, solution",
    "picture_steps.learn_noise": "noise from held-out rays",
    "strength.choose_strength": "strength of the prior",
    "certainty.certainty": "observability and standard error",
}
_PASSES = {
    "plane_sweep.agree": "rays agree on a plane's picture (spread, spread)",
    "plane_sweep.compare": "rays compared with a picture (gather)",
    "plane_sweep.cheapen": "misfits averaged",
    "semi_global.semi_global_costs": "semi-global matching",
    "observation.normal_equations": "normal equations (gather, spread)",
    "observation.forward": "predictions (gather)",
    "refinement.slope_steps": "Gauss-Newton terms (gather, spread)",
    "system.image": "operator of conjugate gradients (no rays)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTime:
    """Calls and seconds of one step, what it calls included."""

    title: str
    calls: int
    seconds: float


def floor_s(shape: tuple[int, int], repeats: int = 5) -> float:
    """Least time to read three float32 values of every pixel once."""
    arrays = [np.ones(shape, np.float32) for _ in range(3)]
    found = []
    for _ in range(repeats):
        start = time.process_time()
        for one in arrays:
            one.sum()
        found.append(time.process_time() - start)
    return min(found)


def times(stats: pstats.Stats, titles: dict[str, str]) -> Iterator[StepTime]:
    """What the profile says of functions, named ``module.function``, in the order of `titles`.

    Raises
    ------
    LookupError
        For a function that never ran: it has another name now.
    """
    entries = stats.stats.items()  # type: ignore[attr-defined]
    known = {f"{Path(file).stem}.{function}": value for (file, _, function), value in entries}
    for name, title in titles.items():
        if name not in known:
            raise LookupError(f"{name} ({title}) never ran: was it renamed?")
        _, calls, _, seconds, _ = known[name]
        yield StepTime(title=title, calls=calls, seconds=seconds)


def table(stats: pstats.Stats, floor: float) -> str:
    """Markdown: steps, then passes, with their share of the whole and in floors."""
    (whole,) = times(stats, _WHOLE)
    lines = [
        f"| step | calls | CPU-s | share | floors of {1000 * floor:.0f} ms |",
        "|---|---|---|---|---|",
    ]
    for titles in (_STEPS, _PASSES, _WHOLE):
        for row in times(stats, titles):
            share = 100 * row.seconds / whole.seconds
            lines.append(
                f"| {row.title} | {row.calls} | {row.seconds:.2f} | {share:.0f} % "
                f"| {row.seconds / floor:.0f} |"
            )
        if titles is _STEPS:
            lines.append("| *of these, passes:* | | | | |")
    return "\n".join(lines)


def main() -> None:
    """Simulate, profile, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--camera", choices=get_args(CameraName), default="f01")
    parser.add_argument("--size", type=int, help="sensor side; default: full")
    options = parser.parse_args()
    import numba

    numba.set_num_threads(1)
    model = camera_model(options.camera, size=options.size)
    scene = make_scene("layers", model.field_pitch, seed=1)
    capture = simulate_capture(scene, model, seed=1)
    field = decode(capture.raw_capture(), capture.true_calibration())
    small = camera_model(options.camera, size=400)
    warm = simulate_capture(make_scene("layers", small.field_pitch, seed=1), small, seed=1)
    reconstruct(decode(warm.raw_capture(), warm.true_calibration()))
    profile = cProfile.Profile(timer=time.process_time)
    profile.enable()
    reconstruct(field)
    profile.disable()
    print(table(pstats.Stats(profile), floor_s(model.shape)))
    print(f"\npeak memory {peak_memory_mib():.0f} MiB (simulation and decoding included)")


if __name__ == "__main__":
    main()
