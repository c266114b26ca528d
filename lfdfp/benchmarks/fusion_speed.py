"""Time and memory of fusing one stack, each case in a process of its own."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import cv2
import numpy as np

from lfdfp.benchmarks.photograph_pairs import Pair
from lfdfp.datatypes import FloatArray, FocalStack
from lfdfp.fusion import fuse
from lfdfp.fusion.paper.settings import PaperSettings
from lfdfp.fusion.presets import PRESETS, EngineSettings
from lfdfp.imaging.display import decode_srgb
from lfdfp.settings import FusionSettings, Preset

SHAPE = (434, 625)
PAPER_ITERATIONS = 20
_OWN: tuple[Preset, ...] = ("fast", "balanced", "best")


def stack_of_four(sharp: FloatArray) -> FocalStack:
    """Four slices of 625 x 434, more and more blurred."""
    sized = cv2.resize(sharp, SHAPE[::-1], interpolation=cv2.INTER_AREA)
    blurred = [cv2.GaussianBlur(sized, (0, 0), 0.8 * n) if n else sized for n in range(4)]
    return FocalStack(slices=decode_srgb(np.stack(blurred)))


def measured(
    stack: FocalStack, scale: int, preset: Preset, engine: EngineSettings | None
) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds, and the process's peak memory in GB."""
    wall, cpu = time.perf_counter(), time.process_time()
    fuse(stack, FusionSettings(scale=scale, preset=preset), engine=engine)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def alone(
    stack: FocalStack, scale: int, preset: Preset, engine: EngineSettings | None = None
) -> tuple[float, float, float]:
    """`measured` in a new process, so that its peak memory is its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        return pool.submit(measured, stack, scale, preset, engine).result()


def print_speed(pair: Pair, presets: Sequence[str]) -> None:
    """Time of a four-slice stack; of the paper's recipe a few iterations, extrapolated."""
    stack = stack_of_four(pair.truth)
    print("\n## Speed, four slices of 625 x 434\n")
    print("| | scale | wall s | CPU-s | GB |\n|---|---|---|---|---|")
    for scale in (2, 4):
        for preset in (name for name in _OWN if name in presets):
            wall, cpu, memory = alone(stack, scale, preset)
            print(f"| {preset} | {scale} | {wall:.1f} | {cpu:.1f} | {memory:.1f} |", flush=True)
    if "paper" not in presets:
        return
    paper = PaperSettings(iterations=PAPER_ITERATIONS, embedding_iterations=0)
    wall, cpu, memory = alone(stack, 2, "paper", replace(PRESETS["paper"], paper=paper))
    longer = PaperSettings().iterations / PAPER_ITERATIONS
    print(
        f"| paper, extrapolated from {PAPER_ITERATIONS} iterations | 2 | {longer * wall:.0f} "
        f"| {longer * cpu:.0f} | {memory:.1f} |"
    )
