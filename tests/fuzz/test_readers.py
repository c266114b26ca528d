"""Whatever the bytes, a reader takes them or says in one line why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.harness import FOUND, changed_copies, prepared
from tests.fuzz.readers import READERS


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", READERS)
def test_changed_files_are_taken_or_refused(name: str) -> None:
    reader = READERS[name]
    with prepared(reader) as (read, seeds):
        assert seeds
        assert all(read(data) for data in seeds if name != "eslf"), "the examples are sound"
        count = 50 if reader.structure == "hdf5" else 150
        taken = [read(data) for data in changed_copies(reader, seeds, count, seed=1)]
    assert not all(taken), "some of them cannot be right"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", sorted(FOUND.glob("*.bin")), ids=lambda path: path.stem)
def test_what_fuzzing_found_is_taken_or_refused(path: Path) -> None:
    name = next(name for name in READERS if path.name.startswith(f"{name}-"))
    with prepared(READERS[name]) as (read, _):
        read(path.read_bytes())
