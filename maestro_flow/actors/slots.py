"""Pools of slots: the bound on how much user code an executor is given at once (PROTOCOL 24).

Each executor of a node has one pool. An attempt holds a slot from the decision to start it until its first call has
returned (``core.slots``).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping

from attrs import define

from maestro_flow.core.slots import SLOT_KINDS, SlotKind, Slots

__all__ = ["HeldSlot", "SlotLease", "SlotPool"]


class SlotPool:
    """The slots of one executor. Thread-safe."""

    def __init__(self, slots: Slots) -> None:
        self._free = [slots.starts, slots.suspects, slots.crashed]
        self._lock = threading.Lock()
        self._waiting = tuple(deque[tuple[SlotLease, Callable[[], None]]]() for _ in SLOT_KINDS)

    def take(self, kind: SlotKind, wanted: int) -> int:
        with self._lock:
            taken = min(self._free[kind], wanted)
            self._free[kind] -= taken
            return taken

    def give_back(self, kind: SlotKind, count: int) -> None:
        with self._lock:
            self._free[kind] += count
        self.wake(kind, count)

    def wake(self, kind: SlotKind, count: int) -> None:
        """Wake up to ``count`` waiters for a slot of this kind; closed leases are skipped."""
        woken: list[Callable[[], None]] = []
        with self._lock:
            waiting = self._waiting[kind]
            while waiting and len(woken) < min(count, self._free[kind]):
                lease, wake = waiting.popleft()
                if not lease.is_closed:
                    woken.append(wake)
        for wake in woken:
            wake()

    def wait(self, kind: SlotKind, lease: SlotLease, wake: Callable[[], None]) -> None:
        """Call ``wake`` once when a slot of this kind is free; a waiter that no longer needs it passes it on."""
        with self._lock:
            if not self._free[kind]:
                self._waiting[kind].append((lease, wake))
                return
        wake()  # a slot was returned since we looked


class SlotLease:
    """The slots that one flow's actor holds, by executor. ``close`` returns all of them, once."""

    def __init__(self, pools: Mapping[str, SlotPool]) -> None:
        self._pools = pools
        self._held: dict[str, list[int]] = {}
        self._lock = threading.Lock()
        self.is_closed = False

    def take(self, executor: str, kind: SlotKind, wanted: int) -> int:
        with self._lock:
            if self.is_closed:
                return 0
            taken = self._pools[executor].take(kind, wanted)
            if executor not in self._held:
                self._held[executor] = [0, 0, 0]
            self._held[executor][kind] += taken
            return taken

    def give_back(self, executor: str, kind: SlotKind, count: int = 1) -> None:
        with self._lock:
            if executor not in self._held:
                return
            count = min(count, self._held[executor][kind])
            self._held[executor][kind] -= count
        if count:
            self._pools[executor].give_back(kind, count)

    def wait(self, executor: str, kind: SlotKind, wake: Callable[[], None]) -> None:
        self._pools[executor].wait(kind, self, wake)

    def close(self) -> None:
        with self._lock:
            self.is_closed = True
            held, self._held = self._held, {}
        for executor, counts in held.items():
            for kind, count in zip(SLOT_KINDS, counts, strict=True):
                if count:
                    self._pools[executor].give_back(kind, count)
                else:
                    self._pools[executor].wake(kind, 1)  # we may have been woken for a slot that another flow waits for


@define
class HeldSlot:
    """The slot of one attempt."""

    lease: SlotLease
    executor: str
    kind: SlotKind
    is_held: bool = True

    def give_back(self) -> None:
        """Return it. Idempotent."""
        if self.is_held:
            self.is_held = False
            self.lease.give_back(self.executor, self.kind)
