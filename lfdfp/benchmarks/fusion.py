"""Fusion and super-resolution of photographs against known truth, baselines in the same run.

``python -m lfdfp.benchmarks.fusion --data ../shared/data/multifocus`` prints the tables of
``docs/measurements/fusion.md``: decisions and fused pictures, super-resolution (with ``--presets``
and ``--pairs`` to choose), time to equal quality, seeds, robustness as in the paper's Figure 3, and
speed. The truth is used for scores alone. ``--notes rows.jsonl`` keeps every measured row, so that
a run that was ended goes on where it was; remove the file after a change of the code.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from lfdfp.benchmarks.fusion_methods import (
    BASELINES,
    METHODS,
    REFERENCE,
    Method,
    by_paper,
    shortened,
)
from lfdfp.benchmarks.fusion_speed import print_speed
from lfdfp.benchmarks.photograph_pairs import (
    CROP_PX,
    Notebook,
    Pair,
    Row,
    nyu_pairs,
    shrunk,
    whu_pairs,
)
from lfdfp.datatypes import FloatArray
from lfdfp.evaluation.metrics import psnr
from lfdfp.fusion.baselines import laplacian_pyramid, mean_of_slices, sharpest_slice
from lfdfp.fusion.decision_map import decision_maps, fuse_slices
from lfdfp.fusion.paper.double_reblur import DoubleReblurSettings, double_reblur_maps
from lfdfp.fusion.paper.settings import PaperSettings
from lfdfp.imaging.display import luma
from lfdfp.networks.settings import LossSettings

NOISE_SIGMA = 5 / 255
SECTIONS = ("decisions", "x2", "x4", "noise", "equal", "seeds", "figure3", "speed")
RECIPES = ("paper", "published")

FIGURE_3 = {
    "[3,5,5,0,1]": 0.0,
    "[3,5,5,0.01,1]": 0.01,
    "[3,5,5,0.05,1]": 0.05,
}


def agreement(pair: Pair, first: FloatArray) -> float:
    """Share of pixels where the map (T, S) of A names the source of the truth; ties left out."""
    same = [np.abs(one - pair.truth).sum(axis=2) < 1e-6 for one in pair.slices]
    decided = same[0] ^ same[1]
    return float(np.mean((first > 0.5)[decided] == same[0][decided]))


def task_name(scale: int, noise: float, seed: int = 0) -> str:
    """How a row names what was asked of the method."""
    return f"x{scale}, noise {255 * noise:.0f}/255, seed {seed}"


def super_resolution(
    whole: Sequence[Pair],
    scale: int,
    noise: float,
    methods: dict[str, Method],
    notebook: Notebook,
) -> list[Row]:
    """All baselines and `methods` on pairs of full size."""
    rows = []
    task = task_name(scale, noise)
    for pair in (shrunk(one, scale, noise) for one in whole):
        for name, method in {**BASELINES, **methods}.items():
            row = notebook.measured(task, name, pair, partial(method, pair, scale, 0))
            rows.append(row)
            _say(f"{task}, {pair.name}, {name}: {row.psnr_luma:.3f} dB, {row.cpu_s:.1f} s")
    return rows


def print_rows(title: str, rows: Sequence[Row]) -> None:
    """Means over pairs, and the least gain over the reference on any pair."""
    print(f"\n## {title}\n")
    print("| method | PSNR_Y | PSNR | SSIM | least gain | MG | EI | IE | MGA | ECO | CPU-s |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    base = {row.pair: row.psnr_luma for row in rows if row.method == REFERENCE}
    for method in dict.fromkeys(row.method for row in rows):
        own = [row for row in rows if row.method == method]
        gain = min(row.psnr_luma - base[row.pair] for row in own)
        means = [np.mean([getattr(r, n) for r in own]) for n in ("psnr_luma", "psnr", "ssim")]
        five = [np.mean([r.table_1[n] for r in own]) for n in own[0].table_1]
        cells = [f"{means[0]:.2f}", f"{means[1]:.2f}", f"{means[2]:.4f}", f"{gain:+.2f}"]
        cells += [f"{value:.3f}" for value in five]
        print(f"| {method} | {' | '.join(cells)} | {np.mean([r.cpu_s for r in own]):.1f} |")


def print_pairs(rows: Sequence[Row], methods: Sequence[str]) -> None:
    """PSNR_Y of every pair, one line per method."""
    names = list(dict.fromkeys(row.pair for row in rows))
    found = {(row.method, row.pair): row.psnr_luma for row in rows}
    print(f"\n| PSNR_Y of pair | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    for method in (REFERENCE, *methods):
        print(f"| {method} | {' | '.join(f'{found[method, name]:.2f}' for name in names)} |")


def print_equal_quality(rows: Sequence[Row], recipes: Sequence[str]) -> None:
    """CPU time until the recipe first has the quality of a faster method, and the ratio."""
    print("\n## Time to equal quality\n")
    print("| pair | method | PSNR_Y | CPU-s | recipe | reaches it after CPU-s | times as long |")
    print("|---|---|---|---|---|---|---|")
    targets = [row for row in rows if row.method not in recipes and row.method not in BASELINES]
    targets = [row for row in rows if row.method == REFERENCE] + targets
    slow = {(row.pair, row.method): row for row in rows if row.method in recipes}
    for target in sorted(targets, key=lambda row: row.pair):
        for recipe in recipes:
            course = slow[target.pair, recipe].course
            arrived = [seconds for seconds, level in course if level >= target.psnr_luma]
            best, last = max(level for _, level in course), course[-1][0]
            when = f"{arrived[0]:.0f}" if arrived else f"never in {last:.0f} (best {best:.2f} dB)"
            ratio = (arrived[0] if arrived else last) / max(target.cpu_s, 1e-3)
            print(
                f"| {target.pair} | {target.method} | {target.psnr_luma:.2f} "
                f"| {target.cpu_s:.2f} | {recipe} | {when} | {'' if arrived else '> '}{ratio:.0f} |"
            )


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


def print_seeds(whole: Sequence[Pair], methods: dict[str, Method], notebook: Notebook) -> None:
    """Spread of the presets over five seeds at ×2, pair by pair."""
    print("\n## Seeds 0 to 4, x2\n\n| pair | method | least | largest | spread, dB |")
    print("|---|---|---|---|---|")
    for pair in (shrunk(one, 2) for one in whole):
        for name, method in methods.items():
            found = [
                notebook.measured(
                    task_name(2, 0.0, seed), name, pair, partial(method, pair, 2, seed)
                ).psnr_luma
                for seed in range(5)
            ]
            least, largest = min(found), max(found)
            print(
                f"| {pair.name} | {name} | {least:.3f} | {largest:.3f} | {largest - least:.3f} |",
                flush=True,
            )


def print_figure_3(pair: Pair, iterations: int, notebook: Notebook) -> None:
    """The paper's Figure 3: DoubleReblur's parameters, with and without the joint gradient."""
    side = pair.truth.shape[0]
    print(f"\n## Figure 3, pair {pair.name}, {side} x {side}, {iterations} iterations\n")
    print("| DoubleReblur | joint gradient | PSNR_Y | SSIM | share of A | CPU-s |")
    print("|---|---|---|---|---|---|")
    for name, threshold in FIGURE_3.items():
        reblur = DoubleReblurSettings(
            blur_size=3, dilation_size=5, erosion_size=5, threshold=threshold
        )
        share = double_reblur_maps(np.stack([luma(s) for s in pair.slices]), reblur)[0].mean()
        for weight in (0.5, 0.0):
            paper = PaperSettings(
                double_reblur=reblur,
                losses=LossSettings(joint_gradient=weight),
                iterations=iterations,
                embedding_iterations=iterations // 4,
            )
            row = notebook.measured(
                f"figure 3, {side} px, {iterations} iterations",
                f"{name}, joint gradient {weight}",
                pair,
                partial(by_paper, paper, pair, 2, 0),
            )
            print(
                f"| {name} | {weight} | {row.psnr_luma:.2f} | {row.ssim:.4f} | {share:.2f} "
                f"| {row.cpu_s:.0f} |",
                flush=True,
            )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/multifocus"))
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--pairs", nargs="*", default=(), help="MFI-WHU names; default: all")
    parser.add_argument(
        "--presets",
        nargs="*",
        choices=tuple(METHODS),
        default=("fast", "balanced", "best"),
        help="'published' is 'paper' without its two corrections",
    )
    parser.add_argument("--iterations", type=int, default=2000, help="of the paper's recipe")
    parser.add_argument("--crop", type=int, default=CROP_PX, help="fine side in figure3, pixels")
    parser.add_argument("--notes", type=Path, help="rows measured already (.jsonl), added to")
    return parser


def main(arguments: Sequence[str]) -> None:
    """Print the tables that are asked for."""
    parser = _parser()
    options = parser.parse_args(arguments)
    notebook = Notebook(options.notes)
    if "decisions" in options.sections:
        print_decisions(options.data)
    pairs = list(whu_pairs(options.data, options.pairs))
    if not pairs:
        parser.error(f"no MFI-WHU pairs {options.pairs} in {options.data}")
    methods: dict[str, Method] = {
        name: shortened(name, options.iterations)
        if name in RECIPES and options.iterations != PaperSettings().iterations
        else METHODS[name]
        for name in options.presets
    }
    for section, scale, noise in (("x2", 2, 0.0), ("x4", 4, 0.0), ("noise", 2, NOISE_SIGMA)):
        if section in options.sections:
            rows = super_resolution(pairs, scale, noise, methods, notebook)
            names = ", ".join(pair.name for pair in pairs)
            title = f"Super-resolution x{scale}, noise {255 * noise:.0f}/255"
            print_rows(f"{title}, pairs {names}", rows)
            print_pairs(rows, options.presets)
    if "equal" in options.sections:
        recipes = [name for name in RECIPES if name in methods]
        rows = super_resolution(pairs, 2, 0.0, methods, notebook) if recipes else []
        print_equal_quality(rows, recipes)
    if "seeds" in options.sections:
        own = {name: method for name, method in methods.items() if name not in RECIPES}
        print_seeds(pairs, own, notebook)
    if "figure3" in options.sections:
        print_figure_3(shrunk(pairs[0], 2, crop_px=options.crop), options.iterations, notebook)
    if "speed" in options.sections:
        print_speed(pairs[0], options.presets)


if __name__ == "__main__":
    main(sys.argv[1:])
