"""What a suite found, as JSON, Markdown and a plot, with versions and the class of machine."""

from __future__ import annotations

import html
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np

from lfdfp.evaluation.suites import SCALES, CaseResult, suite_table
from lfdfp.files import json_text, write_text
from lfdfp.pipeline.record import versions

_BAR_PX, _ROW_PX, _NAMES_PX = 420, 22, 330
_SHOWN_SCALE: Final = SCALES[0]


def machine_class() -> str:
    """What decides about speed, without a name of the machine: system, cores, instructions."""
    import torch

    capability = torch.backends.cpu.get_cpu_capability()
    return f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores, {capability}"


def write_suite(
    folder: Path, name: str, command: str, results: Sequence[CaseResult]
) -> tuple[Path, Path, Path]:
    """Write ``NAME.json``, ``NAME.md`` and ``NAME.svg`` into a folder.

    Parameters
    ----------
    command
        The command line that makes the same files again.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    packages = versions()
    facts = {"suite": name, "command": command, "machine": machine_class(), "versions": packages}
    paths = (folder / f"{name}.json", folder / f"{name}.md", folder / f"{name}.svg")
    cases = [asdict(result) for result in results]
    write_text(paths[0], json_text(facts | {"cases": cases}) + "\n")
    write_text(paths[1], _page(facts, packages, results))
    write_text(paths[2], _plot(results))
    return paths


def _page(
    facts: Mapping[str, object], packages: Mapping[str, str], results: Sequence[CaseResult]
) -> str:
    installed = ", ".join(f"{name} {version}" for name, version in packages.items())
    return (
        f"# Suite {facts['suite']}\n\n`{facts['command']}`\n\n"
        f"{len(results)} captures; machine: {facts['machine']}; {installed}.\n\n"
        f"![Mean PSNR at ×{_SHOWN_SCALE}]({facts['suite']}.svg)\n\n{suite_table(results)}\n"
    )


def _plot(results: Sequence[CaseResult]) -> str:
    """Bars: mean PSNR of every method at the smaller scale, a block per group."""
    bars: list[tuple[str, float | None]] = []
    for group in dict.fromkeys(result.group for result in results):
        bars.append((group, None))
        found: dict[str, list[float]] = {}
        for result in (one for one in results if one.group == group):
            for score in (one for one in result.scores if one.scale == _SHOWN_SCALE):
                found.setdefault(score.name, []).append(score.psnr_db)
        bars += [(name, float(np.mean(values))) for name, values in found.items()]
    values = [value for _, value in bars if value is not None]
    low, high = np.floor(min(values) - 1), np.ceil(max(values))
    rows = [_row(number, name, value, low, high - low) for number, (name, value) in enumerate(bars)]
    width, height = _NAMES_PX + _BAR_PX + 70, _ROW_PX * len(bars) + 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="13">\n<rect width="100%" height="100%" '
        f'fill="white"/>\n{"".join(rows)}</svg>\n'
    )


def _row(number: int, name: str, value: float | None, low: float, span: float) -> str:
    y = _ROW_PX * number + 20
    label = html.escape(name)
    if value is None:
        return f'<text x="8" y="{y}" font-weight="bold">{label}, ×{_SHOWN_SCALE}, dB</text>\n'
    width = max(_BAR_PX * (value - low) / span, 1)
    color = "#c2571a" if name.startswith("lfdfp") else "#7a8ca0"
    return (
        f'<text x="20" y="{y}">{label}</text>'
        f'<rect x="{_NAMES_PX}" y="{y - 12}" width="{width:.1f}" height="15" fill="{color}"/>'
        f'<text x="{_NAMES_PX + width + 6:.1f}" y="{y}">{value:.2f}</text>\n'
    )
