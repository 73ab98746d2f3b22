"""Being told to stop: what runs is handed over, so that the next process goes on at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

__all__ = ["hand_over_on_sigterm"]


@contextmanager
def hand_over_on_sigterm() -> Iterator[None]:
    """Let SIGTERM leave the context in good order, as Ctrl-C does, and end the process with 143 (128 + SIGTERM)."""

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
