"""Lytro's files: bytes to a raw capture and back. Knows the format, knows no imaging."""

from lfdfp.lfp.assembly import build_container, container_of
from lfdfp.lfp.capture import read_capture
from lfdfp.lfp.container import (
    Container,
    Section,
    is_container,
    read_container,
    write_container,
)
from lfdfp.lfp.description import FileDescription, describe
from lfdfp.lfp.opening import CAPTURE_SUFFIXES, is_capture_name
from lfdfp.lfp.raw_pair import source_files, write_pair
from lfdfp.lfp.refocus_stack import RefocusStack, StackFrame, read_refocus_stack
from lfdfp.lfp.splitting import split

__all__ = [
    "CAPTURE_SUFFIXES",
    "Container",
    "FileDescription",
    "RefocusStack",
    "Section",
    "StackFrame",
    "build_container",
    "container_of",
    "describe",
    "is_capture_name",
    "is_container",
    "read_capture",
    "read_container",
    "read_refocus_stack",
    "source_files",
    "split",
    "write_container",
    "write_pair",
]
