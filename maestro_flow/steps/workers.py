"""Workers that a runtime provides for code that may block: real threads, or turns of a simulation's only thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["Ticket", "Workers"]


class Ticket(Protocol):
    """A job that was submitted."""

    def give_up(self) -> None:
        """The job is no longer wanted: if it has not begun, it never does; if it hangs, its thread is replaced."""
        ...


class Workers(Protocol):
    """Threads for code that may block: user code, and reads from the store."""

    def submit(self, job: Callable[[], None]) -> Ticket:
        """Run a job as soon as a worker is free, in the order of submission. The job must not raise."""
        ...

    def close(self) -> None:
        """Begin no further job. Running jobs are not waited for."""
        ...
