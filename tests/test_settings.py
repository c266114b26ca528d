"""Settings files: what is given is taken, what is unknown is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from lfdfp.errors import SettingsError
from lfdfp.settings import Settings, read_settings


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    return path


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    assert read_settings(_file(tmp_path, "")) == Settings()


def test_given_values_are_taken(tmp_path: Path) -> None:
    text = "[refocus]\nslopes = [-0.5, 0.5, 7]\n[fusion]\nscale = 4\n"
    settings = read_settings(_file(tmp_path, text))
    assert settings.refocus.slopes == (-0.5, 0.5, 7)
    assert settings.fusion.scale == 4
    assert settings.decode == Settings().decode


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[fusing]\n", r"unknown 'fusing'; known are decode, fusion, refocus"),
        ("[fusion]\nscales = 2\n", r"\[fusion\]: unknown 'scales'"),
        ("[fusion]\nscale = 'two'\n", r"\[fusion\]: scale must be int, found 'two'"),
        ("[fusion]\npreset = 'magic'\n", r"preset must be one of .*balanced.*, found 'magic'"),
        ("[fusion]\nscale = 5\n", r"settings\.toml: \[fusion\]: scale must be 1, 2, 3 or 4, got 5"),
        ("fusion = 3\n", r"\[fusion\] must be a table"),
        ("[fusion\n", r"cannot be read as TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_settings(_file(tmp_path, text))
