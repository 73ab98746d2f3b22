"""A connection with a time limit for answers; psycopg itself waits until the connection dies.

A server whose process is stopped or whose disk hangs keeps its connections alive: its kernel still acknowledges what is
sent, so neither TCP keepalives nor the server's own timeouts end the wait.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg

from maestro_flow.clock import SystemClock

__all__ = ["TimedConnection"]

T = TypeVar("T")

_clock = SystemClock()


class TimedConnection(psycopg.Connection[tuple[Any, ...]]):
    """Raises OperationalError, and is closed, when an answer takes longer than ``answer_s`` seconds."""

    answer_s = math.inf

    @contextmanager
    def without_timeout(self) -> Iterator[None]:
        """A block without a limit: a migration waits for others."""
        before, self.answer_s = self.answer_s, math.inf
        try:
            yield
        finally:
            self.answer_s = before

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **options: Any) -> T:
        """psycopg's ``wait``, which resumes ``gen`` ten times a second while nothing arrives."""
        return super().wait(self._in_time(gen), *args, **options)

    def _in_time(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        deadline = _clock.monotonic() + self.answer_s
        ready = None
        while True:
            try:
                wanted = gen.send(ready)
            except StopIteration as end:
                answer: T = end.value
                return answer
            ready = yield wanted
            if not ready and _clock.monotonic() >= deadline:
                self.pgconn.finish()  # a late answer must not be mistaken for the next one
                raise psycopg.OperationalError(f"the server has not answered for {self.answer_s:g} s")
