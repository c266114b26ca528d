"""The time that is left: by the model at first, by what stages take and tell later."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from lfdfp.pipeline.forecast import Forecast, about, capture_stages, photograph_stages
from lfdfp.settings import FusionSettings, Preset


def _passed(forecast: Forecast, stages: dict[str, float], *, speed: float = 1.0) -> None:
    now = 0.0
    for name, seconds in stages.items():
        forecast.begin(name, now)
        now += seconds / speed
        forecast.end(now)


def test_a_run_as_expected_takes_the_time_expected() -> None:
    forecast = Forecast({"a": 4.0, "b": 6.0})
    forecast.begin("a", 0.0)
    assert forecast.outlook(0.0).remaining_s == pytest.approx(10.0)
    forecast.end(4.0)
    forecast.begin("b", 4.0)
    assert forecast.outlook(4.0).remaining_s == pytest.approx(6.0)
    assert forecast.outlook(4.0).share == pytest.approx(0.4)


def test_a_slow_machine_corrects_what_is_left() -> None:
    forecast = Forecast({"a": 20.0, "b": 10.0})
    _passed(forecast, {"a": 20.0}, speed=0.5)
    left = forecast.outlook(40.0).remaining_s
    assert left is not None
    assert 15.0 < left <= 20.0


def test_what_a_stage_tells_outweighs_the_model_at_its_end() -> None:
    forecast = Forecast({"a": 10.0})
    forecast.begin("a", 0.0)
    forecast.reach(0.9)
    assert forecast.outlook(90.0).remaining_s == pytest.approx(10.0, abs=3.5)


def test_a_late_stage_never_promises_to_end_at_once() -> None:
    forecast = Forecast({"a": 10.0})
    forecast.begin("a", 0.0)
    left = [forecast.outlook(now).remaining_s for now in (11.0, 30.0, 60.0)]
    assert all(one is not None and one > 1.0 for one in left)


def test_the_bar_never_runs_back() -> None:
    forecast = Forecast({"a": 10.0, "b": 10.0})
    forecast.begin("a", 0.0)
    shares = []
    for now, told in ((1.0, 0.2), (5.0, 0.25), (20.0, 0.3), (40.0, 0.9)):
        forecast.reach(told)
        shares.append(forecast.outlook(now).share)
    assert shares == sorted(shares)
    assert shares[-1] < 1.0


def test_stages_that_are_left_out_are_not_waited_for() -> None:
    forecast = Forecast({"a": 50.0, "b": 50.0, "c": 2.0})
    forecast.begin("c", 0.0)
    assert forecast.outlook(0.0).remaining_s == pytest.approx(2.0)


def test_a_stage_that_nobody_expected_takes_nothing_from_the_rest() -> None:
    forecast = Forecast({"a": 10.0})
    forecast.begin("save", 0.0)
    forecast.end(1.0)
    assert forecast.outlook(1.0).remaining_s == pytest.approx(10.0)


def test_without_a_model_the_rest_follows_from_what_is_told() -> None:
    forecast = Forecast({})
    forecast.begin("x", 0.0)
    assert forecast.outlook(3.0).remaining_s is None
    forecast.reach(0.25)
    assert forecast.outlook(3.0).remaining_s == pytest.approx(9.0)


@pytest.mark.parametrize("data", ["rays", "stack"])
def test_larger_captures_take_longer_in_every_stage(data: str) -> None:
    settings = FusionSettings(data=data)  # type: ignore[arg-type]
    small, large = (capture_stages(n, settings) for n in (300_000, 10_000_000))
    assert list(small) == list(large)
    assert all(small[name] < large[name] for name in small)


def test_photographs_take_their_number_their_scale_and_their_preset() -> None:
    plain, finer = FusionSettings(scale=1), FusionSettings(scale=2)
    one = photograph_stages("fuse", 2, 1_000_000, plain)
    assert list(one) == ["fuse"]
    assert photograph_stages("fuse", 4, 1_000_000, plain)["fuse"] > one["fuse"]
    made = photograph_stages("align", 2, 1_000_000, finer)
    assert list(made) == ["align", "enlarge"]
    presets = get_args(Preset)
    times = {
        name: photograph_stages("align", 2, 1_000_000, replace(finer, preset=name))["enlarge"]
        for name in presets
    }
    assert times["fast"] < times["balanced"] < times["best"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(2, "about 5 s"), (61, "about 60 s"), (100, "about 2 min"), (7200, "about 2.0 h")],
)
def test_a_time_is_said_as_one_says_it(seconds: float, said: str) -> None:
    assert about(seconds) == said
