"""Option values that need more than a type."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from typing import Literal

import typer


def parse_slopes(text: str | None) -> tuple[float, float, int] | None:
    """``first:last:count`` as numbers; None or ``auto`` for the scene's own range."""
    if text is None or text == "auto":
        return None
    parts = text.split(":")
    try:
        first, last, count = float(parts[0]), float(parts[1]), int(parts[2])
    except (ValueError, IndexError):
        raise typer.BadParameter(
            f"{text!r} is not auto or first:last:count, such as -0.6:0.4:9", param_hint="--slopes"
        ) from None
    if len(parts) != 3 or not (math.isfinite(first) and math.isfinite(last)):
        raise typer.BadParameter(f"{text!r} is not first:last:count", param_hint="--slopes")
    if not first < last or not 2 <= count <= 256:
        raise typer.BadParameter(
            f"{text!r}: first must be smaller than last, and count 2 to 256", param_hint="--slopes"
        )
    return first, last, count


def parse_reference(text: str) -> Literal["first", "middle"] | int:
    """The photograph that others are moved onto: ``first``, ``middle``, or a number from 1."""
    if text == "first":
        return "first"
    if text == "middle":
        return "middle"
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise typer.BadParameter(
        f"{text!r} is not first, middle or a number from 1", param_hint="--reference"
    )


def parse_pair(text: str | None, option: str) -> tuple[float, float] | None:
    """``down,right`` as two numbers; None where the option was not given."""
    if text is None:
        return None
    try:
        down, right = (float(part) for part in text.split(","))
    except ValueError:
        down = right = math.nan
    if not (math.isfinite(down) and math.isfinite(right)):
        raise typer.BadParameter(f"{text!r} is not two numbers, such as 0.4,0", param_hint=option)
    return down, right


def parse_names(
    text: str, known: Collection[str], option: str, *, what: str = "one of"
) -> list[str]:
    """Names with commas between, each of which has to be known; `what` they are, in the error."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            raise typer.BadParameter(
                f"{name!r} is not {what} {', '.join(known)}", param_hint=option
            )
    return names


def parse_numbers(text: str, option: str) -> list[float]:
    """Numbers with commas between them."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = [math.nan]
    if not all(math.isfinite(number) for number in numbers):
        raise typer.BadParameter(
            f"{text!r} is neither a file nor numbers such as -0.3,0.2", param_hint=option
        )
    return numbers


def parse_area(text: str | None) -> tuple[int, int, int, int] | None:
    """``ROWSxCOLUMNS+TOP+LEFT`` as four numbers; None where the option was not given."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})\+(\d{1,5})\+(\d{1,5})", text)
    if found is None:
        raise typer.BadParameter(
            f"{text!r} is not ROWSxCOLUMNS+TOP+LEFT in pixels of a view, such as 120x120+100+80",
            param_hint="--crop",
        )
    rows, columns, top, left = (int(number) for number in found.groups())
    return rows, columns, top, left


def parse_size(text: str | None) -> tuple[int, int] | None:
    """``rows x columns`` as in ``656x656``; None for the camera's full sensor."""
    if text is None or text == "full":
        return None
    rows, separator, columns = text.lower().partition("x")
    try:
        size = int(rows), int(columns or rows)
    except ValueError:
        size = (0, 0)
    if not all(64 <= side <= 20_000 for side in size) or (separator and not columns):
        raise typer.BadParameter(
            f"{text!r} is not ROWSxCOLUMNS in sensor pixels, such as 656x656", param_hint="--size"
        )
    return size


def parse_grid(
    text: str | None, option: str = "--grid", first: str = "rows"
) -> tuple[int, int] | None:
    """``8x6`` as two whole numbers; None where the option was not given."""
    if text is None:
        return None
    match = re.fullmatch(r"([1-9][0-9]{0,2})x([1-9][0-9]{0,2})", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not like 8x6, {first} first", param_hint=option)
    return int(match[1]), int(match[2])


def parse_jobs(text: str) -> int | None:
    """A number of processes; None for ``auto``."""
    if text == "auto":
        return None
    if not re.fullmatch(r"[1-9]\d{0,3}", text):
        raise typer.BadParameter(f"{text!r} is neither auto nor a number", param_hint="--jobs")
    return int(text)


def parse_memory(text: str | None) -> float | None:
    """A size such as ``8G`` or ``800M``, in MiB; None where the option was not given."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,6}(?:\.\d+)?)\s*([MGT])(?:i?B)?", text.strip(), re.IGNORECASE)
    if found is None:
        raise typer.BadParameter(
            f"{text!r} is not a size such as 8G or 800M", param_hint="--memory"
        )
    return float(found[1]) * 2.0 ** {"M": 0, "G": 10, "T": 20}[found[2].upper()]
