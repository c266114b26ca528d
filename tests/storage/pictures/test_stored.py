"""Only what is offered is opened, sizes are judged before memory is taken, damage is one line."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from lfdfp.errors import ImageError
from lfdfp.storage.images import picture_size, read_codes, read_picture
from tests.storage.pictures.picture_files import KINDS, png_chunk


def _png(columns: int, rows: int, *chunks: bytes) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks)


def _peak_mib(code: str, *arguments: object) -> tuple[str, float]:
    """What a process of its own prints, and how much memory it needed at most beyond start-up."""
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from lfdfp.errors import ImageError\n"
        "from lfdfp.storage.images import *\n"
        "import lfdfp.storage.pictures.tiff, lfdfp.storage.pictures.png\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        f"before = peak()\n{code}\nprint(peak() - before)\n"
    )
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    *said, needed = done.stdout.splitlines()
    return "\n".join(said), float(needed)


_REFUSED = """
try:
    read_picture(Path(sys.argv[1]))
except ImageError as error:
    print(error)
"""


def test_a_text_file_with_a_picture_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.jpg"
    path.write_text("hello")
    with pytest.raises(ImageError, match=r"text\.jpg: is not a picture that can be read \(PNG"):
        read_picture(path)


def test_what_is_no_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"none\.png: no such file"):
        picture_size(tmp_path / "none.png")
    with pytest.raises(ImageError, match="is a folder"):
        read_picture(tmp_path)
    with pytest.raises(ImageError, match="cannot be read: File name too long"):
        read_picture(tmp_path / ("x" * 300))


@pytest.mark.parametrize(
    ("form", "options"), [("GIF", {}), ("BMP", {}), ("PPM", {}), ("ICO", {}), ("EPS", {})]
)
def test_formats_that_are_not_offered_are_not_opened(
    tmp_path: Path, form: str, options: dict[str, object]
) -> None:
    path = tmp_path / "picture.png"
    Image.new("RGB", (32, 32), (1, 2, 3)).save(path, format=form, **options)
    with pytest.raises(ImageError, match="is not a picture that can be read"):
        read_picture(path)


def test_a_chunk_beyond_the_end_of_the_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "chunk.png"
    path.write_bytes(_png(28, 28, struct.pack(">I4s", 0x4944_4154, b"IDAT")))
    said, needed = _peak_mib(_REFUSED, path)
    assert "chunk IDAT of 1229209940 bytes reaches beyond the end of the file" in said
    assert needed < 20


def test_few_bytes_that_unpack_to_very_many_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(10_001)) for _ in range(10_000)) + packer.flush()
    path.write_bytes(_png(10_000, 10_000, png_chunk(b"IDAT", rows), png_chunk(b"IEND", b"")))
    assert picture_size(path) == (10_000, 10_000)
    said, needed = _peak_mib(_REFUSED, path)
    assert "bytes would unpack to 100 MB: a decompression bomb, not a photograph" in said
    assert needed < 20


@pytest.mark.parametrize("compression", ["zlib", "lzw", "zstd"])
def test_a_strip_that_unpacks_to_more_than_its_share_takes_no_memory(
    tmp_path: Path, compression: str
) -> None:
    path = tmp_path / "strip.tif"
    honest = np.zeros((8, 8), np.uint8)
    tifffile.imwrite(path, honest, compression=compression, metadata=None)
    encode = getattr(imagecodecs, f"{compression}_encode")
    bomb = encode(bytes(40_000_000))
    with tifffile.TiffFile(path) as file:
        places = {n: file.pages[0].tags[n].valueoffset for n in ("StripOffsets", "StripByteCounts")}
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, places["StripOffsets"], len(content))
    struct.pack_into("<I", content, places["StripByteCounts"], len(bomb))
    path.write_bytes(bytes(content) + bomb)
    _, needed = _peak_mib(_REFUSED, path)
    assert needed < 30


def test_a_huge_picture_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(_png(20_000, 20_000, png_chunk(b"IDAT", b""), png_chunk(b"IEND", b"")))
    with pytest.raises(ImageError, match="20000 x 20000 pixels are more than the 120 megapixels"):
        picture_size(path)
    strips = tmp_path / "huge.tif"
    tifffile.imwrite(strips, np.zeros((4, 4), np.uint8), metadata=None)
    with tifffile.TiffFile(strips) as file:
        places = [file.pages[0].tags[n].valueoffset for n in ("ImageWidth", "ImageLength")]
    content = bytearray(strips.read_bytes())
    for place in places:
        struct.pack_into("<H", content, place, 65_000)
    strips.write_bytes(content)
    with pytest.raises(ImageError, match=r"huge\.tif: 65000 x 65000 pixels are more"):
        picture_size(strips)


def test_tiles_far_larger_than_the_picture_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tiles.tif"
    tifffile.imwrite(path, np.zeros((32, 32), np.uint8), tile=(32, 32), metadata=None)
    with tifffile.TiffFile(path) as file:
        places = [file.pages[0].tags[n].valueoffset for n in ("TileWidth", "TileLength")]
    content = bytearray(path.read_bytes())
    for place in places:
        struct.pack_into("<H", content, place, 64_000)
    path.write_bytes(content)
    with pytest.raises(ImageError, match="tiles of 64000 x 64000 pixels are far larger"):
        read_picture(path)


def test_pages_in_a_circle_end(tmp_path: Path) -> None:
    path = tmp_path / "circle.tif"
    tifffile.imwrite(path, np.zeros((4, 4), np.uint8), metadata=None)
    content = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, first)
    struct.pack_into("<I", content, first + 2 + 12 * count, first)
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"circle\.tif: .* in a circle"):
        read_picture(path)


def test_a_jpeg_of_many_scans_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "slow.jpg"
    stream = io.BytesIO()
    Image.new("L", (64, 64)).save(stream, "JPEG", progressive=True)
    content = stream.getvalue()
    start = content.rindex(b"\xff\xda")
    path.write_bytes(content[:-2] + content[start:-2] * 200 + b"\xff\xd9")
    with pytest.raises(ImageError, match=r"slow\.jpg: more than 100 scans"):
        read_picture(path)


@pytest.mark.parametrize("name", KINDS)
def test_damage_anywhere_is_one_line(tmp_path: Path, name: str) -> None:
    """Or goes unnoticed, where the format has no checksum; but nothing else is ever raised."""
    kind = KINDS[name]
    path = tmp_path / f"picture{kind.suffix}"
    kind.write(path)
    whole = path.read_bytes()
    random = np.random.default_rng(len(whole))
    for place in random.integers(4, len(whole), 30):
        damaged = bytearray(whole[: place + 1] if place % 7 == 0 else whole)
        damaged[place] ^= int(random.integers(1, 256))
        path.write_bytes(damaged)
        for read in (picture_size, read_picture, read_codes):
            said = _said(read, path)
            assert not said or (said.startswith(f"{path}: ") and "\n" not in said)


def _said(read: Callable[[Path], object], path: Path) -> str:
    try:
        read(path)
    except ImageError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", ["png 8 rgb", "png 16 rgb", "jpeg rgb", "tiff 16 lzw"])
def test_a_truncated_picture_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"part{KINDS[name].suffix}"
    KINDS[name].write(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ImageError, match=r"part\.\w+: the picture is damaged"):
        read_picture(path)


@pytest.mark.data
def test_a_strip_may_claim_more_rows_than_there_are(data_dir: Path) -> None:
    path = data_dir / "malformed" / "tiff_rows_huge.tif"
    said, needed = _peak_mib("print(read_picture(Path(sys.argv[1])).light.shape)", path)
    assert said == "(28, 28, 3)"
    assert needed < 60


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("eps_as.png", "is not a picture that can be read"),
        ("png_chunk_4GB.png", "reaches beyond the end of the file"),
    ],
)
def test_small_malformed_files(data_dir: Path, name: str, said: str) -> None:
    answer, needed = _peak_mib(_REFUSED, data_dir / "malformed" / name)
    assert f"{name}: " in answer
    assert said in answer
    assert "\n" not in answer
    assert needed < 100


def test_the_limits_of_other_programs_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("L", (16, 16)).save(path)
    before = Image.MAX_IMAGE_PIXELS
    read_picture(path)
    assert before == Image.MAX_IMAGE_PIXELS


def test_a_folder_without_permission_is_one_line(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = tmp_path / "a.png"
    KINDS["png 8 rgb"].write(path)
    path.chmod(0)
    with pytest.raises(ImageError, match=r"a\.png: cannot be read: Permission denied"):
        read_picture(path)
