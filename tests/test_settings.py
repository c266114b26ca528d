"""Settings files: what is given is taken, what is unknown is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lfdfp.errors import SettingsError, StorageError
from lfdfp.settings import (
    DisplaySettings,
    NamedWhiteBalance,
    RefocusSettings,
    Settings,
    read_settings,
)


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
        ("[fusing]\n", r"unknown 'fusing'; known are decode, display, fusion, refocus"),
        ("[fusion]\nscales = 2\n", r"\[fusion\]: unknown 'scales'"),
        ("[fusion]\nscale = 'two'\n", r"\[fusion\]: scale must be int, found 'two'"),
        ("[fusion]\npreset = 'magic'\n", r"preset must be one of .*balanced.*, found 'magic'"),
        ("[fusion]\nscale = 5\n", r"settings\.toml: \[fusion\]: scale must be 1, 2, 3 or 4, got 5"),
        ("fusion = 3\n", r"\[fusion\] must be a table"),
        ("[fusion\n", r"cannot be read as TOML"),
        ("a=" + 5000 * "[", r"cannot be read as TOML: nested too deeply"),
        ("[fusion]\nseed = 1" + 5000 * "0" + "\n", r"cannot be read as TOML"),
        ("[fusion]\nseed = 0x" + 5000 * "f" + "\n", r"seed must be 0 to 9.*a number of too many"),
        ("[fusion]\nseed = -1\n", r"seed must be 0 to"),
        ("[fusion]\nscale = 99\n", r"scale must be 1, 2, 3 or 4, got 99"),
        ("[fusion]\npreset = [1]\n", r"preset must be one of"),
        ("[fusion]\ndevice = 'a/b'\n", r"device must be auto, cpu or like cuda:0, got 'a/b'"),
        ("[fusion]\nscale" + 2000 * ".a" + " = 1\n", r"scale must be int, found \{'a': "),
        ("[refocus]\nplanes = 100000000\n", r"planes must be 2 to 256, got 100000000"),
        ("[refocus]\nplanes = 0\n", r"planes must be 2 to 256, got 0"),
        ("[refocus]\nslopes = [-1e300, 1e300, 5]\n", r"slopes are from -1000 to 1000, got -1e"),
        ("[refocus]\nslopes = [nan, inf, -4]\n", r"slopes are from -1000 to 1000, got nan"),
        ("[refocus]\nslopes = [-0.5, 0.5, 1]\n", r"must ascend over 2 to 256 planes.*over 1$"),
        ("[refocus]\nslopes = [0.5, -0.5, 9]\n", r"must ascend.*got 0\.5 to -0\.5 over 9"),
        ("[refocus]\naperture = 'x'\n", r"aperture 'x': square or round is possible"),
        ("[refocus]\naperture = 'round:f/1e999'\n", r"aperture 'round:f/1e999': square or round"),
        ("[refocus]\naperture = 'round:nan'\n", r"aperture 'round:nan'"),
        ("[display]\nexposure_ev = 11\n", r"exposure_ev is from -10 to 10, got 11"),
        ("[display]\nexposure_ev = nan\n", r"exposure_ev is from -10 to 10, got nan"),
        ("[display]\ntone = 'hdr'\n", r"tone must be one of linear, standard, found 'hdr'"),
        ("[decode]\nangular_size = 8\n", r"angular_size must be odd and positive, up to 31, got 8"),
        ("[decode]\nangular_size = 1001\n", r"odd and positive, up to 31, got 1001"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_settings(_file(tmp_path, text))


@pytest.mark.parametrize("name", ["square", "round", "round:0.5", "square:1", "round:f/4"])
def test_apertures_of_every_form_are_taken(name: str) -> None:
    assert RefocusSettings(aperture=name).aperture == name


def test_a_pipe_is_refused_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "settings.toml"
    os.mkfifo(pipe)
    with pytest.raises(StorageError, match=r"settings\.toml: this is no regular file"):
        read_settings(pipe)


def test_a_file_of_megabytes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="where up to 1048576 can be read"):
        read_settings(_file(tmp_path, "#" * (1 << 21)))


@pytest.mark.parametrize("name", ["n" * 300, "a\0b"])
def test_an_impossible_path_is_a_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError, match="cannot be read"):
        read_settings(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("camera", "camera"),
        ("auto", "auto"),
        ("5200", "temperature"),
        ("2850K", "temperature"),
        ("1.9,1,1.4", "gains"),
    ],
)
def test_white_balances_of_every_form_are_taken(name: str, source: str) -> None:
    assert (
        NamedWhiteBalance.parse(DisplaySettings(white_balance=name).white_balance).source == source
    )


@pytest.mark.parametrize(
    "name", ["sunny", "900", "99999", "1,2", "1,-1,1", "nan,1,1", "1,1e9,1", ""]
)
def test_other_white_balances_are_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="camera, auto, a color temperature from 1700 to 25000"):
        DisplaySettings(white_balance=name)
