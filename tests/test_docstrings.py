"""Public functions say of what shape the arrays are that they take and give."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import lfdfp

ROOT = Path(lfdfp.__file__).parent
_OTHERS = ("benchmarks", "cli")
_ARRAY = re.compile(r"\b(?:NDArray|Tensor|(?:Float|Double|Code|Bool|Complex|Owner)Array)\b")
_SHAPE = re.compile(
    r"[Ss]hape"
    r"|\((?:\w+|\.\.\.|[\w ]+ [\w]+)(?:\[)?,[^)]*\)"  # (Y, X), (K,), (..., 3), (scale Y, scale X)
    r"|\b[Aa]s (?:in |for )?`"  # as another one that says it
    r"|[Ss]ame\b|any number"
)


def _functions(body: list[ast.stmt], within: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _functions(node.body, f"{within}.{node.name}")
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield f"{within}.{node.name}", node


def _takes_or_gives_arrays(function: ast.FunctionDef) -> bool:
    a = function.args
    hints = [argument.annotation for argument in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
    return any(hint and _ARRAY.search(ast.unparse(hint)) for hint in (*hints, function.returns))


def test_array_functions_name_shapes() -> None:
    silent = []
    for path in sorted(ROOT.rglob("*.py")):
        module = path.relative_to(ROOT)
        if module.parts[0] in _OTHERS:
            continue
        for name, function in _functions(ast.parse(path.read_text()).body, module.as_posix()):
            said = ast.get_docstring(function) or ""
            if _takes_or_gives_arrays(function) and not _SHAPE.search(said):
                silent.append(name)
    assert not silent, "without a shape in the docstring: " + ", ".join(silent)
