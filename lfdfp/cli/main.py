"""The program ``lfdfp``: every command in a file of its own."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from threadpoolctl import threadpool_limits

from lfdfp.cli import (
    calibrate,
    convert,
    decode,
    disparity,
    doctor,
    evaluate,
    fuse,
    info,
    refocus,
    run,
    simulate,
    split,
)
from lfdfp.cli.reporting import fail
from lfdfp.computing.memory import keep_freed_memory
from lfdfp.version import __version__

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
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
    """


app.command("run")(run.run_command)
app.command("info")(info.info_command)
app.command("doctor")(doctor.doctor_command)
app.command("calibrate")(calibrate.calibrate_command)
app.command("split")(split.split_command)
app.command("decode")(decode.decode_command)
app.command("convert")(convert.convert_command)
app.command("refocus")(refocus.refocus_command)
app.command("disparity")(disparity.disparity_command)
app.command("fuse")(fuse.fuse_command)
app.command("evaluate")(evaluate.evaluate_command)
app.command("simulate")(simulate.simulate_command)


def main() -> None:
    """Entry point; an interrupt ends quietly with the usual code."""
    keep_freed_memory()
    # The kernels have a pool of their own: a second one of BLAS would fight it for the cores.
    chosen = "OPENBLAS_NUM_THREADS" in os.environ or "OMP_NUM_THREADS" in os.environ
    try:
        with threadpool_limits(limits=None if chosen else 1, user_api="blas"):
            app()
    except KeyboardInterrupt:
        fail("interrupted; files that were finished are kept")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
