"""The fusion benchmark resumes, compares like with like and only watches the paper's recipe."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from lfdfp.benchmarks.fusion import print_equal_quality, super_resolution
from lfdfp.benchmarks.fusion_methods import BASELINES, REFERENCE, by_paper
from lfdfp.benchmarks.photograph_pairs import Made, Notebook, Pair, Row
from lfdfp.fusion.paper.recipe import PaperSettings
from lfdfp.networks.skipnet import SkipnetSettings
from tests.fusion.scenes import multi_focus, textured_picture

_TRUTH = textured_picture((64, 64))
_PAIR = Pair(name="drawn", slices=multi_focus(_TRUTH, 2)[0], truth=_TRUTH)
_SMALL = SkipnetSettings(channels=(8,), skip_channels=(4,), kernel_size=3)


def test_a_measured_row_is_not_measured_again(tmp_path: Path) -> None:
    calls = []

    def black(pair: Pair, scale: int, seed: int) -> Made:
        calls.append(pair.name)
        return Made(picture=np.zeros_like(pair.truth), course=((0.5, 9.0),))

    notes = tmp_path / "rows.jsonl"
    first = super_resolution([_PAIR], 2, 0.0, {"black": black}, Notebook(notes))
    again = super_resolution([_PAIR], 2, 0.0, {"black": black}, Notebook(notes))
    assert calls == ["drawn"]
    assert first == again
    assert {row.method for row in first} == {*BASELINES, "black"}


def test_time_to_equal_quality_is_a_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    def row(method: str, level: float, course: tuple[tuple[float, float], ...] = ()) -> Row:
        return Row(
            task="x2", method=method, pair="01", psnr_luma=level, psnr=level, ssim=1.0, table_1={},
            cpu_s=2.0, course=course,
        )  # fmt: skip

    course = ((1.0, 10.0), (50.0, 21.0), (100.0, 24.0))
    rows = [row(REFERENCE, 20.0), row("balanced", 25.0), row("published", 24.0, course)]
    print_equal_quality(rows, ["published"])
    lines = capsys.readouterr().out.splitlines()
    assert "| 01 | balanced | 25.00 | 2.00 | published | never in 100 (best 24.00 dB) | > 50 |" in (
        lines
    )
    assert f"| 01 | {REFERENCE} | 20.00 | 2.00 | published | 50 | 25 |" in lines


def test_the_truth_watches_the_recipe_and_has_no_say() -> None:
    paper = PaperSettings(
        skipnet=_SMALL, mask_skipnet=_SMALL, iterations=51, embedding_iterations=2
    )
    made = partial(by_paper, paper)(_PAIR, 1, 0)
    blind = by_paper(paper, Pair(name="", slices=_PAIR.slices, truth=1 - _TRUTH), 1, 0)
    assert len(made.course) == 3
    np.testing.assert_array_equal(made.picture, blind.picture)
