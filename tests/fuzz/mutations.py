"""Changed copies of sound files: of their bytes, or of what they hold with the form kept."""

from __future__ import annotations

import io
import json
import random
from typing import Any

from lfdfp.lfp import Container, Section
from tests.fuzz.readers import Structure

_BYTES = (b"\0", b"\xff", b"\x7f", b"\x80", b"\xff\xff\xff\xff", b"\0\0\0\0", b"999999999", b"-1")
_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1, 7, 2**31, 2**63, 10**30, -(10**30), 0.5, 1e308, -1e-308, "", "x", "-1",
    "1e999", "\x1b[31m", "\ud800", [], {}, [1, 2], [[]], {"a": 1}, [None] * 5, float("nan"),
    float("inf"),
)  # fmt: skip


def mutated(data: bytes, structure: Structure, chance: random.Random) -> bytes:
    """A changed copy of `data`; where its form cannot be kept, of its bytes."""
    kept = {"lfp": _lfp, "hdf5": _hdf5, "json": _json}.get(structure)
    if kept is not None and (structure == "hdf5" or chance.random() < 0.7):
        try:
            return kept(data, chance)
        except (Exception, RecursionError):  # noqa: BLE001 - what was changed before has no form
            if structure == "hdf5":
                return data
    return _bytes(data, chance)


def _bytes(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        place = chance.randrange(len(changed) + 1)
        match chance.randrange(6):
            case 0 if changed:
                changed[place % len(changed)] ^= 1 << chance.randrange(8)
            case 1:
                some = chance.choice(_BYTES)
                changed[place : place + len(some)] = some
            case 2:
                changed[place:place] = chance.choice(_BYTES)
            case 3:
                del changed[place : place + chance.choice((1, 4, 16, 1000))]
            case 4:
                part = changed[place : place + chance.choice((1, 8, 64))]
                changed[place:place] = part * chance.choice((1, 2, 30))
            case _:
                other = chance.randrange(len(changed) + 1)
                changed[place : place + 8] = changed[other : other + 8]
    return bytes(changed)


def _json(data: bytes, chance: random.Random) -> bytes:
    end = data.rfind(b"}") + 1  # pairs of the camera have a hash behind the text
    document = json.loads(data[:end])
    for _ in range(chance.choice((1, 1, 2, 3))):
        _change(document, chance)
    return json.dumps(document).encode() + data[end:]


def _change(document: Any, chance: random.Random) -> None:
    """Change, drop, double or rename something at a random depth."""
    while isinstance(document, dict | list) and document:
        keys = list(document) if isinstance(document, dict) else list(range(len(document)))
        key = chance.choice(keys)
        inner = document[key]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.85:
            document = inner
            continue
        match chance.randrange(6):
            case 0:
                del document[key]
            case 1 if isinstance(document, dict):
                document[chance.choice(("x", str(key).upper(), ""))] = document.pop(key)
            case 2 if isinstance(inner, int | float):
                document[key] = inner * chance.choice((-1, 2, 0.5, 1000, 1e300))
            case 3 if isinstance(document, list):
                document[:] = document * 3
            case _:
                document[key] = chance.choice(_VALUES)
        return


def _lfp(data: bytes, chance: random.Random) -> bytes:
    """Change a section's payload or the order of sections; their hashes stay or become right."""
    sections = list(Container.read(io.BytesIO(data), verify=False).sections)
    place = chance.randrange(len(sections))
    old = sections[place]
    match chance.randrange(8):
        case 0:
            del sections[place]
        case 1:
            sections.insert(place, chance.choice(sections))
        case 2:
            chance.shuffle(sections)
        case _:
            texts = [n for n, one in enumerate(sections) if one.payload[:1] in b"{["]
            place = chance.choice(texts) if texts and chance.random() < 0.8 else place
            old = sections[place]
            change = _json if old.payload[:1] in (b"{", b"[") else _bytes
            new = Section.make(old.kind, change(old.payload, chance))
            sections[place] = new
            if chance.random() < 0.8:  # what refers to it still does
                before, after = old.reference.encode(), new.reference.encode()
                sections = [_referring(one, before, after) for one in sections]
    container = Container(sections=tuple(sections))
    return b"".join(bytes(piece) for piece in container.pieces())


def _referring(section: Section, before: bytes, after: bytes) -> Section:
    if before not in section.payload[:100_000]:
        return section
    return Section.make(section.kind, section.payload.replace(before, after))


def _hdf5(data: bytes, chance: random.Random) -> bytes:
    """Change attributes, shapes, types and values of a file that HDF5's own library wrote."""
    import h5py

    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        found: list[Any] = [file]
        file.visititems(lambda _, one: found.append(one))
        for _ in range(chance.choice((1, 1, 2))):
            _change_object(file, chance.choice(found[1:] or found), chance)
            if chance.random() < 0.5:
                _change_attributes(chance.choice(found), chance)
    return buffer.getvalue()


def _change_attributes(holder: Any, chance: random.Random) -> None:
    import numpy as np

    name = chance.choice([*holder.attrs, "x"])
    value = chance.choice(
        (0, -1, 2**62, 1.5, np.nan, np.inf, "", "{", "[]", "[[]]", '{"a": [1]}', b"\xff", True,
         [1, 2], [np.nan] * 3, np.zeros(0), "x" * 70_000, np.float16(2), 10**6)
    )  # fmt: skip
    if chance.random() < 0.2 and name in holder.attrs:
        del holder.attrs[name]
    else:
        holder.attrs[name] = value


def _change_object(file: Any, one: Any, chance: random.Random) -> None:
    import h5py
    import numpy as np

    if not isinstance(one, h5py.Dataset):
        _change_attributes(one, chance)
        return
    name, values = one.name, one[()]
    kind = chance.randrange(8)
    if kind == 0 and values.size and values.dtype.kind == "f":
        values.flat[chance.randrange(values.size)] = chance.choice((np.nan, np.inf, -1e30, 1e30))
        one[...] = values
    elif kind == 1:
        _change_attributes(one, chance)
    else:
        del file[name]
        made = {
            2: lambda: values.astype(
                chance.choice((np.float16, np.float64, np.int8, np.complex64))
            ),
            3: lambda: values[..., :0],
            4: lambda: values[None],
            5: lambda: values.reshape(-1),
            6: lambda: np.array(b"text"),
        }.get(kind)
        if made is not None:
            file[name] = made()
        elif chance.random() < 0.5:
            file[name] = h5py.ExternalLink("/etc/passwd", "/a")
        else:
            file.create_dataset(name, values.shape or (1,), "f4", maxshape=None)
