"""Every work that a docstring cites by title is in the bibliography, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
REFERENCE = re.compile(r"^ *\.\. \[\d\] (.*?)(?=\n\s*\n|\"\"\"|^ *\.\. \[)", re.S | re.M)


def plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def cited() -> dict[str, str]:
    """Title of every reference with a quoted title, and the file that cites it."""
    found = {}
    for path in sorted((ROOT / "lfdfp").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for reference in REFERENCE.findall(text):
            for title in re.findall(r'"([^"]+)"', reference):
                found[plain(title)] = path.name
    return found


def listed() -> set[str]:
    text = (ROOT / "docs" / "references.bib").read_text(encoding="utf-8")
    return {plain(title) for title in re.findall(r"^ *title\s*= \{(.*)\},", text, re.M)}


def test_what_is_cited_is_listed() -> None:
    titles, bibliography = cited(), listed()
    assert len(titles) > 15
    for title, name in titles.items():
        assert any(entry.startswith(title) for entry in bibliography), (title, name)


def test_what_is_listed_is_cited() -> None:
    named_without_title = {"cubic convolution interpolation for digital image processing"}
    titles = cited()
    for entry in listed() - named_without_title:
        assert any(entry.startswith(title) for title in titles), entry
