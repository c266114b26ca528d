"""File names to a grid of views: by two numbers of whatever base, or one that runs through all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Final

from lfdfp.errors import ImageError

_NUMBER: Final = re.compile(r"-?\d+\.\d+|\d+")
_BESIDE: Final = re.compile(
    r"label|disp|depth|mask|normal|confidence|segment|edge|flow|(?<![a-z])gt(?![a-z])|thumb|preview",
    re.IGNORECASE,
)
"""What names of pictures say that lie beside views and are none."""

_MAX_VIEWS: Final = 10_000
_LEAST_SIDE: Final = 3

Numbers = tuple[int | None, ...]
Key = tuple[int, int]


def arrange(folder: Path, paths: Sequence[Path]) -> list[list[Path]]:
    """Files as a grid ``[first][second]`` by two of the whole numbers in their names.

    The two numbers are the last ones that fill a grid: each of the first with each of the second,
    evenly spaced. Names without two numbers are left out; decimal numbers do not count.

    Raises
    ------
    ImageError
        If no two numbers fill a grid (the first missing view is named), or names are of more
        than one kind.
    """
    usable = [path for path in paths if sum(n is not None for n in _numbers(path)) >= 2]
    numbers = {path: _numbers(path) for path in of_one_kind(folder, usable)}
    places = [k for k, value in enumerate(next(iter(numbers.values()))) if value is not None]
    pairs = [*reversed(list(pairwise(places))), *reversed(list(combinations(places, 2)))]
    for pair in pairs:
        if (grid := _grid(numbers, pair)) and (
            pair == pairs[0] or min(len(grid), len(grid[0])) > 1
        ):
            return grid
    raise ImageError(f"{folder}: {_what_is_missing(numbers, pairs[0])}")


def fill_a_square(folder: Path, paths: Sequence[Path]) -> bool:
    """Whether two numbers in the names of nine files or more fill a square, as those of views do.

    Photographs do not: their names have one number that runs, or the time.
    """
    try:
        grid = arrange(folder, paths)
    except ImageError:
        return False
    return len(grid) == len(grid[0]) >= _LEAST_SIDE


def in_one_line(folder: Path, paths: Sequence[Path]) -> list[Path] | None:
    """Files in the order of the one whole number in which their names differ; else None.

    Raises
    ------
    ImageError
        If names are of more than one kind, or a number is there twice or missing.
    """
    usable = [path for path in paths if any(n is not None for n in _numbers(path))]
    numbers = {path: _numbers(path) for path in of_one_kind(folder, usable)}
    columns = list(zip(*numbers.values(), strict=True))
    differing = [k for k, column in enumerate(columns) if len(set(column)) > 1]
    if len(differing) != 1 or None in columns[differing[0]]:
        return None
    at = {found[differing[0]]: path for path, found in numbers.items()}
    line = sorted(number for number in at if number is not None)
    if len(line) < len(numbers):
        twice = Counter(found[differing[0]] for found in numbers.values()).most_common(1)[0][0]
        raise ImageError(f"{folder}: view {twice} is there more than once")
    if not _even(line):
        step = min(after - before for before, after in pairwise(line))
        gap = next(before for before, after in pairwise(line) if after - before > step)
        raise ImageError(f"{folder}: the view after number {gap} is missing")
    return [at[number] for number in line]


def of_one_kind(folder: Path, paths: Sequence[Path]) -> list[Path]:
    """The files that are views: those whose names differ by numbers alone.

    Data sets keep labels, disparities and the like beside the views, under the view's name with
    a word behind it; they are passed over.
    """
    if len(paths) < 2:
        raise ImageError(f"{folder}: no views found; pictures named with two numbers are needed")
    if len(paths) > _MAX_VIEWS:
        raise ImageError(f"{folder}: {len(paths)} views; up to {_MAX_VIEWS} can be read")
    kinds: dict[str, list[Path]] = {}
    for path in paths:
        kinds.setdefault(_NUMBER.sub("#", path.name), []).append(path)
    views = {kind: found for kind, found in kinds.items() if not _BESIDE.search(kind)} or kinds
    if len(views) > 1:
        first, second = sorted(views, key=lambda kind: -len(views[kind]))[:2]
        raise ImageError(f"{folder}: names of more than one kind, {first!r} and {second!r}")
    return next(iter(views.values()))


def _numbers(path: Path) -> Numbers:
    """The numbers in a name; None for those that are not whole."""
    found = _NUMBER.findall(path.stem)
    return tuple(int(text) if text.isdigit() and len(text) <= 9 else None for text in found)


def _grid(numbers: dict[Path, Numbers], pair: tuple[int, int]) -> list[list[Path]] | None:
    keys = {path: _key(found, pair) for path, found in numbers.items()}
    at = {key: path for path, key in keys.items()}
    firsts, seconds = _spread(keys.values(), 0), _spread(keys.values(), 1)
    full = len(firsts) * len(seconds) == len(numbers) == len(at)
    if not full or not (_even(firsts) and _even(seconds)):
        return None
    return [[at[first, second] for second in seconds] for first in firsts]


def _key(numbers: Numbers, pair: tuple[int, int]) -> Key:
    first, second = numbers[pair[0]], numbers[pair[1]]
    if first is None or second is None:
        raise ImageError(f"a name has whole and decimal numbers in other places: {numbers}")
    return first, second


def _spread(keys: Iterable[Key], place: int) -> list[int]:
    return sorted({key[place] for key in keys})


def _even(values: Sequence[int]) -> bool:
    return len({after - before for before, after in pairwise(values)}) <= 1


def _what_is_missing(numbers: dict[Path, Numbers], pair: tuple[int, int]) -> str:
    keys = [_key(found, pair) for found in numbers.values()]
    firsts, seconds = _spread(keys, 0), _spread(keys, 1)
    size = f"a grid of {len(firsts)} x {len(seconds)} views"
    repeated = [key for key, count in Counter(keys).items() if count > 1]
    if repeated:
        return f"view {repeated[0]} is there more than once, so the names give no grid"
    absent = [(a, b) for a in firsts for b in seconds if (a, b) not in set(keys)]
    if absent:
        more = "" if len(absent) == 1 else f" and {len(absent) - 1} more"
        return f"view {absent[0]}{more} is missing from {size}"
    return f"the numbers of {size} are unevenly spaced: {firsts} and {seconds}"
