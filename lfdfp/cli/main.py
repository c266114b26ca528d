"""The program ``lfdfp``: every command in a file of its own."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Final

import typer

from lfdfp.cli.commands import HELP_NAMES, LazyCommands
from lfdfp.cli.interruption import end_cleanly_on_termination
from lfdfp.cli.reporting import QUIET, fail, reported_defects
from lfdfp.computing.memory import keep_freed_memory
from lfdfp.version import __version__

_DEBUG: Final = "--debug"
_QUIET: Final = "--quiet"

app = typer.Typer(
    cls=LazyCommands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=HELP_NAMES,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"lfdfp {__version__}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """From a Lytro raw capture to one sharp, super-resolved picture.

    Start with:  lfdfp run capture.lfp

    Anywhere among the arguments, --quiet leaves out what is told of results, and the bars. Where
    the program itself fails, it says so in one line; --debug shows the traceback.
    """


def main() -> None:
    """Entry point; an interrupt ends quietly with the usual code."""
    keep_freed_memory()
    end_cleanly_on_termination()
    arguments = [one for one in sys.argv[1:] if one not in (_DEBUG, _QUIET)]
    debug = _DEBUG in sys.argv[1:]
    QUIET.set(_QUIET in sys.argv[1:])
    # The kernels have a pool of their own: a second one of BLAS would fight it for the cores.
    if "OMP_NUM_THREADS" not in os.environ:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        with reported_defects(traceback=debug):
            app(arguments)
    except KeyboardInterrupt:
        fail("interrupted; files that were finished are kept")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
