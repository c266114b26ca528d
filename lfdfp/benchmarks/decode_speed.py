"""CPU-seconds and memory from a raw file to a light field, beside plenpy and a floor, in one run.

    python -m lfdfp.benchmarks.decode_speed [--camera illum] [--size N] [--json FILE]

Every row is a process of its own with one thread; compilation is done before and not counted.
The floor reads the sensor's codes from the file once and writes a light field of the size ours
has once, into memory. plenpy's rows need it in the environment of the benchmark:

    python -m venv peer && peer/bin/pip install ".[plenpy]"
    peer/bin/python -m lfdfp.benchmarks.decode_speed
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from lfdfp.computing.memory import peak_memory_mib
from lfdfp.simulation.names import CameraName

_PEER_SECTIONS = 11
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement; NaN with a remark where it could not be made."""

    name: str
    cpu_s: float = float("nan")
    wall_s: float = float("nan")
    peak_mib: float = float("nan")
    remark: str = ""


def prepare(folder: Path, camera: CameraName, size: int | None) -> None:
    """Write a capture, its white image, and the camera's calibration file into `folder`.

    In a folder `peer`, the capture is laid out as plenpy's reader expects it: eleven sections
    before the table of contents.
    """
    from lfdfp.calibration import calibrate_from_white_images
    from lfdfp.lfp.white_images import find_white_images, loaded
    from lfdfp.simulation import camera_model, make_scene, simulate_capture
    from lfdfp.simulation.files import write_simulated_capture
    from lfdfp.storage.camera_calibrations import save_camera_calibration

    model = camera_model(camera, size=size)
    scene = make_scene("layers", model.field_pitch, seed=1)
    simulated = simulate_capture(scene, model, seed=1, rays_per_pixel=16)
    (folder / "Images").mkdir()
    whites = folder / "Calibration" / "WhiteImages"
    whites.mkdir(parents=True)
    files = write_simulated_capture(folder / "Images" / "capture", simulated, truth=False)
    assert files.white_image is not None
    for suffix in (".RAW", ".TXT"):
        files.white_image.with_suffix(suffix).rename(whites / f"MOD_0000{suffix}")
    found = calibrate_from_white_images(loaded(find_white_images(whites)))
    save_camera_calibration(folder / "Calibration", found)
    shutil.copytree(whites, folder / "peer" / "Calibration" / "WhiteImages")
    (folder / "peer" / "Images").mkdir()
    _write_for_peer(files.capture, folder / "peer" / "Images" / "capture.lfr")


def _write_for_peer(source: Path, target: Path) -> None:
    from lfdfp.lfp import Container, Section, read_container, write_container

    container = read_container(source)
    contents = json.loads(container.table().payload)
    nothing = {"imageRef": "", "width": 0, "height": 0}
    contents["thumbnails"] = contents.get("thumbnails") or [nothing]
    sections = [section for section in container.sections if section.kind != "table"]
    for n in range(len(sections), _PEER_SECTIONS):
        sections.append(Section.make("component", f"filler {n}".encode()))
    table_section = Section.make("table", json.dumps(contents).encode())
    write_container(target, Container(sections=(*sections, table_section)))


def _capture_file(folder: Path) -> Path:
    return next(path for path in (folder / "Images").iterdir() if path.suffix in {".lfr", ".lfp"})


def floor(folder: Path) -> object:
    """Read the codes once, write a light field once."""
    from lfdfp.lfp import read_capture

    capture = read_capture(_capture_file(folder))
    rows, columns = capture.mosaic.shape
    pitch = capture.microlens_array.pitch_m / capture.pixel_pitch_m
    views = 2 * int(0.495 * pitch) + 1
    samples = int(rows / pitch / 0.866), int(columns / pitch / 0.866)
    field = np.empty((views, views, *samples, 3), np.uint16)
    field[...] = capture.mosaic.sum(dtype=np.uint64) % 65536
    return field


def ours(folder: Path) -> object:
    """Capture and calibration file to light field."""
    from lfdfp.calibration import calibrate
    from lfdfp.decoding import decode
    from lfdfp.lfp import read_capture
    from lfdfp.storage.camera_calibrations import find_calibration

    capture = read_capture(_capture_file(folder))
    known = find_calibration(capture, [folder / "Calibration"])
    assert known is not None
    return decode(capture, calibrate(capture, known=known))


def ours_white(folder: Path) -> object:
    """White image to calibration file."""
    from lfdfp.calibration import calibrate_from_white_images
    from lfdfp.lfp.white_images import find_white_images, loaded

    whites = find_white_images(folder / "Calibration" / "WhiteImages")
    return calibrate_from_white_images(loaded(whites))


def ours_alone(folder: Path) -> object:
    """Capture to light field, without a calibration file."""
    from lfdfp.calibration import calibrate
    from lfdfp.decoding import decode
    from lfdfp.lfp import read_capture

    capture = read_capture(_capture_file(folder))
    return decode(capture, calibrate(capture))


def _plenpy_camera(folder: Path) -> Any:
    """plenpy's camera; torchvision, which another camera of its imports, is stood in for."""
    if importlib.util.find_spec("torchvision") is None:
        transforms = types.ModuleType("torchvision.transforms")
        vars(transforms)["GaussianBlur"] = None
        sys.modules["torchvision"] = types.ModuleType("torchvision")
        sys.modules["torchvision.transforms"] = transforms
    from plenpy.cameras.lytro_illum import LytroIllum

    return LytroIllum(folder / "peer")


def plenpy_white(folder: Path) -> object:
    """plenpy: white image to its calibration file, by its faster method."""
    camera = _plenpy_camera(folder)
    camera.calibrate(method="dans")
    return camera


def plenpy_decode(folder: Path) -> object:
    """plenpy: capture to light field, its calibration file at hand."""
    camera = _plenpy_camera(folder)
    camera.calibrate(method="dans")
    camera.load_sensor_image(0)
    camera.decode_sensor_image(0, demosaic_method="bilinear", resample_method="bilinear")
    return camera


_WORK: dict[str, tuple[str, Callable[[Path], object]]] = {
    "floor": ("read the sensor once, write the field once", floor),
    "ours": ("lfdfp: capture and calibration file to light field", ours),
    "ours_alone": ("lfdfp: capture alone to light field", ours_alone),
    "ours_white": ("lfdfp: white image to calibration", ours_white),
    "plenpy_white": ("plenpy: white image to calibration", plenpy_white),
    "plenpy_decode": ("plenpy: capture and calibration to light field", plenpy_decode),
}


def measured(folder: Path, work: str) -> Row:
    """One row, measured in a process of its own."""
    if work.startswith("plenpy") and _capture_file(folder).suffix != ".lfr":
        return Row(name=_WORK[work][0], remark="plenpy reads captures of the Illum only")
    command = [sys.executable, "-W", "ignore", "-m", __spec__.name, "--work", work, str(folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | _ONE_THREAD
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return Row(name=_WORK[work][0], remark=f"not measured: {reason}")
    return Row(name=_WORK[work][0], **json.loads(lines[-1]))


def run_one(folder: Path, work: str) -> None:
    """Do the work and print its costs as JSON; the process's start does not count."""
    import cv2

    cv2.setNumThreads(1)
    cpu, wall = time.process_time(), time.perf_counter()
    _WORK[work][1](folder)
    costs = {
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.perf_counter() - wall,
        "peak_mib": peak_memory_mib(),
    }
    print(json.dumps(costs))


def table(rows: list[Row]) -> str:
    """Markdown, with the ratio to the floor."""
    lines = ["| work | CPU s | x floor | wall s | peak MiB |", "|---|---|---|---|---|"]
    for row in rows:
        if row.remark:
            lines.append(f"| {row.name} | {row.remark} | | | |")
            continue
        ratio = row.cpu_s / rows[0].cpu_s
        lines.append(
            f"| {row.name} | {row.cpu_s:.2f} | {ratio:.1f} | {row.wall_s:.1f} "
            f"| {row.peak_mib:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Prepare, measure every row, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--camera", choices=get_args(CameraName), default="illum")
    parser.add_argument("--size", type=int, default=None, help="sensor side; default: full")
    parser.add_argument("--json", type=Path, default=None)
    parser.add_argument("--work", nargs=2, metavar=("WORK", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        run_one(Path(options.work[1]), options.work[0])
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # In a process of its own too: children would inherit this one's peak memory.
        worker = multiprocessing.get_context("spawn").Process(
            target=prepare, args=(folder, options.camera, options.size)
        )
        worker.start()
        worker.join()
        for work in ("ours_white", "ours", "ours_alone"):
            measured(folder, work)  # compiles
        rows = [measured(folder, work) for work in _WORK]
    print(table(rows))
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2))


if __name__ == "__main__":
    main()
