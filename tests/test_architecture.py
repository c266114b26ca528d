"""What may import what: the table of ``docs/architecture.md``, held by reading the imports."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
TOP = {"lfdfp", "__main__"}
"""The package itself: it offers what the rooms have, and belongs to none."""

_GROUND = 7
"""Rooms in the first two rows of the table: every room may import from them."""

ALLOWED = {
    "typer": r"lfdfp\.cli\..*",
    "h5py": r"lfdfp\.(storage|interchange)\..*|lfdfp\.simulation\.files",
    "numba": r"lfdfp\..*kernels|lfdfp\.imaging\.splines|lfdfp\.computing\.(bands|threads)",
}
"""Packages that only these modules may import at all, at the top or on first use."""

WITH_TORCH = (
    r"lfdfp\.(networks|super_resolution)\..*|lfdfp\.fusion\.paper\.recipe"
    r"|lfdfp\.(computing\.torch_devices|refocusing\.torch_sums|reconstruction\.solver\.on_torch)"
    r"|lfdfp\.(reconstruction\.learned\..*|learning\.train)"
)
"""Modules that may import torch at the top; the others import it on first use."""


class Import(NamedTuple):
    """One import statement's target; `first` if it is followed when the module is imported."""

    module: str
    target: str
    first: bool


def _modules() -> dict[str, Path]:
    found = {}
    for path in sorted((ROOT / "lfdfp").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = _modules()


def _targets(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        return [name if name in MODULES else node.module for name in names]
    return []


def _statements(body: list[ast.stmt], first: bool) -> Iterator[tuple[ast.stmt, bool]]:
    for node in body:
        inside = first and not isinstance(node, ast.FunctionDef)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            inside = False
        yield node, first
        for part in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, part, []), inside)
        for handler in getattr(node, "handlers", []):
            yield from _statements(handler.body, inside)


def _imports() -> list[Import]:
    return [
        Import(module, target, first)
        for module, path in MODULES.items()
        for node, first in _statements(ast.parse(path.read_text(encoding="utf-8")).body, True)
        for target in _targets(node)
    ]


IMPORTS = _imports()


def _room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def _table() -> dict[str, set[str]]:
    """Rooms in the order of the table, with those that each may import from."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?`) \| .*? \|(.*)\|$", text, re.M)
    allowed: dict[str, set[str]] = {}
    for number, (names, sources) in enumerate(rows):
        rooms = re.findall(r"`(\w+)`", names)
        above = set(allowed) | (set(rooms) if number == 0 else set())
        named = set(re.findall(r"`(\w+)`", sources))
        assert named <= above, f"{rooms} may not import from {named - above}: they stand below"
        everything = number < 2 or "all above" in sources
        ground = set(itertools.islice(allowed, _GROUND))
        allowed.update({room: above if everything else named | ground for room in rooms})
    return allowed


def test_every_room_is_in_the_table() -> None:
    rooms = {_room(module) for module in MODULES} - TOP
    assert rooms <= set(_table())
    assert len(rooms) > 20


def test_rooms_import_what_the_table_lets_them() -> None:
    table = _table()
    wrong = {
        f"{found.module} imports {found.target}"
        for found in IMPORTS
        if found.target in MODULES
        and _room(found.module) not in {*TOP, _room(found.target)}
        and _room(found.target) not in table[_room(found.module)]
    }
    assert not wrong


def test_the_package_is_imported_by_name_only_from_its_parts() -> None:
    """``import lfdfp`` inside the package would hide from which room something comes."""
    assert not {found.module for found in IMPORTS if found.target == "lfdfp"}


def test_no_modules_import_each_other_in_a_circle() -> None:
    edges = defaultdict(set)
    for found in IMPORTS:
        if found.first and found.target in MODULES:
            edges[found.module].add(found.target)
    done: set[str] = set()

    def walk(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        for target in edges[module] - done:
            walk(target, (*trail, module))
        done.add(module)

    for module in MODULES:
        walk(module, ())


@pytest.mark.parametrize("package", ALLOWED)
def test_packages_stay_where_they_are_the_subject(package: str) -> None:
    users = {
        found.module
        for found in IMPORTS
        if found.target.split(".")[0] == package and _room(found.module) != "benchmarks"
    }
    assert users
    assert not [user for user in users if not re.fullmatch(ALLOWED[package], user)]


def test_torch_is_imported_on_first_use_where_it_is_not_the_subject() -> None:
    heads = {f.module for f in IMPORTS if f.first and f.target.split(".")[0] == "torch"}
    assert heads
    assert not [user for user in heads if not re.fullmatch(WITH_TORCH, user)]


def test_private_names_stay_in_their_module() -> None:
    wrong = []
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lfdfp"):
                wrong += [(module, a.name) for a in node.names if re.match(r"_(?!_)", a.name)]
    assert not wrong


def _loaded(code: str) -> set[str]:
    """Names of the packages that a process of its own has loaded after running `code`."""
    script = f"import sys\n{code}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.splitlines()[-1].split())


_HELP = """
sys.argv = ["lfdfp", *{arguments}, "--help"]
from lfdfp.cli.main import main
try:
    main()
except SystemExit:
    pass
"""


@pytest.mark.parametrize("arguments", [[], ["run"], ["doctor"]])
def test_help_loads_nothing_that_computes(arguments: list[str]) -> None:
    heavy = {"torch", "numba", "cv2", "scipy", "skimage", "h5py"}
    assert not heavy & _loaded(_HELP.format(arguments=arguments))


def test_importing_the_package_loads_no_other() -> None:
    others = {"numpy", "torch", "numba", "h5py", "cv2", "scipy", "skimage", "typer", "PIL"}
    loaded = _loaded("import lfdfp; dir(lfdfp)")
    assert "lfdfp" in loaded
    assert not others & loaded
