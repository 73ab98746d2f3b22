"""Termination by a signal: runs are handed over, so that the next process can continue at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import click

__all__ = ["interruptible"]


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM leave the context cleanly, as Ctrl-C does, and end the process with 143 (128 + SIGTERM)."""

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        click.echo("interrupted; unfinished runs stay in the store; to continue: maestro-flow resume", err=True)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
