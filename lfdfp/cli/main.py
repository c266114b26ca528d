"""The program ``lfdfp``: every command in a file of its own."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Final

import typer
from threadpoolctl import threadpool_limits

from lfdfp.cli import (
    batch,
    calibrate,
    convert,
    decode,
    disparity,
    doctor,
    evaluate,
    fuse,
    index,
    info,
    inspect,
    refocus,
    run,
    simulate,
    split,
)
from lfdfp.cli.interruption import end_cleanly_on_termination
from lfdfp.cli.reporting import fail, reported_defects
from lfdfp.computing.memory import keep_freed_memory
from lfdfp.version import __version__

_DEBUG: Final = "--debug"

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

    Where the program itself fails, it says so in one line; --debug, anywhere among the arguments,
    shows the traceback.
    """


app.command("run")(run.run_command)
app.command("batch")(batch.batch_command)
app.command("index")(index.index_command)
app.command("info")(info.info_command)
app.command("doctor")(doctor.doctor_command)
app.command("calibrate")(calibrate.calibrate_command)
app.command("split")(split.split_command)
app.command("decode")(decode.decode_command)
app.command("convert")(convert.convert_command)
app.command("refocus")(refocus.refocus_command)
app.command("disparity")(disparity.disparity_command)
app.command("fuse")(fuse.fuse_command)
app.command("inspect")(inspect.inspect_command)
app.command("evaluate")(evaluate.evaluate_command)
app.command("simulate")(simulate.simulate_command)


def main() -> None:
    """Entry point; an interrupt ends quietly with the usual code."""
    keep_freed_memory()
    end_cleanly_on_termination()
    arguments = [argument for argument in sys.argv[1:] if argument != _DEBUG]
    debug = len(arguments) < len(sys.argv) - 1
    # The kernels have a pool of their own: a second one of BLAS would fight it for the cores.
    chosen = "OPENBLAS_NUM_THREADS" in os.environ or "OMP_NUM_THREADS" in os.environ
    try:
        threads = None if chosen else 1
        with threadpool_limits(threads, user_api="blas"), reported_defects(traceback=debug):
            app(arguments)
    except KeyboardInterrupt:
        fail("interrupted; files that were finished are kept")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
