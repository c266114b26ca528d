"""Settings of all stages from the options that `run` and `batch` share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lfdfp.cli.parsing import parse_slopes
from lfdfp.settings import (
    Data,
    DisplaySettings,
    Preset,
    Prior,
    Settings,
    Tone,
    read_settings,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAs:
    """The options of pictures for people; None where one was not given."""

    exposure: float | None = None
    white_balance: str | None = None
    tone: Tone | None = None

    def over(self, settings: DisplaySettings) -> DisplaySettings:
        """`settings` with those options that were given.

        Raises
        ------
        SettingsError
            For an impossible value.
        """
        changed: DisplaySettings = _given(
            settings,
            exposure_ev=self.exposure,
            white_balance=self.white_balance,
            tone=self.tone,
        )
        return changed


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
    display: ShownAs,
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
    shown = display.over(settings.display)
    return replace(settings, refocus=refocus, fusion=fusion, display=shown)


def _given(settings: Any, **options: object) -> Any:
    """`settings` with those options that were given."""
    return replace(settings, **{k: v for k, v in options.items() if v is not None})
