"""Suites: cases are what they say, scores come from one protocol, files say how they were made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lfdfp.errors import SettingsError
from lfdfp.evaluation.protocol import Score
from lfdfp.evaluation.suite_report import write_suite
from lfdfp.evaluation.suites import SUITES, CaseResult, run_case, suite_cases, suite_table


def _result(case: str, group: str, gain: float) -> CaseResult:
    scores = [
        Score(name=name, scale=scale, psnr_db=30 + gain * (name == "lfdfp, rays"), ssim=0.9)
        for scale in (2, 4)
        for name in ("perfect noise-free view + bicubic", "lfdfp, rays")
    ]
    return CaseResult(case=case, group=group, scores=tuple(scores), cpu_s=12.0)


@pytest.mark.parametrize("name", SUITES)
def test_cases_of_a_suite_differ(name: str) -> None:
    cases = suite_cases(name, "f01")
    assert len({replace(case, name="") for case in cases}) == len(cases)
    assert all(case.size for case in cases)
    assert not any(case.size for case in suite_cases(name, "illum", whole=True))


def test_captures_come_with_and_without_white_image() -> None:
    for name in ("drawn", "photographic"):
        white = [case.white_image for case in suite_cases(name, "f01")]
        assert white.count(True) == white.count(False)


def test_a_suite_that_does_not_exist_is_named() -> None:
    with pytest.raises(SettingsError, match="'nothing'; there are drawn"):
        suite_cases("nothing", "f01")


def test_means_and_least_are_over_the_cases_of_a_group() -> None:
    results = [_result("a", "f01", 1), _result("b", "f01", 3), _result("a", "illum", 5)]
    table = suite_table(results)
    assert "| f01 | ×2 | lfdfp, rays | 32.00 | 31.00 | 0.900 |" in table
    assert "| illum | ×4 | lfdfp, rays | 35.00 | 35.00 | 0.900 |" in table
    assert "| f01 | b | 33.00 / 33.00 | +3.00 / +3.00 | 12.0 |" in table


def test_files_tell_command_machine_and_versions(tmp_path: Path) -> None:
    paths = write_suite(tmp_path, "drawn", "lfdfp evaluate …", [_result("a<b>", "f01 & co", 1)])
    facts = json.loads(paths[0].read_text(encoding="utf-8"))
    assert {"command", "machine", "versions", "cases"} <= set(facts)
    assert "numpy" in facts["versions"]
    assert "`lfdfp evaluate …`" in paths[1].read_text(encoding="utf-8")
    shown = ElementTree.parse(paths[2]).getroot()
    assert any(text.text and "f01 & co" in text.text for text in shown.iter())


@pytest.mark.slow
def test_every_method_is_scored_on_a_capture() -> None:
    case = next(iter(suite_cases("photographic", "f01")))
    result = run_case(replace(case, size=300))
    found = {(score.scale, score.name) for score in result.scores}
    for scale in (2, 4):
        assert (scale, "lfdfp, rays") in found
        assert (scale, "stack, Laplacian pyramid + back-projection") in found
        assert (scale, "perfect noise-free view + bicubic") in found
    assert result.cpu_s > 0
