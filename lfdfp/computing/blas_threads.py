"""One thread of BLAS: where sums of several would depend on how many there are."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def with_one_blas_thread(function: Callable[P, T]) -> Callable[P, T]:
    """`function`, in which BLAS and LAPACK use one thread, however many they were given.

    OpenBLAS splits a product of a long vector and a matrix, and what is built on it (least
    squares, large systems), into a part for each thread: the last bits of the sum depend on how
    many there are, and a fit that chooses by comparing makes a visible difference of them. More
    threads do not help on matrices as small as those here: they wait for each other (measured
    on an F01 capture on two busy cores: twice the processor time of calibrating).
    """

    @wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> T:
        from threadpoolctl import threadpool_limits

        if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
            # Only libraries that are loaded can be limited, and SciPy brings a BLAS of its own.
            import numpy as np
            import scipy.linalg

            del np, scipy
        with threadpool_limits(1, user_api="blas"):
            return function(*args, **kwargs)

    return limited
