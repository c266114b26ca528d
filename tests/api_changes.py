"""What changed in the public functions and types since the last version.

python -m tests.api_changes             # list the changes
python -m tests.api_changes --record    # at a release: write down the signatures of this version
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

import lfdfp

GOLDEN = Path(__file__).parent / "golden"
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class Change(NamedTuple):
    """One name, with its signatures before and after; "" where it is not there."""

    name: str
    before: str
    after: str


def signatures() -> dict[str, str]:
    """Of functions and types, by name; errors have none."""
    offered = {name: getattr(lfdfp, name) for name in sorted(lfdfp.__all__)}
    described = {n: o for n, o in offered.items() if callable(o) and o is not lfdfp.LfdfpError}
    return {n: _ADDRESS.sub("", str(inspect.signature(o))) for n, o in described.items()}


def last_recorded() -> tuple[str, dict[str, str]]:
    """The last version that was recorded, and its signatures."""
    files = {path.stem.removeprefix("api-"): path for path in GOLDEN.glob("api-*.json")}
    newest = max(files, key=lambda version: tuple(int(part) for part in version.split(".")))
    return newest, json.loads(files[newest].read_text(encoding="utf-8"))


def changes() -> list[Change]:
    """What was changed or taken away, and what is new, in this order."""
    before, after = last_recorded()[1], signatures()
    found = [
        Change(name, before.get(name, ""), after.get(name, ""))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]
    return sorted(found, key=lambda change: not change.before)


def main() -> None:
    """Print the changes, or record this version."""
    if "--record" in sys.argv:
        path = GOLDEN / f"api-{lfdfp.__version__}.json"
        path.write_text(json.dumps(signatures(), indent=1) + "\n", encoding="utf-8")
        return
    for name, before, after in changes():
        kind = "changed" if before and after else "new" if after else "gone"
        sys.stdout.write(f"{kind} {name}\n    {before or '-'}\n    {after or '-'}\n")


if __name__ == "__main__":
    main()
