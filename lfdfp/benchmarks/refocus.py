"""Time of shift-and-sum beside other ways to the same sum, in one run.

    python -m lfdfp.benchmarks.refocus [--planes 8] [--views 15] [--size 434x625] [--json FILE]

All rows are made with one thread, from the same random field, and count CPU-seconds of the whole
process; the best of two runs, after one that is not counted. Rows marked (n of V²) were measured
on some of the views and scaled up. "x floor" is against reading the field once.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from lfdfp.datatypes import DoubleArray, FloatArray, LightField


def random_field(views: int, shape: tuple[int, int], *, seed: int = 0) -> LightField:
    """A field of noise as decoding stores it: 16-bit codes, 8-bit weights."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 60000, (views, views, *shape, 3), dtype=np.uint16)
    weights = rng.integers(1, 256, codes.shape[:4], dtype=np.uint8)
    return LightField(views=codes, weights=weights, scale=1 / 65535, weight_scale=1 / 255)


def cpu_seconds(work: Callable[[], object], *, runs: int = 2) -> float:
    """CPU-seconds of the best of some runs, after one that compiles and warms up."""
    work()
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def read_once(field: LightField) -> float:
    """Sum all stored codes."""
    codes = field.views.reshape(-1)
    return float(np.add.reduce(codes[: codes.size // 4 * 4].view(np.uint64)))


def roll_sum(field: LightField, slopes: DoubleArray) -> FloatArray:
    """NumPy: whole-pixel shifts, no weights."""
    result = np.zeros((len(slopes), *field.views.shape[2:]), np.float32)
    for v, u in np.ndindex(*field.angular_shape):
        view = field.view(v, u)
        for n, slope in enumerate(slopes):
            shift = (-round(slope * (v - field.center[0])), -round(slope * (u - field.center[1])))
            result[n] += np.roll(view, shift, (0, 1))
    return result


def opencv_sum(field: LightField, slopes: DoubleArray) -> FloatArray:
    """OpenCV: bilinear warp of every view, no weights."""
    import cv2

    height, width = field.spatial_shape
    result = np.zeros((len(slopes), *field.views.shape[2:]), np.float32)
    for v, u in np.ndindex(*field.angular_shape):
        view = field.view(v, u)
        for n, slope in enumerate(slopes):
            y, x = -slope * (v - field.center[0]), -slope * (u - field.center[1])
            moved = np.array([[1, 0, x], [0, 1, y]], np.float64)
            result[n] += cv2.warpAffine(view, moved, (width, height))
    return result


def scipy_sum(field: LightField, slopes: DoubleArray, *, order: Literal[1, 3], views: int) -> None:
    """SciPy: spline shift of the first views of the middle row, no weights."""
    from scipy import ndimage

    for u in range(views):
        view = field.view(field.center[0], u)
        for slope in slopes:
            shift = [0.3, float(-slope * (u - field.center[1])), 0.0]
            ndimage.shift(view, shift, order=order)


def plenpy_sum(field: LightField, slope: float) -> None:
    """plenpy (extra): one slope; SciPy's removed `interp2d` is put back for it.

    Raises
    ------
    ImportError
        Where plenpy is not installed.
    """
    from scipy import interpolate

    def interp2d(
        x: DoubleArray, y: DoubleArray, z: FloatArray, **options: object
    ) -> Callable[[DoubleArray, DoubleArray], DoubleArray]:
        spline = interpolate.RectBivariateSpline(y, x, z, kx=1, ky=1)
        return lambda columns, rows: spline(rows, columns)

    vars(interpolate)["interp2d"] = interp2d
    from plenpy.lightfields import LightField as PlenpyField

    views = np.stack(
        [
            np.stack([field.view(v, u) for u in range(field.angular_shape[1])])
            for v in range(field.angular_shape[0])
        ]
    )
    with contextlib.redirect_stdout(io.StringIO()):  # it draws a progress bar
        PlenpyField(views).get_refocus(slope)


def measure(field: LightField, planes: int) -> list[tuple[str, float]]:
    """(method, CPU-seconds) of all methods."""
    import cv2
    import torch

    from lfdfp.refocusing import refocus_planes

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    slopes, one = np.linspace(-1, 1, planes), np.array([0.37])
    rows = [("read once", cpu_seconds(lambda: read_once(field)))]
    for some in (one, slopes):
        for kernel in ("linear", "cubic", "fourier"):
            seconds = cpu_seconds(
                lambda some=some, kernel=kernel: refocus_planes(  # type: ignore[misc]
                    field, some, kernel=kernel, threads=1
                )
            )
            rows.append((f"lfdfp {kernel}, {len(some)} plane(s)", seconds))
    many = np.linspace(-1, 1, 40)
    seconds = cpu_seconds(lambda: refocus_planes(field, many, threads=1), runs=1)
    rows.append(("lfdfp cubic, 40 planes", seconds))
    seconds = cpu_seconds(lambda: refocus_planes(field, slopes, threads=1, device="cpu"), runs=1)
    rows.append((f"lfdfp cubic by torch, {planes} planes", seconds))
    rows.append(
        (f"NumPy roll (whole pixels), {planes}", cpu_seconds(lambda: roll_sum(field, slopes)))
    )
    rows.append(
        (f"OpenCV warpAffine (linear), {planes}", cpu_seconds(lambda: opencv_sum(field, slopes)))
    )
    try:
        seconds = cpu_seconds(lambda: plenpy_sum(field, 0.37), runs=1)
        rows.append(("plenpy get_refocus (linear), 1 plane", seconds))
    except ImportError:
        rows.append(("plenpy: not installed (extra plenpy)", float("nan")))
    total = field.angular_shape[0] * field.angular_shape[1]
    samples: tuple[tuple[Literal[1, 3], int], ...] = ((1, 3), (3, 1))
    for order, views in samples:
        seconds = cpu_seconds(
            lambda order=order, views=views: scipy_sum(  # type: ignore[misc]
                field, slopes, order=order, views=views
            ),
            runs=1,
        )
        name = f"SciPy shift, order {order}, {planes} ({views} of {total})"
        rows.append((name, seconds * total / views))
    return rows


def wall_seconds_of_one_plane(field: LightField, threads: int) -> float:
    """Time that a person waits for one new plane (cubic)."""
    from lfdfp.refocusing import refocus

    times = []
    for slope in (0.1, 0.2, 0.3, 0.4):
        start = time.perf_counter()
        refocus(field, slope, threads=threads)
        times.append(time.perf_counter() - start)
    return min(times)


def peak_memory_mb() -> float:
    """Largest resident size of this process so far."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--planes", type=int, default=8)
    parser.add_argument("--views", type=int, default=15)
    parser.add_argument("--size", default="434x625", help="ROWSxCOLUMNS of a view")
    parser.add_argument("--json", type=Path, default=None)
    arguments = parser.parse_args()
    rows, columns = (int(n) for n in arguments.size.split("x"))
    field = random_field(arguments.views, (rows, columns))
    before = peak_memory_mb()
    from lfdfp.refocusing import refocus_planes

    refocus_planes(field, np.linspace(-1, 1, arguments.planes), threads=1)
    extra = peak_memory_mb() - before
    one_plane = wall_seconds_of_one_plane(field, 2)
    table = measure(field, arguments.planes)
    floor = table[0][1]
    print(f"field {field.views.shape}, {field.views.nbytes / 2**20:.0f} MB; 1 thread, CPU-seconds")
    for name, seconds in table:
        print(f"{name:44s} {seconds:9.3f} {seconds / floor:9.1f} x floor")
    print(f"one cubic plane, wall-clock with 2 threads: {one_plane:.3f} s")
    print(f"memory above the field, {arguments.planes} cubic planes: {extra:.0f} MB")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    if arguments.json is not None:
        facts = {"cpu_seconds": dict(table), "one_plane_wall_s": one_plane, "extra_mb": extra}
        arguments.json.write_text(json.dumps(facts, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
