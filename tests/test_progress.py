"""Parts of the work tell their place in the whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lfdfp.progress import Progress, progress_from, silent_stage, stages_of


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
