"""Settings of all stages from the options that `run` and `batch` share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from lfdfp.cli.parsing import parse_slopes
from lfdfp.settings import Data, Preset, Prior, Settings, read_settings


def run_settings(
    settings_file: Path | None,
    *,
    scale: int | None,
    planes: int | None,
    slopes: str | None,
    preset: Preset | None,
    data: Data | None,
    prior: Prior | None,
    device: str | None,
    seed: int | None,
) -> Settings:
    """The settings file's, or the defaults, with those options that were given.

    Raises
    ------
    LfdfpError
        For a settings file that cannot be read, or an impossible value.
    """
    settings = Settings() if settings_file is None else read_settings(settings_file)
    refocus = _given(settings.refocus, planes=planes, slopes=parse_slopes(slopes))
    wanted = "stack" if preset == "paper" and data is None else data
    fusion = _given(
        settings.fusion,
        scale=scale,
        preset=preset,
        data=wanted,
        prior=prior,
        device=device,
        seed=seed,
    )
    return replace(settings, refocus=refocus, fusion=fusion)


def _given(settings: Any, **options: object) -> Any:
    """`settings` with those options that were given."""
    return replace(settings, **{k: v for k, v in options.items() if v is not None})
