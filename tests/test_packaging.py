"""What is installed is what is here: data files too, and the version everywhere the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import lfdfp

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_data_file_is_installed() -> None:
    package = ROOT / "lfdfp"
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["lfdfp"]
    installed = {path for pattern in patterns for path in package.glob(pattern)}
    passed_over = {".py", ".pyc", ".nbi", ".nbc"}
    data = {p for p in package.rglob("*") if p.is_file() and p.suffix not in passed_over}
    assert data == installed


def test_citation_and_changelog_know_the_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {lfdfp.__version__}" in citation
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## {lfdfp.__version__}\n" in changes


def test_the_versions_that_are_installed_are_allowed() -> None:
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    pinned = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line and not line.startswith("#")
    )
    names = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pinned.items()}
    for requirement in wanted:
        name, _, least = requirement.partition(">=")
        exact = names.get(re.sub(r"[-_.]+", "-", name).lower())
        if exact is not None:
            numbers = [tuple(map(int, re.findall(r"\d+", v)[:3])) for v in (exact, least)]
            assert numbers[0] >= numbers[1], requirement
