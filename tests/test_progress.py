"""Parts of the work tell their place in the whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lfdfp.progress import Progress, UnevenSteps, progress_from, share_of, silent_stage, stages_of


def test_the_steps_of_a_part_come_after_those_before_it() -> None:
    told: list[tuple[int, int]] = []
    part = progress_from(lambda done, total: told.append((done, total)), 3, 10)
    part(2, 4)
    assert told == [(5, 10)]


def test_stages_of_a_part_bear_its_name_and_keep_their_progress() -> None:
    told: list[tuple[str, int, int]] = []

    @contextmanager
    def stage(name: str) -> Iterator[Progress]:
        yield lambda done, total: told.append((name, done, total))

    with stages_of("x2", stage)("fuse") as progress:
        progress(1, 2)
    assert told == [("x2: fuse", 1, 2)]
    with silent_stage("fuse") as progress:
        progress(1, 2)


def test_uneven_steps_count_by_their_weights() -> None:
    told: list[tuple[int, int]] = []
    steps = UnevenSteps(lambda done, total: told.append((done, total)), 10)
    for weight in (4, 5, 1):
        steps.passed(weight)
    assert told == [(4, 10), (9, 10), (10, 10)]


def test_a_share_of_the_work_goes_from_its_beginning_to_its_end() -> None:
    told: list[float] = []
    part = share_of(lambda done, total: told.append(done / total), 0.25, 0.75)
    for done in (0, 1, 2):
        part(done, 2)
    assert told == [0.25, 0.5, 0.75]
