"""Bands cover all rows, results keep their order, and progress counts parts."""

from __future__ import annotations

import pytest

from lfdfp.computing.bands import BandRunner


@pytest.mark.parametrize("threads", [1, 3])
def test_bands_cover_every_row_once_whatever_the_threads(threads: int) -> None:
    spans = BandRunner(threads).map(lambda first, last: (first, last), 500)
    assert [row for first, last in spans for row in range(first, last)] == list(range(500))
    assert spans == BandRunner(1).map(lambda first, last: (first, last), 500)


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order_and_progress_counts_them(threads: int) -> None:
    told: list[tuple[int, int]] = []
    squares = BandRunner(threads).each(
        lambda n: n * n, iter(range(5)), lambda done, total: told.append((done, total))
    )
    assert squares == [0, 1, 4, 9, 16]
    assert told == [(n, 5) for n in range(1, 6)]
