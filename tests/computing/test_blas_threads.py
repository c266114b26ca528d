"""Results do not depend on how many threads BLAS was given."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from threadpoolctl import threadpool_info, threadpool_limits

import lfdfp
from lfdfp.computing.blas_threads import with_one_blas_thread
from lfdfp.pipeline.run_capture import run_material


def _threads() -> set[int]:
    assert scipy.linalg  # it brings a BLAS of its own
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_there_is_one_thread_inside_and_the_number_before_outside() -> None:
    with threadpool_limits(2, user_api="blas"):
        before = _threads()
        assert with_one_blas_thread(_threads)() == {1}
        assert _threads() == before


def test_a_long_sum_has_the_same_bits_for_any_number_of_threads() -> None:
    rng = np.random.default_rng(0)
    weight, terms = rng.random(200_000), rng.random((200_000, 30))
    sums = with_one_blas_thread(lambda: weight @ terms)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            found.append(sums())
    np.testing.assert_array_equal(*found)


def test_the_stages_are_limited_and_keep_their_names() -> None:
    for stage in (lfdfp.calibrate, lfdfp.decode, lfdfp.fuse, lfdfp.reconstruct, run_material):
        assert hasattr(stage, "__wrapped__"), stage
        assert stage.__doc__
