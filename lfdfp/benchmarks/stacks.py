"""Pictures fused at their own size against known truth: pairs, and rendered stacks of many slices.

``python -m lfdfp.benchmarks.stacks --data ../shared/data/multifocus`` prints PSNR in dB of the
defaults (photographs are aligned and their exposures matched), of the decisions alone, of the
Laplacian pyramid, and of enfuse and focus-stack where they are installed. Pairs have exact truth
(NYU-D) or the sharp source of each pixel (MFI-WHU); stacks are rendered from pictures of
scikit-image with smooth depth (``smooth``) or with things that cover each other (``covering``).
Truth is for scores alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from lfdfp.alignment import stack_of_photographs
from lfdfp.benchmarks.photograph_pairs import nyu_pairs, whu_pairs
from lfdfp.datatypes import FloatArray
from lfdfp.evaluation.metrics import psnr
from lfdfp.evaluation.peers import PeerFusion, installed_peers
from lfdfp.fusion import fuse
from lfdfp.fusion.baselines import laplacian_pyramid
from lfdfp.fusion.running_fusion import fused_running
from lfdfp.fusion.seen_slices import slices_at_hand
from lfdfp.imaging.display import decode_srgb, encode, luma
from lfdfp.imaging.noise_level import noise_sigma
from lfdfp.settings import FusionSettings
from lfdfp.simulation.photographs import bundled_picture
from lfdfp.simulation.rendered_stacks import Handling, handled, rendered_stack

BORDER_PX: Final = 8
SHAPE: Final = (288, 384)
BLUR_PX: Final = 12.0
LAYERS: Final = 70
SCENES: Final = {
    "coffee": ("coffee.png", "slope"),
    "cat": ("chelsea.png", "hill"),
    "gravel": ("gravel.png", "waves"),
    "brick": ("brick.png", "hill"),
    "astronaut": ("astronaut.png", "discs"),
    "tissue": ("ihc.png", "discs"),
    "rocket": ("rocket.jpg", "discs"),
}
HANDLINGS: Final = {
    "clean": Handling(),
    "noise": Handling(noise=2 / 255),
    "moved": Handling(drift_px=5.0, breathing=0.01, exposure=0.03, noise=2 / 255),
}
PEERS: Final = installed_peers()
SETS: Final = ("nyu-d", "mfi-whu", "smooth", "covering")


@dataclass(frozen=True, kw_only=True)
class Case:
    """Slices (N, T, S, 3) and truth (T, S, 3), encoded."""

    name: str
    slices: FloatArray
    truth: FloatArray


def depth_of(kind: str, rng: np.random.Generator) -> FloatArray:
    """Depth in [0, 1], shape `SHAPE`: smooth, or discs before a slope."""
    y, x = (n.astype(np.float32) for n in np.mgrid[: SHAPE[0], : SHAPE[1]])
    y, x = y / SHAPE[0], x / SHAPE[1]
    if kind == "slope":
        return np.asarray(1 - y, np.float32)
    if kind == "hill":
        return np.asarray(np.clip(1.9 * np.hypot(y - 0.5, x - 0.5), 0, 1), np.float32)
    if kind == "waves":
        coarse = rng.standard_normal((6, 7)).astype(np.float32)
        grown = cv2.resize(coarse, SHAPE[::-1], interpolation=cv2.INTER_CUBIC)
        return np.asarray((grown - grown.min()) / np.ptp(grown), np.float32)
    depth = np.clip(1.4 - y, 0.4, 1).astype(np.float32)
    for place in np.linspace(0.35, 0, 8):
        center = int(rng.integers(0, SHAPE[1])), int(rng.integers(0, SHAPE[0]))
        axes = int(rng.integers(8, 50)), int(rng.integers(8, 50))
        cv2.ellipse(depth, center, axes, float(rng.uniform(0, 180)), 0, 360, float(place), -1)
    return np.asarray(depth, np.float32)


def rendered(name: str, count: int, handling: Handling) -> Case:
    """One scene of `SCENES` in `count` slices."""
    file, kind = SCENES[name]
    rng = np.random.default_rng(7)
    picture = bundled_picture(file)
    t, s = (max((have - want) // 2, 0) for have, want in zip(picture.shape, SHAPE, strict=False))
    part = np.ascontiguousarray(picture[t : t + SHAPE[0], s : s + SHAPE[1]], np.float32)
    stack = rendered_stack(part, depth_of(kind, rng), count, blur_px=BLUR_PX, layers=LAYERS)
    light, _ = handled(stack, handling, rng)
    return Case(name=name, slices=encode(light), truth=encode(stack.truth))


def cases(of: str, folder: Path, count: int, handling: Handling) -> Iterator[Case]:
    """All cases of one of `SETS`."""
    if of in {"smooth", "covering"}:
        for name, (_, kind) in SCENES.items():
            if (kind == "discs") == (of == "covering"):
                yield rendered(name, count, handling)
        return
    for pair in nyu_pairs(folder) if of == "nyu-d" else whu_pairs(folder):
        yield Case(name=pair.name, slices=pair.slices, truth=pair.truth)


def by_defaults(slices: FloatArray) -> FloatArray:
    """As ``lfdfp fuse`` does."""
    stack = stack_of_photographs(decode_srgb(slices)).stack
    return encode(fuse(stack, FusionSettings(scale=1)).all_in_focus)


def by_decisions(slices: FloatArray) -> FloatArray:
    """As ``lfdfp fuse --no-align --no-equalize`` does."""
    sigma = float(np.median([noise_sigma(luma(one)) for one in slices]))
    return fused_running(slices_at_hand(slices, None), sigma=sigma).fused


def by_peer(fused: PeerFusion, slices: FloatArray) -> FloatArray:
    """Another program, which takes and gives linear light."""
    return encode(fused(decode_srgb(slices)))


def print_set(
    title: str, made: Sequence[Case], methods: dict[str, Callable[[FloatArray], FloatArray]]
) -> None:
    """A row for each method: mean and least PSNR, and CPU seconds per megapixel of a slice."""
    megapixels = sum(np.prod(case.slices.shape[:3]) for case in made) / 1e6
    for name, method in methods.items():
        start = time.process_time()
        pictures = [method(case.slices) for case in made]
        took = (time.process_time() - start) / megapixels
        inner = np.s_[BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX]
        found = [
            psnr(case.truth[inner], np.clip(picture, 0, 1)[inner])
            for case, picture in zip(made, pictures, strict=True)
        ]
        speed = "" if name in PEERS else f"{took:.2f}"
        row = f"| {title} | {name} | {np.mean(found):.2f} | {np.min(found):.2f} | {speed} |"
        print(row, flush=True)


def main(arguments: Sequence[str]) -> None:
    """Print the table that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/multifocus"))
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--slices", nargs="+", type=int, default=(9, 25))
    parser.add_argument("--handling", nargs="+", choices=tuple(HANDLINGS), default=("clean",))
    options = parser.parse_args(arguments)
    methods: dict[str, Callable[[FloatArray], FloatArray]] = {
        "lfdfp, defaults": by_defaults,
        "lfdfp, decisions alone": by_decisions,
        "Laplacian pyramid": laplacian_pyramid,
    }
    methods |= {name: partial(by_peer, fused) for name, fused in PEERS.items()}
    print("| | | mean dB | least dB | CPU-s per megapixel of a slice |\n|---|---|---|---|---|")
    for of in options.sets:
        if of in {"nyu-d", "mfi-whu"}:
            print_set(of, list(cases(of, options.data, 2, Handling())), methods)
            continue
        for handling in options.handling:
            for count in options.slices:
                made = list(cases(of, options.data, count, HANDLINGS[handling]))
                print_set(f"{of}, {count} slices, {handling}", made, methods)


if __name__ == "__main__":
    main(sys.argv[1:])
