"""Bands cover all rows once, in order, whatever the number of threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from lfdfp.computing.bands import BandRunner, thread_count


@pytest.mark.parametrize("rows", [1, 95, 96, 97, 1000])
@pytest.mark.parametrize("threads", [1, 3])
def test_bands_cover_all_rows_once_and_in_order(rows: int, threads: int) -> None:
    spans = BandRunner(threads).map(lambda first, last: (first, last), rows)
    assert [row for first, last in spans for row in range(first, last)] == list(range(rows))


def test_sums_over_bands_have_the_same_bits_for_any_number_of_threads() -> None:
    values = np.random.default_rng(0).random(5000, np.float32)
    sums = {
        sum(BandRunner(threads).map(lambda a, b: float(values[a:b].sum()), 5000))
        for threads in (1, 2, 5)
    }
    assert len(sums) == 1


def test_several_threads_work_at_once() -> None:
    meet = threading.Barrier(2, timeout=20)
    assert sorted(BandRunner(2).each(lambda part: part + 0 * meet.wait(), [1, 2])) == [1, 2]


def test_what_goes_wrong_in_a_band_is_raised() -> None:
    def broken(first: int, last: int) -> None:
        raise ValueError(f"rows {first} to {last}")

    for threads in (1, 2):
        with pytest.raises(ValueError, match="rows 0 to"):
            BandRunner(threads).map(broken, 10)


def test_at_least_one_thread_is_used() -> None:
    assert thread_count(0) == 1
    assert thread_count(7) == 7
    assert thread_count(None) >= 1


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order_and_progress_counts_them(threads: int) -> None:
    told: list[tuple[int, int]] = []
    squares = BandRunner(threads).each(
        lambda n: n * n, iter(range(5)), lambda done, total: told.append((done, total))
    )
    assert squares == [0, 1, 4, 9, 16]
    assert told == [(n, 5) for n in range(1, 6)]
