"""Read changed files for a while: ``python -m tests.fuzz.harness [READER ...] --minutes 10``.

With atheris, which follows the edges of the code that are reached; without it, changed copies of
the examples alone (``--plain``). What makes a reader raise something else than `LfdfpError`, hang
or take much memory is written to ``build/fuzz/READER/``: mend the reader, and put the file into
``tests/fuzz/found/`` as ``READER-what.bin``.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lfdfp.errors import LfdfpError
from lfdfp.storage import sound_hdf5
from tests.fuzz.mutations import mutated
from tests.fuzz.readers import READERS, Reader

FOUND = Path(__file__).parent / "found"
_OUT = Path("build") / "fuzz"
_LONGEST_S, _MOST_MIB, _LONGEST_BYTES = 20, 3000, 1 << 18


@contextlib.contextmanager
def prepared(reader: Reader) -> Iterator[tuple[Callable[[bytes], bool], list[bytes]]]:
    """(read, examples): `read` says whether bytes were taken, and lets defects through.

    HDF5 files are examined in this process: changed with the form kept, they cannot hang it.
    """
    with tempfile.TemporaryDirectory(dir=_quick_place()) as name:
        folder, other = Path(name) / "in", Path(name) / "seeds"
        folder.mkdir()
        other.mkdir()
        seeds = reader.seeds(other)
        if reader.prepare is not None:
            reader.prepare(folder)
        target = folder / reader.name
        before = sound_hdf5._examined_elsewhere
        sound_hdf5._examined_elsewhere = sound_hdf5.fault_of

        def read(data: bytes) -> bool:
            sound_hdf5._sound.clear()
            target.write_bytes(data)
            try:
                reader.read(folder)
            except LfdfpError as error:
                if "\n" in str(error):
                    raise AssertionError("more than one line") from error
                return False
            return True

        try:
            yield read, seeds
        finally:
            sound_hdf5._examined_elsewhere = before


def changed_copies(reader: Reader, seeds: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Copies of the examples, each changed a few times."""
    chance = random.Random(seed)
    for _ in range(count):
        data = chance.choice(seeds)
        for _ in range(chance.choice((1, 1, 2, 3))):
            data = mutated(data, reader.structure, chance)
        yield data


def _quick_place() -> str | None:
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and os.access(memory, os.W_OK) else None


def _plain(name: str, minutes: float) -> None:
    reader, end, count, taken = READERS[name], time.monotonic() + 60 * minutes, 0, 0
    with prepared(reader) as (read, seeds):
        while time.monotonic() < end:
            for data in changed_copies(reader, seeds, 200, seed=count):
                try:
                    taken += read(data)
                except Exception as error:  # noqa: BLE001 - a defect of whatever kind
                    kept = _OUT / name / f"defect-{count}.bin"
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    kept.write_bytes(data)
                    print(f"{name}: {type(error).__name__}: {str(error)[:200]}; see {kept}")
                count += 1
    print(f"{name}: {count} files, {taken} taken")


def _guided(name: str, minutes: float) -> None:
    import atheris

    folder = _OUT / name
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    reader = READERS[name]
    atheris.instrument_all() if os.environ.get("LFDFP_FUZZ_ALL") else _instrument(atheris)
    with prepared(reader) as (read, seeds):
        for number, data in enumerate(seeds):
            (corpus / f"seed-{number}").write_bytes(data)
        for path in FOUND.glob(f"{name}-*"):
            (corpus / path.name).write_bytes(path.read_bytes())

        def mutate(data: bytes, most: int, seed: int) -> bytes:
            chance = random.Random(seed)
            keep = reader.structure != "bytes" and (
                reader.structure == "hdf5" or chance.random() < 0.7
            )
            changed = mutated(data, reader.structure, chance) if keep else None
            return atheris.Mutate(data, most) if changed is None else changed[:most]

        options = [
            sys.argv[0],
            str(corpus),
            f"-max_total_time={60 * minutes:.0f}",
            f"-timeout={_LONGEST_S}",
            f"-rss_limit_mb={_MOST_MIB}",
            f"-max_len={_LONGEST_BYTES}",
            f"-artifact_prefix={folder}/",
            "-print_final_stats=1",
            "-detect_leaks=0",
        ]
        atheris.Setup(options, lambda data: read(bytes(data)) and None, custom_mutator=mutate)
        atheris.Fuzz()


def _instrument(atheris: Any) -> None:
    """Follow the edges of the readers' own functions, which are loaded already."""
    import types

    for name, module in list(sys.modules.items()):
        if not name.startswith(
            ("lfdfp.lfp", "lfdfp.interchange", "lfdfp.storage", "lfdfp.settings")
        ):
            continue
        for key, value in list(vars(module).items()):
            if isinstance(value, types.FunctionType) and value.__module__ == name:
                value.__code__ = atheris.patch_code(value.__code__, True, True)
            elif isinstance(value, type) and value.__module__ == name:
                for method in vars(value).values():
                    inner = getattr(method, "__func__", method)
                    if isinstance(inner, types.FunctionType):
                        inner.__code__ = atheris.patch_code(inner.__code__, True, True)
            del key


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("readers", nargs="*", metavar="READER", help=", ".join(READERS))
    parser.add_argument("--minutes", type=float, default=60, help="over all readers")
    parser.add_argument("--plain", action="store_true", help="without atheris")
    arguments = parser.parse_args()
    names = arguments.readers or list(READERS)
    each = arguments.minutes / len(names)
    if len(names) == 1:
        (_plain if arguments.plain else _guided)(names[0], each)
        return
    for name in names:  # in a process of its own each: atheris ends its process
        command = [sys.executable, "-m", __spec__.name, name, "--minutes", str(each)]
        code = subprocess.run(command + ["--plain"] * arguments.plain, check=False).returncode
        print(f"{name}: {'clean' if code == 0 else f'ended with {code}'}", flush=True)


if __name__ == "__main__":
    main()
