"""How much user code a node takes on at once: the bound on what waits for the executor (PROTOCOL 24).

An attempt holds one place from the moment its start is decided until its first call has returned. What finds no place
waits as ready, unrecorded: a crash then leaves at most ``starts`` suspects behind.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from enum import Enum

__all__ = ["Place", "Room", "Share"]


class Place(Enum):
    """Kinds of places. A suspect may kill the process; one that probably did is run alone of its kind."""

    START = "start"
    SUSPECT = "suspect"
    CRASHED = "crashed"


_KINDS = tuple(Place)


class Room:
    """The places of a node. Thread-safe."""

    def __init__(self, *, starts: int, suspects: int, crashed: int) -> None:
        self._free = {Place.START: starts, Place.SUSPECT: suspects, Place.CRASHED: crashed}
        self._lock = threading.Lock()
        self._waiting: dict[Place, deque[tuple[Share, Callable[[], None]]]] = {kind: deque() for kind in Place}

    def take(self, kind: Place, wanted: int) -> int:
        with self._lock:
            taken = min(self._free[kind], wanted)
            self._free[kind] -= taken
            return taken

    def give_back(self, kind: Place, count: int) -> None:
        with self._lock:
            self._free[kind] += count
        self.wake(kind, count)

    def wake(self, kind: Place, count: int) -> None:
        """Wake so many of those who wait for a place of this kind; who has closed its share does not count."""
        woken: list[Callable[[], None]] = []
        with self._lock:
            waiting = self._waiting[kind]
            while waiting and len(woken) < min(count, self._free[kind]):
                share, wake = waiting.popleft()
                if not share.is_closed:
                    woken.append(wake)
        for wake in woken:
            wake()

    def wait(self, kind: Place, share: Share, wake: Callable[[], None]) -> None:
        """Be woken once when a place of this kind is free; who wakes and does not need it gives it back."""
        with self._lock:
            if not self._free[kind]:
                self._waiting[kind].append((share, wake))
                return
        wake()  # given back since we looked


class Share:
    """What one flow's actor holds of the room. After ``close`` everything is given back, once, whatever comes late."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._held = dict.fromkeys(_KINDS, 0)
        self._lock = threading.Lock()
        self.is_closed = False

    def take(self, kind: Place, wanted: int) -> int:
        with self._lock:
            if self.is_closed:
                return 0
            taken = self._room.take(kind, wanted)
            self._held[kind] += taken
            return taken

    def give_back(self, kind: Place, count: int = 1) -> None:
        with self._lock:
            count = min(count, self._held[kind])
            self._held[kind] -= count
        if count:
            self._room.give_back(kind, count)

    def wait(self, kind: Place, wake: Callable[[], None]) -> None:
        self._room.wait(kind, self, wake)

    def close(self) -> None:
        with self._lock:
            self.is_closed = True
            held, self._held = self._held, dict.fromkeys(_KINDS, 0)
        for kind, count in held.items():
            if count:
                self._room.give_back(kind, count)
            else:
                self._room.wake(kind, 1)  # we may have been woken for a place that somebody else waits for
