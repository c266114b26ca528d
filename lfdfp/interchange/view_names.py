"""File names with two numbers to a grid of views, whatever base and extra numbers they have."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Final

from lfdfp.errors import ImageError

_NUMBER: Final = re.compile(r"-?\d+\.\d+|\d+")
_MAX_VIEWS: Final = 10_000

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
    numbers = {path: _numbers(path) for path in _of_one_kind(folder, paths)}
    places = [k for k, value in enumerate(next(iter(numbers.values()))) if value is not None]
    pairs = [*reversed(list(pairwise(places))), *reversed(list(combinations(places, 2)))]
    for pair in pairs:
        if (grid := _grid(numbers, pair)) and (
            pair == pairs[0] or min(len(grid), len(grid[0])) > 1
        ):
            return grid
    raise ImageError(f"{folder}: {_what_is_missing(numbers, pairs[0])}")


def _of_one_kind(folder: Path, paths: Sequence[Path]) -> list[Path]:
    """The files whose names have two whole numbers, if those names differ by numbers alone."""
    usable = [path for path in paths if sum(n is not None for n in _numbers(path)) >= 2]
    if len(usable) < 2:
        raise ImageError(f"{folder}: no views found; pictures named with two numbers are needed")
    if len(usable) > _MAX_VIEWS:
        raise ImageError(f"{folder}: {len(usable)} views; up to {_MAX_VIEWS} can be read")
    kinds = Counter(_NUMBER.sub("#", path.name) for path in usable)
    if len(kinds) > 1:
        (first, _), (second, _) = kinds.most_common(2)
        raise ImageError(f"{folder}: names of more than one kind, {first!r} and {second!r}")
    return usable


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
