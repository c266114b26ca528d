"""Teach the network that corrects pictures from rays, on captures of drawn scenes.

``python -m lfdfp.learning.train -o weights.npz --examples FOLDER`` makes the shipped weights anew:
it simulates and reconstructs the captures (those that FOLDER holds already are taken from it), then
learns. No photograph is involved.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from lfdfp.datatypes import FloatArray
from lfdfp.learning.examples import Example, example_file, load_example, make_examples
from lfdfp.reconstruction.learned.correction import correction
from lfdfp.reconstruction.learned.features import (
    PLANE_STEP,
    brighter_planes,
    decoded,
    encoded,
    planes_of,
)
from lfdfp.reconstruction.learned.network import Committee, CorrectionNetwork, save_weights

_BORDER_PX = 12
"""Pixels of the finest grid at an example's border, which lack rays, that are not learned from."""

_EDGE_PX = 8
"""Of a patch, which the network sees only in part."""

_LEAST_SQUARE_ERROR, _LEAST_ERROR = 2e-6, 7e-4
_BRIGHTNESS = (0.75, 1.15)
"""Factors on encoded patches: the same capture, developed darker or brighter."""

_WARM_UP_STEPS = 30
_CHECKED_BORDER_PX = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionTraining:
    """How the shipped weights were learned.

    Attributes
    ----------
    captures
        First numbers of two series of captures, and one past their last.
    checked
        How many of either series, the first ones, are kept for checking.
    patch_px
        Side of a patch on the finest grid.
    """

    captures: tuple[tuple[int, int], ...] = ((0, 131), (1000, 1128))
    checked: int = 12
    steps: int = 2400
    batch: int = 12
    patch_px: int = 88
    learning_rate: float = 1.5e-3
    seed: int = 0

    @property
    def learned(self) -> list[int]:
        """Numbers of the captures that are learned from."""
        return [n for first, end in self.captures for n in range(first + self.checked, end)]

    @property
    def checks(self) -> list[int]:
        """Numbers of the captures that are kept for checking."""
        return [n for first, _ in self.captures for n in range(first, first + self.checked)]


SHIPPED = (
    CorrectionTraining(captures=((0, 84), (1000, 1081)), steps=1800),
    CorrectionTraining(),
)
"""How the networks that come with the package were taught, one after the other."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """An example as the network takes it, in half precision, and the error it starts from.

    Attributes
    ----------
    planes
        Shape (`PLANES`, Y/2, X/2).
    shown, truth
        Shape (3, Y, X), encoded.
    square_error, error
        Mean squared and mean absolute difference of both, not less than what matters.
    """

    planes: FloatArray
    shown: FloatArray
    truth: FloatArray
    square_error: float
    error: float


def lesson_of(example: Example) -> Lesson:
    """What is learned from an example."""
    shown = encoded(example.light)
    truth = np.minimum(encoded(example.truth), np.float32(1))
    inner = slice(_BORDER_PX, -_BORDER_PX)
    wrong = (shown - truth)[:, inner, inner]
    half = np.float16
    return Lesson(
        planes_of(example.light, example.loose, example.hints).astype(half),
        shown.astype(half),
        truth.astype(half),
        max(float(np.mean(wrong**2)), _LEAST_SQUARE_ERROR),
        max(float(np.mean(np.abs(wrong))), _LEAST_ERROR),
    )


def turned(picture: FloatArray, turn: int) -> FloatArray:
    """One of the eight turned and mirrored versions of (C, Y, X)."""
    if turn & 1:
        picture = picture[:, ::-1]
    if turn & 2:
        picture = picture[:, :, ::-1]
    return picture.transpose(0, 2, 1) if turn & 4 else picture


def turned_planes(planes: FloatArray, turn: int) -> FloatArray:
    """As `turned`, of planes (`PLANES`, y, x), whose parts of pictures change places."""
    k = PLANE_STEP
    pictures = 6
    _, y, x = planes.shape
    whole = planes[: pictures * k * k].reshape(pictures, k, k, y, x).transpose(0, 3, 1, 4, 2)
    whole = np.ascontiguousarray(turned(whole.reshape(pictures, k * y, k * x), turn))
    blocks = whole.reshape(pictures, y, k, x, k).transpose(0, 2, 4, 1, 3)
    maps = turned(planes[pictures * k * k :], turn)
    return np.concatenate([blocks.reshape(pictures * k * k, y, x), maps])


_Batch = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def _batches(
    lessons: Sequence[Lesson], training: CorrectionTraining, rng: np.random.Generator
) -> Iterator[_Batch]:
    """Planes, shown pictures, truths, and the errors that examples start from."""
    while True:
        chosen = [lessons[n] for n in rng.integers(0, len(lessons), training.batch)]
        patches = [_patch(one, training.patch_px, rng) for one in chosen]
        stacked = (np.ascontiguousarray(np.stack(parts)) for parts in zip(*patches, strict=True))
        planes, shown, truth = (torch.from_numpy(part.astype(np.float32)) for part in stacked)
        squares = torch.tensor([one.square_error for one in chosen])
        errors = torch.tensor([one.error for one in chosen])
        yield planes, shown, truth, squares, errors


def _patch(lesson: Lesson, side: int, rng: np.random.Generator) -> tuple[FloatArray, ...]:
    k, border = PLANE_STEP, _BORDER_PX - _EDGE_PX
    _, rows, columns = lesson.shown.shape
    top, left = (
        k * int(rng.integers(border // k, (n - side - border) // k + 1)) for n in (rows, columns)
    )
    turn = int(rng.integers(8))
    fine = (slice(None), slice(top, top + side), slice(left, left + side))
    coarse = tuple(slice(s.start // k, s.stop // k) for s in fine[1:])
    planes = turned_planes(lesson.planes[:, coarse[0], coarse[1]], turn)
    brightness = float(rng.uniform(*_BRIGHTNESS))
    return (
        brighter_planes(planes.astype(np.float32), brightness),
        brightness * turned(lesson.shown[fine], turn).astype(np.float32),
        np.minimum(brightness * turned(lesson.truth[fine], turn).astype(np.float32), 1),
    )


def _loss(network: CorrectionNetwork, batch: _Batch) -> Tensor:
    """Squared and absolute errors at both finest scales, relative to those of the example."""
    planes, shown, truth, squares, errors = batch
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        added = network(planes.to(memory_format=torch.channels_last))
    wrong = (shown + added.float() - truth)[:, :, _EDGE_PX:-_EDGE_PX, _EDGE_PX:-_EDGE_PX]
    halved = functional.avg_pool2d(wrong, 2)
    square = (wrong**2).mean((1, 2, 3)) + (halved**2).mean((1, 2, 3))
    total: Tensor = (square / squares + wrong.abs().mean((1, 2, 3)) / (2 * errors)).mean()
    return total


def taught(lessons: Sequence[Lesson], training: CorrectionTraining) -> CorrectionNetwork:
    """A network that learned from the lessons."""
    torch.manual_seed(training.seed)
    network = CorrectionNetwork()
    optimizer = torch.optim.Adam(network.parameters(), lr=training.learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: (
            min((step + 1) / _WARM_UP_STEPS, 1)
            * (1 + float(np.cos(np.pi * step / training.steps)))
            / 2
        ),
    )
    source = _batches(lessons, training, np.random.default_rng(training.seed))
    with tqdm(total=training.steps, file=sys.stderr, mininterval=10) as bar:
        for _ in range(training.steps):
            loss = _loss(network, next(source))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
            bar.update()
    return network


def gain_db(network: Committee, example: Example, scale: int) -> float:
    """How much nearer to the truth the correction brings a picture of this scale, in dB."""
    added = correction(network, example.light, example.loose, example.hints)
    before = encoded(example.light)
    errors = [
        _square_error(picture, example.truth, scale)
        for picture in (example.light, decoded(before + added))
    ]
    return float(10 * np.log10(errors[0] / errors[1]))


def _square_error(picture: FloatArray, truth: FloatArray, scale: int) -> float:
    """As pictures are judged: averaged, clipped, encoded, without a border."""
    side = 4 // scale
    border = _CHECKED_BORDER_PX // side
    averaged = []
    for light in (picture, truth):
        c, y, x = light.shape
        mean = light.reshape(c, y // side, side, x // side, side).mean(axis=(2, 4))
        averaged.append(encoded(np.clip(mean[:, border:-border, border:-border], 0, 1)))
    return float(np.mean((averaged[0] - averaged[1]) ** 2)) + 1e-9


def _make_missing(folder: Path, numbers: Sequence[int], jobs: int) -> None:
    """Make the examples of these numbers that are not in the folder."""
    spans = [(folder, n, n + 1) for n in numbers if not example_file(folder, n).exists()]
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for _ in tqdm(pool.imap(_make, spans), total=len(spans), desc="captures", file=sys.stderr):
            pass


def _make(span: tuple[Path, int, int]) -> None:
    make_examples(*span)


def _taught_from(folder: Path, training: CorrectionTraining) -> CorrectionNetwork:
    examples = (load_example(example_file(folder, number)) for number in training.learned)
    return taught([lesson_of(example) for example in examples], training)


def main(arguments: Sequence[str]) -> None:
    """Make examples, teach, write the weights, and say what they gain."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--examples", type=Path, required=True, help="folder of the captures")
    parser.add_argument("--steps", type=int, help="default: those of the shipped networks")
    parser.add_argument("--seed", type=int, default=0, help="of the first weights and the patches")
    parser.add_argument("--jobs", type=int, default=2, help="captures made at the same time")
    options = parser.parse_args(arguments)
    given = {} if options.steps is None else {"steps": options.steps}
    trainings = [replace(one, seed=options.seed, **given) for one in SHIPPED]
    numbers = sorted({n for one in trainings for n in (*one.learned, *one.checks)})
    _make_missing(options.examples, numbers, options.jobs)
    torch.set_num_threads(1)  # sums in another order would teach slightly other weights
    network = Committee([_taught_from(options.examples, one) for one in trainings])
    save_weights(options.output, network)
    network.eval()
    checks = trainings[0].checks
    checked = [load_example(example_file(options.examples, number)) for number in checks]
    for scale in (2, 4):
        gains = [gain_db(network, example, scale) for example in checked]
        sys.stdout.write(f"x{scale}: {np.mean(gains):+.2f} dB, least {min(gains):+.2f} dB\n")


if __name__ == "__main__":
    main(sys.argv[1:])
