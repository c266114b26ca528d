from __future__ import annotations

import io

import pytest
from PIL import Image

from lfdfp.lfp.signature import jpeg_shape, png_shape, signature


@pytest.mark.parametrize("progressive", [False, True])
def test_the_size_of_a_jpeg_is_found(progressive: bool) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (37, 21)).save(
        stream, "JPEG", progressive=progressive, exif=b"Exif\0\0" + bytes(500)
    )
    assert signature(stream.getvalue()[:16]) == "a JPEG picture"
    assert jpeg_shape(stream.getvalue()) == (21, 37)


def test_the_size_of_a_png_is_found() -> None:
    stream = io.BytesIO()
    Image.new("L", (37, 21)).save(stream, "PNG")
    assert signature(stream.getvalue()[:16]) == "a PNG picture"
    assert png_shape(stream.getvalue()) == (21, 37)


def test_pictures_that_are_cut_short_have_no_size() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (37, 21)).save(stream, "JPEG")
    whole = stream.getvalue()
    for length in range(2, 170):
        assert jpeg_shape(whole[:length]) in (None, (21, 37))
    assert jpeg_shape(b"\xff\xd8\xff\xe0\0\0" * 9) is None
    assert png_shape(b"\x89PNG\r\n\x1a\n\0\0") is None


def test_json_text_begins_with_a_bracket_and_is_text() -> None:
    assert signature(b'  {\n\t"picture" : ') == "JSON text"
    assert signature(b"{\n\x00\x01\x90abcdefgh") is None
    assert signature(b"") is None
