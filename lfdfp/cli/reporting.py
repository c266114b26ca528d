"""How commands speak: progress bars, one line for what went wrong, JSON for programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from lfdfp.errors import LfdfpError, about, defect, of_the_system
from lfdfp.files import json_text
from lfdfp.progress import Progress

if TYPE_CHECKING:
    from lfdfp.cli.run_bar import HiddenBar, RunBar

_NO_MEMORY: Final = (
    "failed to map segment from shared object",
    "can't allocate memory",
    "Unable to allocate",
)
"""What loading a library, PyTorch and NumPy say where memory is short."""


QUIET: ContextVar[bool] = ContextVar("quiet", default=False)
"""Whether results are not told and no bars are shown; notes and errors are."""


def say(text: str, *, err: bool = False) -> None:
    """One line on stdout, or stderr: all text of the program goes this way.

    Names of files stand in nearly every line, and a name can hold what a terminal would obey.
    """
    if err or not QUIET.get():
        typer.echo(printable(text), err=err)


def fail(message: str) -> typer.Exit:
    """Say what went wrong on stderr; the result is to be raised."""
    say(f"lfdfp: {message}", err=True)
    return typer.Exit(1)


@contextmanager
def reported_errors(subject: Path | None = None) -> Iterator[None]:
    """Turn bad input into one line and exit code 1; anything else is a bug (`reported_defects`).

    `subject` is named in the line where the error does not name it.
    """
    try:
        yield
    except LfdfpError as error:
        raise fail(str(error) if subject is None else about(subject, error)) from None
    except MemoryError:
        raise fail("not enough memory") from None
    except BrokenPipeError:
        raise typer.Exit(1) from None


@contextmanager
def reported_defects(*, traceback: bool) -> Iterator[None]:
    """The last net: what nobody expected is one line, which says what to report and where.

    `traceback` lets the exception through instead.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except LfdfpError as error:
        fail(str(error))
    except MemoryError:
        fail("not enough memory")
    except Exception as error:
        if traceback:
            raise
        if any(words in str(error) for words in _NO_MEMORY):
            fail("not enough memory")
            sys.exit(1)
        fail(of_the_system(error) if isinstance(error, OSError) else defect(error))
    else:
        return
    sys.exit(1)


@contextmanager
def stage_bar(name: str) -> Iterator[Progress]:
    """A bar on stderr for work of one stage; quiet where stderr is no terminal."""
    with run_bar(last_words=name) as stage, stage(name) as progress:
        yield progress


def run_bar(
    *, last_words: str = "done", hidden: bool = False
) -> AbstractContextManager[RunBar | HiddenBar]:
    """One bar on stderr over all stages of a command; as `stage_bar`."""
    from lfdfp.cli.run_bar import whole_bar

    return whole_bar(last_words, hidden=hidden or QUIET.get())


def echo_notes(notes: Iterable[str]) -> None:
    """What the user should know about a result, a line each on stderr."""
    for note in notes:
        say(f"note: {note}", err=True)


def announce_compilation() -> bool:
    """Say so where the kernels are not compiled yet: the first run is slower than all others."""
    package = Path(__file__).parents[1]
    kept_here = os.access(package, os.W_OK) and "NUMBA_CACHE_DIR" not in os.environ
    first = kept_here and next(package.rglob("*.nbi"), None) is None
    if first:
        say("first run: kernels are compiled, once; this takes about a minute", err=True)
    return first


def echo_json(value: Any) -> None:
    """One JSON document on stdout; numbers that JSON does not know become null."""
    typer.echo(json_text(value))


def printable(text: str) -> str:
    """`text` on one line and without characters that a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)
