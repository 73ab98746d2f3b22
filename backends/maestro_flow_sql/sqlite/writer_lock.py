"""The lock of the one write connection: first come, first served, but renewals before commits (PROTOCOL 12)."""

from __future__ import annotations

import threading
from collections import deque

__all__ = ["WriterLock"]


class WriterLock:
    """A lock that is passed on to waiters, the urgent first; not reentrant.

    The caller's own thread does the work: a writer thread would cost two thread switches per commit.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._is_held = False
        self._urgent: deque[threading.Lock] = deque()
        self._ordinary: deque[threading.Lock] = deque()

    def enter(self, *, urgent: bool = False) -> None:
        """Wait for one's turn; each ``enter`` needs a ``leave``."""
        queue = self._urgent if urgent else self._ordinary
        with self._mutex:
            if not self._is_held:
                self._is_held = True
                return
            turn = threading.Lock()
            turn.acquire()
            queue.append(turn)
        try:
            turn.acquire()  # released by our predecessor, which leaves the lock held for us
        except BaseException:
            self._give_up(queue, turn)
            raise

    def leave(self) -> None:
        """Pass the turn on."""
        with self._mutex:
            queue = self._urgent or self._ordinary
            if queue:
                queue.popleft().release()
            else:
                self._is_held = False

    def _give_up(self, queue: deque[threading.Lock], turn: threading.Lock) -> None:
        """A signal interrupted the wait: leave the queue, or pass on the turn if it had already come."""
        with self._mutex:
            if turn in queue:
                queue.remove(turn)
                return
        self.leave()
