"""Ctrl-C and its kin as a question that a loop asks, so that it can end in good order."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn


class Interruption:
    """Whether, and by which signal, the user wants the program to end."""

    def __init__(self) -> None:
        self.signal_number: int | None = None

    def __call__(self) -> bool:
        return self.signal_number is not None

    @property
    def exit_code(self) -> int:
        """As shells have it: 130 for Ctrl-C, 143 for SIGTERM."""
        return 0 if self.signal_number is None else 128 + self.signal_number


@contextlib.contextmanager
def stopping_on_signals() -> Iterator[Interruption]:
    """Note Ctrl-C, SIGTERM and the closing of the terminal; a second Ctrl-C ends at once."""
    noted = Interruption()

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        if noted() and number == signal.SIGINT:
            raise KeyboardInterrupt
        noted.signal_number = number

    names = ("SIGINT", "SIGTERM", "SIGHUP")
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    # What was ignored before stays so: nohup ignores SIGHUP.
    before = {s: signal.signal(s, note) for s in signals if signal.getsignal(s) != signal.SIG_IGN}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_cleanly_on_termination() -> None:
    """Let SIGTERM end the program as an exception does, so that nothing half-written is left."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        del frame
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end)
