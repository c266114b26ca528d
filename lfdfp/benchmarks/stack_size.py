"""Time and memory of ``lfdfp fuse`` by the number and the size of photographs.

``python -m lfdfp.benchmarks.stack_size --frames 9 40 --megapixels 6`` writes JPEG photographs of
one drawn scene, in which each shows another strip sharply, and prints for every number of them the
largest memory and the processor time of ``lfdfp fuse``, and of enfuse where it is installed. With
``--moved`` each photograph is shifted by some pixels, and enfuse gets them as they are: its time
alone says something then.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from lfdfp.evaluation.peers import peer_command

_BLUR_PX: Final = 3.0
_NOISE: Final = 2.0
_LARGEST_SHIFT_PX: Final = 4
_QUALITY: Final = 92
_LFDFP: Final = "from lfdfp.cli.main import main; main()"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a program took: memory at its peak, and processor time."""

    peak_mb: float
    cpu_s: float


def write_photographs(folder: Path, count: int, megapixels: float, *, moved: bool) -> list[Path]:
    """`count` photographs of 3 : 2, each sharp in a strip of its own."""
    rows = round(float(np.sqrt(megapixels * 1e6 / 1.5)))
    columns = round(1.5 * rows)
    rng = np.random.default_rng(0)
    sharp = np.full((rows, columns, 3), 118, np.float32)
    for step in (2, 8, 40, 200):
        coarse = rng.normal(0, 22, (rows // step + 2, columns // step + 2, 3)).astype(np.float32)
        sharp += cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(sharp, (0, 0), _BLUR_PX)
    edges = np.linspace(0, columns, count + 1).round().astype(int)
    paths = []
    for number in range(count):
        strip = slice(edges[number], edges[number + 1])
        picture = soft.copy()
        picture[:, strip] = sharp[:, strip]
        picture += rng.normal(0, _NOISE, (rows, columns, 1)).astype(np.float32)
        if moved:
            shift = rng.integers(-_LARGEST_SHIFT_PX, _LARGEST_SHIFT_PX + 1, 2)
            picture = np.roll(picture, tuple(shift), (0, 1))
        paths.append(folder / f"{number:03d}.jpg")
        codes = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
        cv2.imwrite(str(paths[-1]), codes, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return paths


def _written_apart(folder: Path, count: int, megapixels: float, *, moved: bool) -> list[Path]:
    """`write_photographs` in a process of its own: a child's peak counts what its parent had."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        task = pool.submit(write_photographs, folder, count, megapixels, moved=moved)
        return task.result()


def cost_of(command: Sequence[str]) -> Cost:
    """Run a program; what the system says of it.

    Raises
    ------
    RuntimeError
        Where it fails.
    """
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return Cost(peak_mb=used.ru_maxrss / 1024, cpu_s=used.ru_utime + used.ru_stime)


def commands(paths: Sequence[Path], output: Path, *, moved: bool) -> dict[str, list[str]]:
    """The programs that are compared, with their arguments."""
    files = [str(path) for path in paths]
    still = [] if moved else ["--no-align", "--no-equalize"]
    made = {"lfdfp": [sys.executable, "-c", _LFDFP, "fuse", *files, "-o", str(output), *still]}
    if shutil.which("enfuse"):
        made["enfuse"] = peer_command("enfuse", files, output)
    return made


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", nargs="+", type=int, default=(3, 9, 40))
    parser.add_argument("--megapixels", type=float, default=6.0)
    parser.add_argument("--moved", action="store_true")
    options = parser.parse_args(arguments)
    print("| photographs | program | peak MB | MB per megapixel | CPU-s per photograph |")
    print("|---|---|---|---|---|")
    for count in options.frames:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            paths = _written_apart(folder, count, options.megapixels, moved=options.moved)
            for program, command in commands(
                paths, folder / "fused.png", moved=options.moved
            ).items():
                cost = cost_of(command)
                print(
                    f"| {count} x {options.megapixels:g} MP | {program} | {cost.peak_mb:.0f} "
                    f"| {cost.peak_mb / options.megapixels:.0f} | {cost.cpu_s / count:.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main(sys.argv[1:])
