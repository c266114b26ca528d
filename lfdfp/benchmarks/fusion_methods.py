"""Every way from two slices to one fine picture that is compared, under one signature."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from lfdfp.benchmarks.photograph_pairs import Made, Pair
from lfdfp.datatypes import FloatArray, FocalStack
from lfdfp.evaluation.metrics import psnr_luma
from lfdfp.fusion import fuse
from lfdfp.fusion.baselines import back_projection, laplacian_pyramid, mean_of_slices
from lfdfp.fusion.paper.settings import PaperSettings
from lfdfp.imaging.display import decode_srgb, encode
from lfdfp.imaging.resampling import bicubic
from lfdfp.networks.settings import LossSettings
from lfdfp.progress import ignore_progress
from lfdfp.settings import FusionSettings, Preset

Method = Callable[[Pair, int, int], Made]
"""Pair, scale and seed to what is made of them."""

REFERENCE = "pyramid + 5 back-proj."
PUBLISHED = LossSettings(luma="code", laplacian="absolute")
"""The losses as the authors' code has them."""


def by_baseline(
    fusion: Callable[[FloatArray], FloatArray],
    enlarge: Callable[[FloatArray, int], FloatArray],
    pair: Pair,
    scale: int,
    seed: int,
) -> Made:
    """A classical fusion and a classical enlargement."""
    return Made(picture=enlarge(fusion(pair.slices), scale))


def by_preset(preset: Preset, pair: Pair, scale: int, seed: int) -> Made:
    """The product's own result."""
    stack = FocalStack(slices=decode_srgb(pair.slices))
    result = fuse(stack, FusionSettings(preset=preset, scale=scale, seed=seed))
    return Made(picture=encode(result.super_resolved))


def by_paper(paper: PaperSettings, pair: Pair, scale: int, seed: int) -> Made:
    """The paper's recipe; the truth only watches, the last iterate is what counts."""
    from lfdfp.computing.torch_devices import deliberate_threads, torch_device
    from lfdfp.fusion.paper.recipe import follow_paper

    course: list[tuple[float, float]] = []
    start = time.process_time()

    def watch(step: int, picture: FloatArray) -> None:
        course.append((time.process_time() - start, psnr_luma(pair.truth, np.clip(picture, 0, 1))))

    with deliberate_threads():
        result = follow_paper(
            pair.slices,
            scale,
            paper,
            seed=seed,
            device=torch_device("auto"),
            progress=ignore_progress,
            watch=watch,
        )
    watch(paper.iterations, result.fine)
    return Made(picture=result.fine, course=tuple(course))


BASELINES: Mapping[str, Method] = {
    "average + bicubic": partial(by_baseline, mean_of_slices, bicubic),
    "average + 5 back-proj.": partial(by_baseline, mean_of_slices, back_projection),
    "pyramid + bicubic": partial(by_baseline, laplacian_pyramid, bicubic),
    REFERENCE: partial(by_baseline, laplacian_pyramid, back_projection),
}

METHODS: Mapping[str, Method] = {
    "fast": partial(by_preset, "fast"),
    "balanced": partial(by_preset, "balanced"),
    "scratch": partial(by_preset, "scratch"),
    "best": partial(by_preset, "best"),
    "paper": partial(by_paper, PaperSettings()),
    "published": partial(by_paper, PaperSettings(losses=PUBLISHED)),
}
"""`published` is the preset `paper` without its two corrections."""


def shortened(method: str, iterations: int) -> Method:
    """`paper` or `published` with fewer iterations, embedding in proportion."""
    losses = PUBLISHED if method == "published" else LossSettings()
    whole = PaperSettings(losses=losses)
    paper = replace(
        whole,
        iterations=iterations,
        embedding_iterations=whole.embedding_iterations * iterations // whole.iterations,
    )
    return partial(by_paper, paper)
