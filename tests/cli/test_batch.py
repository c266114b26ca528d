"""`lfdfp batch`: what it prints, how it ends, and that it goes on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lfdfp.cli.batch_display import duration
from lfdfp.cli.main import app
from lfdfp.pipeline.batch.state import locked, read_entries
from lfdfp.simulation import write_simulated_capture
from tests.digests import digests
from tests.factories import tiny_capture

pytestmark = pytest.mark.slow

runner = CliRunner()
QUICK = ("--preset", "fast", "--planes", "4", "--data", "stack", "--scale", "1")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


def _batch(*arguments: object) -> Result:
    return runner.invoke(app, ["batch", *map(str, arguments)])


def _capture(folder: Path, name: str, seed: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    made = tiny_capture(size=200, seed=seed)
    return write_simulated_capture(folder / name, made, white_image=False, truth=False).capture


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batch") / "shots"
    _capture(folder, "a.lfp")
    (folder / "evil\x1b[31m.lfp").write_bytes(b"hello")
    return folder


@pytest.fixture(scope="module")
def first(shots: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    out = tmp_path_factory.mktemp("results")
    return out, _batch(shots, "-o", out, *QUICK, "--jobs", "1")


def test_a_batch_tells_what_it_did_and_where_to_look(first: tuple[Path, Result]) -> None:
    out, result = first
    assert result.exit_code == 1
    assert "2 captures, 1 at a time, about" in result.stderr
    assert re.search(r"\[\d/2\] \S*a\.lfp: done in [\d.]+ s, \d+ MiB", result.stdout)
    assert "1 of 2 captures done, 1 failed" in result.stdout
    assert f"next: open {out / 'index.html'}" in result.stdout
    assert "\x1b" not in result.output


def test_the_second_time_nothing_is_done(first: tuple[Path, Result], shots: Path) -> None:
    out, _ = first
    result = _batch(shots, "-o", out, *QUICK, "--jobs", "1")
    assert result.exit_code == 1  # the bad one is still bad
    assert "1 of 2 captures done (1 unchanged), 1 failed" in result.stdout
    assert "--retry-failed" in result.stdout


def test_events_come_as_lines_of_json(first: tuple[Path, Result], shots: Path) -> None:
    out, _ = first
    result = _batch(shots, "-o", out, *QUICK, "--jobs", "1", "--retry-failed", "--json-lines")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(event["event"], event.get("status")) for event in events] == [
        ("ended", "done"),
        ("started", None),
        ("progressed", None),
        ("ended", "failed"),
    ]
    assert events[0]["unchanged"]


def test_json_lists_all_captures(first: tuple[Path, Result], shots: Path) -> None:
    out, _ = first
    facts = json.loads(_batch(shots, "-o", out, *QUICK, "--jobs", "1", "--json").stdout)
    assert [(one["ok"], Path(one["capture"]).name[0]) for one in facts] == [
        (True, "a"),
        (False, "e"),
    ]


def test_a_folder_in_use_is_refused(shots: Path, tmp_path: Path) -> None:
    with locked(tmp_path):
        result = _batch(shots, "-o", tmp_path, *QUICK)
    assert result.exit_code == 1
    assert "another lfdfp is at work" in result.stderr


def test_an_empty_folder_is_said_to_be(tmp_path: Path) -> None:
    result = _batch(tmp_path)
    assert result.exit_code == 1
    assert "no captures" in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("option", "value"), [("--jobs", "0"), ("--jobs", "many"), ("--jobs", "-1")]
)
def test_impossible_options_are_refused(option: str, value: str, shots: Path) -> None:
    result = _batch(shots, f"{option}={value}")
    assert result.exit_code == 2
    assert option in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_within_three_seconds_and_says_how_to_go_on(
    number: signal.Signals, shots: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", "from lfdfp.cli.main import main; main()"]
    process = subprocess.Popen(
        [*command, "batch", shots, "-o", out, "--jobs", "1", "--json-lines"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        while json.loads(process.stdout.readline()).get("stage") != "calibrate":
            pass
        sent = time.monotonic()
        os.killpg(process.pid, number)  # as a terminal does: the workers hear it too
        process.wait()
        took = time.monotonic() - sent
        said = process.stderr.read()
        process.stdout.read()
    assert process.returncode == 128 + number
    assert took < 3
    assert "the same command goes on from there" in said
    assert "Traceback" not in said
    assert read_entries(out)["a"].status == "interrupted"
    assert not list(out.rglob(".lfdfp-*"))


@pytest.mark.slow
def test_the_number_of_jobs_does_not_change_a_byte(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        made = tiny_capture(scene="motorcycle", size=400, seed=ord(name))
        (tmp_path / "shots").mkdir(exist_ok=True)
        target = tmp_path / "shots" / f"{name}.lfp"
        write_simulated_capture(target, made, white_image=False, truth=False)
    results = []
    for jobs in ("1", "2"):
        out = tmp_path / jobs
        result = _batch(tmp_path / "shots", "-o", out, "--planes", "4", "--jobs", jobs)
        assert result.exit_code == 0, result.output
        results.append({name: one for name, one in digests(out).items() if "/" in name})
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3.21, "3.2 s"), (59, "59 s"), (600, "10 min"), (7500, "2 h 5 min"), (200_000, "2 d 7 h")],
)
def test_durations_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_dry_run_says_what_would_be_done_and_makes_nothing(shots: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = _batch(shots, "-o", out, *QUICK, "--dry-run")
    assert result.exit_code == 0
    assert "2 captures: 2 to be done, 0 unchanged, 0 failed before" in result.stdout
    assert f"a.lfp -> {out / 'a'}" in result.stdout
    assert re.search(r"about [\d.]+ s, \d at a time; [\d.]+ GiB on disk, where", result.stdout)
    assert not out.exists()


def test_a_dry_run_knows_what_is_finished(first: tuple[Path, Result], shots: Path) -> None:
    out, _ = first
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    facts = json.loads(_batch(shots, "-o", out, *QUICK, "--dry-run", "--json").stdout)
    assert (facts["captures"], facts["unchanged"], facts["failed_before"]) == (2, 1, 1)
    assert facts["due"] == []
    retried = json.loads(
        _batch(shots, "-o", out, *QUICK, "--dry-run", "--retry-failed", "--json").stdout
    )
    assert [Path(one["capture"]).name[:4] for one in retried["due"]] == ["evil"]
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


@pytest.mark.parametrize(
    ("order", "expected"),
    [("name", "abc"), ("newest", "cab"), ("oldest", "bac"), ("smallest", "acb")],
)
def test_captures_come_in_the_order_that_is_wanted(
    order: str, expected: str, tmp_path: Path
) -> None:
    for name, size, time_s in (("a", 10, 2000), ("b", 3000, 1000), ("c", 200, 3000)):
        path = tmp_path / f"{name}.lfp"
        path.write_bytes(bytes(size))
        os.utime(path, (time_s, time_s))
    facts = _batch(tmp_path, "-o", tmp_path / "out", "--order", order, "--dry-run", "--json")
    names = [Path(one["capture"]).stem for one in json.loads(facts.stdout)["due"]]
    assert "".join(names) == expected


def test_no_more_processors_are_used_than_is_allowed(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.lfp").write_bytes(b"")
    facts = _batch(tmp_path, "--limit-cpu", "1", "--dry-run", "--json")
    assert json.loads(facts.stdout)["processes"] == 1


def test_what_needs_more_memory_than_is_allowed_is_not_begun(shots: Path, tmp_path: Path) -> None:
    result = _batch(shots, "-o", tmp_path / "all", *QUICK, "--memory", "100M")
    assert result.exit_code == 1
    assert "more than --memory 100M allows" in result.stderr
    assert read_entries(tmp_path / "all")["a"].status == "failed"
    assert not (tmp_path / "all" / "a").exists()
    retried = _batch(shots, "-o", tmp_path / "all", *QUICK, "--memory", "4G", "--retry-failed")
    assert "1 of 2 captures done, 1 failed" in retried.stdout


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_scheduler_that_does_not_answer_is_named(
    more: tuple[str, ...], shots: Path, tmp_path: Path
) -> None:
    pytest.importorskip("distributed", reason="Dask is an extra")
    result = _batch(shots, "-o", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9", *more)
    assert result.exit_code == 1
    assert "tcp://127.0.0.1:9: no scheduler answers" in result.stderr


def test_captures_that_do_not_fit_into_memory_together_come_one_after_the_other(
    tmp_path: Path,
) -> None:
    for name in "ab":
        _capture(tmp_path / "shots", f"{name}.lfp", seed=ord(name))
    lines = ("--json-lines", "--jobs", "2", "--memory")
    for memory, expected in (("500M", "aabb"), ("2G", "abab")):
        result = _batch(tmp_path / "shots", "-o", tmp_path / memory, *QUICK, *lines, memory)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        told = [Path(e["capture"]).stem for e in events if e["event"] in ("started", "ended")]
        assert "".join(told[:2]) == expected[:2]
        assert sorted(told) == sorted(expected)


@pytest.mark.parametrize("text", ["0", "8", "lots", "-1G"])
def test_a_memory_size_needs_a_unit(text: str, shots: Path) -> None:
    result = _batch(shots, f"--memory={text}")
    assert result.exit_code == 2
    assert "--memory" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")
def test_a_watched_folder_is_worked_on_as_it_grows(tmp_path: Path) -> None:
    shots, out = tmp_path / "shots", tmp_path / "out"
    shots.mkdir()
    command = [sys.executable, "-c", "from lfdfp.cli.main import main; main()"]
    options = ["--jobs", "1", "--watch", "--json-lines", *QUICK]
    process = subprocess.Popen(
        [*command, "batch", shots, "-o", out, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    assert process.stdout is not None
    with process:
        for name in ("a", "b"):
            _capture(shots, f"{name}.lfp", seed=ord(name))
            event = {"event": ""}
            while event["event"] != "ended":
                event = json.loads(process.stdout.readline())
            assert Path(str(event["capture"])).stem == name
            assert (out / name / "run.json").is_file()
        process.send_signal(signal.SIGTERM)
        process.wait(5)
        process.stdout.read()
    assert process.returncode == 143
