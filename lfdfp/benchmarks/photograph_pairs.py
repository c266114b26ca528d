"""Pairs of photographs of different focus with known truth, and what is scored of a method."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from lfdfp.datatypes import FloatArray
from lfdfp.evaluation.metrics import psnr, psnr_luma, relative_to_truth, ssim

CROP_PX = 320


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two slices (2, T, S, 3) and the truth (kT, kS, 3), encoded for display."""

    name: str
    slices: FloatArray
    truth: FloatArray


def read_picture(path: Path) -> FloatArray:
    """(T, S, 3) encoded, in [0, 1]."""
    codes = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if codes is None:
        raise FileNotFoundError(path)
    return np.ascontiguousarray(codes[..., ::-1].astype(np.float32) / 255)


def whu_pairs(folder: Path, names: Sequence[str] = ()) -> Iterator[Pair]:
    """MFI-WHU: A, B and the sharp source per pixel."""
    for truth in sorted((folder / "mfi-whu" / "reference").glob("*.png")):
        if names and truth.stem not in names:
            continue
        files = [folder / "mfi-whu" / side / f"{truth.stem}.jpg" for side in "AB"]
        yield Pair(
            name=truth.stem,
            slices=np.stack([read_picture(f) for f in files]),
            truth=read_picture(truth),
        )


def nyu_pairs(folder: Path) -> Iterator[Pair]:
    """NYU-D: near, far and the picture that the defocus was rendered from."""
    for truth in sorted((folder / "nyu-d" / "sharp").iterdir()):
        files = [folder / "nyu-d" / side / f"{truth.stem}.jpg" for side in ("near", "far")]
        yield Pair(
            name=truth.stem,
            slices=np.stack([read_picture(f) for f in files]),
            truth=read_picture(truth),
        )


def shrunk(pair: Pair, scale: int, noise: float = 0.0, crop_px: int = CROP_PX) -> Pair:
    """Centered crop; slices shrunk by Pillow's bicubic filter to 8 bits, with noise if any."""
    from PIL import Image

    t, s = (max((n - crop_px) // 2, 0) for n in pair.truth.shape[:2])
    crop = np.s_[t : t + crop_px, s : s + crop_px]
    truth = pair.truth[crop]
    size = (truth.shape[1] // scale, truth.shape[0] // scale)
    slices = []
    for one in pair.slices:
        codes = Image.fromarray(np.rint(255 * one[crop]).astype(np.uint8))
        slices.append(np.asarray(codes.resize(size, Image.Resampling.BICUBIC), np.float32) / 255)
    stack = np.stack(slices)
    if noise > 0:
        drawn = np.random.default_rng(0).normal(0, noise, stack.shape).astype(np.float32)
        stack = np.clip(stack + drawn, 0, 1)
    return Pair(name=pair.name, slices=stack.astype(np.float32), truth=truth)


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a method made of a pair: (kT, kS, 3), encoded.

    Attributes
    ----------
    course
        (CPU seconds since the start, PSNR_Y in dB) of iterates on the way.
    """

    picture: FloatArray
    course: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Row:
    """One method on one pair; `task` says at which scale, noise and seed."""

    task: str
    method: str
    pair: str
    psnr_luma: float
    psnr: float
    ssim: float
    table_1: dict[str, float]
    cpu_s: float
    course: tuple[tuple[float, float], ...] = ()


def scored(task: str, method: str, pair: Pair, make: Callable[[], Made]) -> Row:
    """Run one method and score it."""
    start = time.process_time()
    made = make()
    took = time.process_time() - start
    picture = np.clip(made.picture, 0, 1)
    return Row(
        task=task,
        method=method,
        pair=pair.name,
        psnr_luma=psnr_luma(pair.truth, picture),
        psnr=psnr(pair.truth, picture),
        ssim=ssim(pair.truth, picture),
        table_1=relative_to_truth(pair.truth, picture),
        cpu_s=took,
        course=made.course,
    )


class Notebook:
    """Rows that are measured already, one JSON object a line, so that long runs can be resumed.

    Parameters
    ----------
    path
        Read if it exists, and added to; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows: dict[tuple[str, str, str], Row] = {}
        lines = path.read_text().splitlines() if path is not None and path.exists() else []
        for line in lines:
            row = Row(**json.loads(line))
            row = replace(row, course=tuple((float(a), float(b)) for a, b in row.course))
            self.rows[row.task, row.method, row.pair] = row

    def measured(self, task: str, method: str, pair: Pair, make: Callable[[], Made]) -> Row:
        """The row that is there, or a new one that is noted."""
        key = (task, method, pair.name)
        if key not in self.rows:
            self.rows[key] = scored(task, method, pair, make)
            if self.path is not None:
                with self.path.open("a") as file:
                    file.write(json.dumps(asdict(self.rows[key])) + "\n")
        return self.rows[key]
