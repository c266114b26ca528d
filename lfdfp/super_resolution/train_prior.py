"""Teach the enlarging network on pictures of random shapes; what it learned ships with lfdfp.

``python -m lfdfp.super_resolution.train_prior -o prior.npz`` makes the file anew, and
``--size large`` the one that `best` uses. No photograph is involved: internal learning starts from
these weights instead of from chance, so that a few steps on the picture itself go a long way, and
different seeds end close to each other.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from lfdfp.super_resolution.examples import batches, shape_pairs
from lfdfp.super_resolution.internal_learning import checked_gain
from lfdfp.super_resolution.scale_network import ScaleNetwork, learn, save_weights

_CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorTraining:
    """How the shipped weights were learned.

    Attributes
    ----------
    pictures, side_px
        Number of pictures of random shapes and their fine side.
    steps, fine_steps
        Batches learned from in half and in full precision.
    """

    factor: int = 2
    channels: int = 48
    blocks: int = 4
    pictures: int = 250
    side_px: int = 256
    steps: int = 6000
    fine_steps: int = 200
    batch: int = 16
    patch_px: int = 24
    learning_rate: float = 1e-3
    seed: int = 0


SIZES = {
    "small": PriorTraining(),
    "large": PriorTraining(
        channels=64, blocks=6, pictures=400, steps=9000, fine_steps=300, learning_rate=8e-4
    ),
}


def taught(training: PriorTraining, on_step: Callable[[int], None]) -> tuple[ScaleNetwork, float]:
    """The network, and its gain over bicubic interpolation on pictures kept for checking."""
    rng = np.random.default_rng(training.seed)
    pairs = []
    for _ in tqdm(range(training.pictures), desc="pictures", file=sys.stderr):
        pairs += shape_pairs(1, training.side_px, training.factor, 0.0, rng)
    torch.manual_seed(training.seed)
    network = ScaleNetwork(training.factor, training.channels, training.blocks)
    source = batches(
        pairs,
        training.factor,
        number=training.batch,
        side=training.patch_px,
        rng=rng,
        device=_CPU,
    )
    # Without cache: it would keep the weights of the first step for all others.
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        learn(network, source, training.steps, training.learning_rate, on_step)
    learn(network, source, training.fine_steps, training.learning_rate / 20, on_step)
    return network, checked_gain(network, pairs, training.factor, rng, _CPU)


def _advance(bar: tqdm[None]) -> None:
    bar.update()


def main(arguments: Sequence[str]) -> None:
    """Teach and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--size", choices=tuple(SIZES), default="small")
    parser.add_argument("--steps", type=int, help="default: those of the shipped weights")
    parser.add_argument("--pictures", type=int, help="default: those of the shipped weights")
    options = parser.parse_args(arguments)
    given = {
        name: value
        for name, value in (("steps", options.steps), ("pictures", options.pictures))
        if value is not None
    }
    training = replace(SIZES[options.size], **given)
    with tqdm(total=training.steps + training.fine_steps, file=sys.stderr) as bar:
        network, gain = taught(training, lambda step: _advance(bar))
    save_weights(options.output, network)
    sys.stdout.write(f"{options.output}: squared error {100 * gain:.1f} % below bicubic's\n")


if __name__ == "__main__":
    main(sys.argv[1:])
