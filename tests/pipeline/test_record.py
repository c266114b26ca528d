"""Times of stages add up, and facts can be written as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lfdfp.datatypes import SharpPicture
from lfdfp.pipeline.record import (
    StageTime,
    capture_facts,
    picture_facts,
    readable_facts,
    summed,
    timed,
)
from lfdfp.progress import Progress, ignore_progress, silent_stage
from tests.factories import defocused_pair, tiny_capture


def test_a_stage_is_shown_and_timed() -> None:
    shown: list[str] = []

    @contextmanager
    def show(name: str) -> Iterator[Progress]:
        shown.append(name)
        yield ignore_progress
        shown.append(f"{name} done")

    times: list[StageTime] = []
    with timed(show, times)("sleep") as progress:
        progress(1, 2)
        time.sleep(0.02)
    assert shown == ["sleep", "sleep done"]
    (one,) = times
    assert (one.name, one.reused) == ("sleep", False)
    assert one.wall_s >= 0.02 > one.cpu_s


def test_a_stage_that_fails_has_no_time() -> None:
    times: list[StageTime] = []
    with pytest.raises(KeyError), timed(silent_stage, times)("fail"):
        raise KeyError
    assert not times


def test_times_of_one_name_are_added_up_in_the_order_of_their_first() -> None:
    def one(name: str, wall_s: float, *, reused: bool = False) -> StageTime:
        return StageTime(name=name, wall_s=wall_s, cpu_s=2 * wall_s, reused=reused)

    times = [one("a", 1), one("save", 2), one("b", 3, reused=True), one("save", 4)]
    assert summed(times) == (one("a", 1), one("save", 6), one("b", 3, reused=True))


def test_facts_are_json_and_say_the_same_to_people() -> None:
    capture = tiny_capture(size=200)
    calibration = capture.true_calibration()
    stack, sharp = defocused_pair()
    picture = SharpPicture(all_in_focus=sharp, super_resolved=sharp, scale=1)
    facts = capture_facts(capture.raw_capture(), calibration)
    whole = json.loads(json.dumps(facts | picture_facts(picture, stack), allow_nan=True))
    assert whole["calibration"]["pitch_px"] == calibration.grid.pitch_px
    assert whole["data_term"] == "stack"
    assert "slopes_px_per_step" not in whole
    lines = readable_facts("shot.lfp", picture, stack, facts)
    assert lines["Input"] == "shot.lfp"
    assert lines["Calibration"].startswith(calibration.source)
    told = readable_facts("shot.lfp", picture, stack, facts, shot={"model": "F01"})
    assert told["Camera"] == "F01"
    assert "Calibration" not in readable_facts("shot.lfp", picture, stack, {})
