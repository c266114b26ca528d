"""Lytro's files: bytes to a raw capture and back. Knows the format, knows no imaging."""

from lfdfp.lfp.assembly import build_container, container_of
from lfdfp.lfp.capture import read_capture
from lfdfp.lfp.container import Container, Section, read_container, write_container
from lfdfp.lfp.description import FileDescription, describe
from lfdfp.lfp.raw_pair import write_pair
from lfdfp.lfp.splitting import split

__all__ = [
    "Container",
    "FileDescription",
    "Section",
    "build_container",
    "container_of",
    "describe",
    "read_capture",
    "read_container",
    "split",
    "write_container",
    "write_pair",
]
