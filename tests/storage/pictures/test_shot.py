"""Camera, exposure and time in words; what is not known is not told."""

from __future__ import annotations

from lfdfp.storage.pictures.shot import shot_in_words


def test_a_shot_is_told_in_three_lines() -> None:
    shot = {
        "make": "Lytro, Inc.",
        "model": "F01",
        "taken": "2012-05-06T07:08:09Z",
        "exposure_s": 1 / 60,
        "iso": 400.0,
        "f_number": 2.0,
        "focal_length_mm": 6.4,
    }
    assert shot_in_words(shot) == {
        "Camera": "Lytro, Inc. F01",
        "Exposure": "1/60 s, f/2.0, ISO 400, 6 mm",
        "Taken": "2012-05-06 07:08:09",
    }


def test_what_is_not_known_is_not_told() -> None:
    assert shot_in_words({"model": "F01", "exposure_s": 2.0, "iso": "?"}) == {
        "Camera": "F01",
        "Exposure": "2.0 s",
    }
    assert shot_in_words({}) == {}
    assert shot_in_words("damaged") == {}
