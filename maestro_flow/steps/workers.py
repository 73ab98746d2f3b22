"""Threads for code that may block, as a runtime gives them: real ones, or turns of a simulation's only thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["Ticket", "Workers"]


class Ticket(Protocol):
    """A job that was submitted."""

    def give_up(self) -> None:
        """Nobody waits for the job any more: if it has not begun it never does, if it hangs it is replaced."""
        ...


class Workers(Protocol):
    """Threads for code that may block: user code, and reads from the store."""

    def submit(self, job: Callable[[], None]) -> Ticket:
        """Run a job as soon as a worker is free, in the order of submission. The job must not raise."""
        ...

    def close(self) -> None:
        """Begin no further job. Those under way are not waited for."""
        ...
