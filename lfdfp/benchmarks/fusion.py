"""Fusion and super-resolution of photographs against known truth, baselines in the same run.

``python -m lfdfp.benchmarks.fusion --data ../shared/data/multifocus`` prints the tables of
``docs/method.md``: decisions and fused pictures, super-resolution (with ``--presets`` and
``--pairs`` to choose), seeds, robustness as in the paper's Figure 3, and speed. The truth is used
for scores alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import cv2
import numpy as np

from lfdfp.datatypes import FloatArray, FocalStack
from lfdfp.evaluation.metrics import psnr, psnr_luma, relative_to_truth, ssim
from lfdfp.fusion import fuse
from lfdfp.fusion.baselines import (
    back_projection,
    bicubic,
    laplacian_pyramid,
    mean_of_slices,
    sharpest_slice,
)
from lfdfp.fusion.decision_map import decision_maps, fuse_slices
from lfdfp.fusion.display import decode_display, encode, luma
from lfdfp.fusion.double_reblur import DoubleReblurSettings, double_reblur_maps
from lfdfp.fusion.presets import PRESETS, EngineSettings, LossSettings, PaperSettings
from lfdfp.settings import FusionSettings, Preset

CROP_PX = 320
NOISE_SIGMA = 5 / 255
SECTIONS = ("decisions", "x2", "x4", "noise", "seeds", "figure3", "speed")

FIGURE_3 = {
    "[3,5,5,0,1]": 0.0,
    "[3,5,5,0.01,1]": 0.01,
    "[3,5,5,0.05,1]": 0.05,
}


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two slices (2, T, S, 3) and the truth (T, S, 3), encoded for display."""

    name: str
    slices: FloatArray
    truth: FloatArray


@dataclass(frozen=True, kw_only=True)
class Row:
    """One method on one pair."""

    method: str
    pair: str
    psnr_luma: float
    psnr: float
    ssim: float
    table_1: dict[str, float]
    cpu_s: float


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


def shrunk(pair: Pair, scale: int, noise: float = 0.0) -> Pair:
    """Centered crop; slices shrunk by Pillow's bicubic filter to 8 bits, with noise if any."""
    from PIL import Image

    t, s = (max((n - CROP_PX) // 2, 0) for n in pair.truth.shape[:2])
    crop = np.s_[t : t + CROP_PX, s : s + CROP_PX]
    size = (CROP_PX // scale, CROP_PX // scale)
    slices = []
    for one in pair.slices:
        codes = Image.fromarray(np.rint(255 * one[crop]).astype(np.uint8))
        slices.append(np.asarray(codes.resize(size, Image.Resampling.BICUBIC), np.float32) / 255)
    stack = np.stack(slices)
    if noise > 0:
        drawn = np.random.default_rng(0).normal(0, noise, stack.shape).astype(np.float32)
        stack = np.clip(stack + drawn, 0, 1)
    return Pair(name=pair.name, slices=stack.astype(np.float32), truth=pair.truth[crop])


def agreement(pair: Pair, first: FloatArray) -> float:
    """Share of pixels where the map (T, S) of A names the source of the truth; ties left out."""
    same = [np.abs(one - pair.truth).sum(axis=2) < 1e-6 for one in pair.slices]
    decided = same[0] ^ same[1]
    return float(np.mean((first > 0.5)[decided] == same[0][decided]))


def by_preset(
    pair: Pair, scale: int, preset: Preset, *, seed: int = 0, engine: EngineSettings | None = None
) -> FloatArray:
    """The product's own result, encoded."""
    stack = FocalStack(slices=decode_display(pair.slices))
    settings = FusionSettings(preset=preset, scale=scale, seed=seed)
    return encode(fuse(stack, settings, engine=engine).super_resolved)


def scored(method: str, pair: Pair, make: Callable[[], FloatArray]) -> Row:
    """Run one method and score it."""
    start = time.process_time()
    made = np.clip(make(), 0, 1)
    took = time.process_time() - start
    return Row(
        method=method,
        pair=pair.name,
        psnr_luma=psnr_luma(pair.truth, made),
        psnr=psnr(pair.truth, made),
        ssim=ssim(pair.truth, made),
        table_1=relative_to_truth(pair.truth, made),
        cpu_s=took,
    )


def super_resolution(pair: Pair, scale: int, presets: Sequence[Preset]) -> list[Row]:
    """All baselines and the presets on one pair."""
    rows = []
    for name, fusion in (("average", mean_of_slices), ("pyramid", laplacian_pyramid)):
        fused = fusion(pair.slices)
        rows.append(scored(f"{name} + bicubic", pair, lambda f=fused: bicubic(f, scale)))  # type: ignore[misc]
        rows.append(
            scored(f"{name} + 5 back-proj.", pair, lambda f=fused: back_projection(f, scale))  # type: ignore[misc]
        )
    for preset in presets:
        rows.append(scored(preset, pair, lambda p=preset: by_preset(pair, scale, p)))  # type: ignore[misc]
        _say(f"{pair.name} x{scale} {preset}: {rows[-1].psnr_luma:.3f} dB, {rows[-1].cpu_s:.1f} s")
    return rows


def print_rows(title: str, rows: Sequence[Row], reference: str) -> None:
    """Means over pairs, and the least gain over `reference` on any pair."""
    print(f"\n## {title}\n")
    print("| method | PSNR_Y | PSNR | SSIM | least gain | MG | EI | IE | MGA | ECO | CPU-s |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    base = {row.pair: row.psnr_luma for row in rows if row.method == reference}
    for method in dict.fromkeys(row.method for row in rows):
        own = [row for row in rows if row.method == method]
        gain = min(row.psnr_luma - base[row.pair] for row in own)
        means = [np.mean([getattr(r, n) for r in own]) for n in ("psnr_luma", "psnr", "ssim")]
        five = [np.mean([r.table_1[n] for r in own]) for n in own[0].table_1]
        cells = [f"{means[0]:.2f}", f"{means[1]:.2f}", f"{means[2]:.4f}", f"{gain:+.2f}"]
        cells += [f"{value:.3f}" for value in five]
        print(f"| {method} | {' | '.join(cells)} | {np.mean([r.cpu_s for r in own]):.1f} |")


def print_decisions(folder: Path) -> None:
    """Agreement of decision maps on MFI-WHU, PSNR of fused pictures on NYU-D."""
    print("\n## Decisions and fused pictures\n\n| | mean | least |\n|---|---|---|")
    reblur = DoubleReblurSettings()
    methods: dict[str, Callable[[FloatArray], FloatArray]] = {
        "decision maps": decision_maps,
        "DoubleReblur [5,3,3,0.01,1]": lambda s: double_reblur_maps(
            np.stack([luma(x) for x in s]), reblur
        ),
    }
    pairs = list(whu_pairs(folder))
    for name, decide in methods.items():
        for noise in (0.0, NOISE_SIGMA):
            rng = np.random.default_rng(0)
            shares = []
            for pair in pairs:
                noisy = pair.slices + rng.normal(0, noise, pair.slices.shape).astype(np.float32)
                shares.append(100 * agreement(pair, decide(noisy)[0]))
            label = f"{name}, noise {255 * noise:.0f}/255: agreement %"
            print(f"| {label} | {np.mean(shares):.2f} | {np.min(shares):.2f} |")
    fusions: dict[str, Callable[[FloatArray], FloatArray]] = {
        "mean of slices": mean_of_slices,
        "sharpest slice": sharpest_slice,
        "Laplacian pyramid": laplacian_pyramid,
        "soft decision maps": lambda s: fuse_slices(s, decision_maps(s)),
    }
    scores: dict[str, list[float]] = {name: [] for name in fusions}
    for pair in nyu_pairs(folder):
        for name, fusion in fusions.items():
            scores[name].append(psnr(pair.truth, fusion(pair.slices)))
    for name, found in scores.items():
        print(f"| {name}: NYU-D, dB | {np.mean(found):.2f} | {np.min(found):.2f} |")


def print_seeds(pair: Pair) -> None:
    """Spread of `balanced` over five seeds."""
    found = [psnr_luma(pair.truth, by_preset(pair, 2, "balanced", seed=n)) for n in range(5)]
    print(f"\n## Seeds\n\nbalanced x2, pair {pair.name}, seeds 0-4: ", end="")
    print(", ".join(f"{x:.3f}" for x in found), f"dB; spread {max(found) - min(found):.3f} dB")


def print_figure_3(pair: Pair, iterations: int) -> None:
    """The paper's Figure 3: DoubleReblur's parameters, with and without the joint gradient."""
    print(f"\n## Robustness as in Figure 3, pair {pair.name}, {iterations} iterations\n")
    print("| DoubleReblur | joint gradient | PSNR_Y | SSIM | share of A |\n|---|---|---|---|---|")
    for name, threshold in FIGURE_3.items():
        reblur = DoubleReblurSettings(
            blur_size=3, dilation_size=5, erosion_size=5, threshold=threshold
        )
        for weight in (0.5, 0.0):
            engine = paper_engine(iterations, double_reblur=reblur, joint_gradient=weight)
            made = by_preset(pair, 2, "paper", engine=engine)
            share = double_reblur_maps(np.stack([luma(s) for s in pair.slices]), reblur)[0].mean()
            print(
                f"| {name} | {weight} | {psnr_luma(pair.truth, made):.2f} "
                f"| {ssim(pair.truth, made):.4f} | {share:.2f} |",
                flush=True,
            )


def paper_engine(
    iterations: int, *, double_reblur: DoubleReblurSettings, joint_gradient: float
) -> EngineSettings:
    """The paper's preset with other parameters."""
    paper = PaperSettings(
        double_reblur=double_reblur,
        losses=LossSettings(joint_gradient=joint_gradient),
        iterations=iterations,
        embedding_iterations=min(500, iterations),
    )
    return replace(PRESETS["paper"], paper=paper)


def print_speed(pair: Pair, paper_iterations: int) -> None:
    """Time of a four-slice stack, and of one published iteration on the same picture."""
    shape = (434, 625)
    sharp = cv2.resize(pair.truth, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    blurred = [cv2.GaussianBlur(sharp, (0, 0), 0.8 * n) if n else sharp for n in range(4)]
    stack = FocalStack(slices=decode_display(np.stack(blurred)))
    print("\n## Speed, four slices of 625 x 434\n\n| | scale | wall s | CPU-s |\n|---|---|---|---|")
    for scale in (2, 4):
        for preset in ("fast", "balanced"):
            times = _timed(lambda k=scale, p=preset: fuse(stack, FusionSettings(scale=k, preset=p)))  # type: ignore[misc]
            print(f"| {preset} | {scale} | {times[0]:.1f} | {times[1]:.1f} |", flush=True)
    engine = replace(
        PRESETS["paper"],
        paper=PaperSettings(iterations=paper_iterations, embedding_iterations=0),
    )
    wall, cpu = _timed(lambda: fuse(stack, FusionSettings(scale=2, preset="paper"), engine=engine))
    scaled = 2000 / paper_iterations
    print(
        f"| paper, 2000 iterations extrapolated from {paper_iterations} | 2 "
        f"| {scaled * wall:.0f} | {scaled * cpu:.0f} |"
    )


def _timed(run: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> None:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/multifocus"))
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--pairs", nargs="*", default=(), help="MFI-WHU names; default: all")
    parser.add_argument(
        "--presets", nargs="*", choices=get_args(Preset), default=("fast", "balanced", "best")
    )
    parser.add_argument("--iterations", type=int, default=2000, help="of the paper, in figure3")
    options = parser.parse_args(arguments)
    if "decisions" in options.sections:
        print_decisions(options.data)
    pairs = list(whu_pairs(options.data, options.pairs))
    if not pairs:
        parser.error(f"no MFI-WHU pairs {options.pairs} in {options.data}")
    for section, scale, noise in (("x2", 2, 0.0), ("x4", 4, 0.0), ("noise", 2, NOISE_SIGMA)):
        if section in options.sections:
            rows = [
                row
                for pair in pairs
                for row in super_resolution(shrunk(pair, scale, noise), scale, options.presets)
            ]
            title = f"Super-resolution x{scale}, noise {255 * noise:.0f}/255, {len(pairs)} pairs"
            print_rows(title, rows, "pyramid + 5 back-proj.")
    if "seeds" in options.sections:
        print_seeds(shrunk(pairs[0], 2))
    if "figure3" in options.sections:
        print_figure_3(shrunk(pairs[0], 2), options.iterations)
    if "speed" in options.sections:
        print_speed(pairs[0], 20)


if __name__ == "__main__":
    main(sys.argv[1:])
