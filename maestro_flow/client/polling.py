"""Waiting for what other threads and processes write: by hints of this process, and by asking the store regularly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from maestro_flow.client.session import Session
from maestro_flow.errors import StorageError, StorageUnavailable, WaitTimeout

__all__ = ["poll"]

T = TypeVar("T")

_POLL_EVERY_S = 0.1
"""The safety net under the hints of this process, and the only way to learn of a run that another process owns."""


def poll(
    session: Session, flow_id: str, read: Callable[[], T], timeout_s: float | None, *, only_the_end: bool
) -> Iterator[T]:
    """What ``read`` returns about a run now, and again whenever something may have changed.

    With ``only_the_end`` the hints of commits before the last one are ignored.

    Raises:
        WaitTimeout: ``timeout_s`` seconds are over.
        StorageFailed: the store has failed permanently. (One that is only unavailable is polled again.)
        Closed: the client was closed, so that nothing here continues the run; raised after a last read.
    """
    clock = session.environment.clock
    deadline = None if timeout_s is None else clock.monotonic() + timeout_s
    with session.waiting(flow_id, only_the_end=only_the_end) as changed:
        while True:
            changed.clear()
            is_closed = session.is_closed
            if not is_closed:
                session.check()
            unavailable: StorageUnavailable | None = None
            try:
                value = read()
            except StorageUnavailable as error:
                unavailable = error
            except StorageError:
                session.check()  # the failure may be due to a close
                raise
            else:
                yield value
            if is_closed:
                session.check()
            left = _POLL_EVERY_S if deadline is None else min(_POLL_EVERY_S, deadline - clock.monotonic())
            if left <= 0:
                state = f"its state is unknown, because {unavailable}" if unavailable else "it is still active"
                raise WaitTimeout(f"run {flow_id} has not ended after {timeout_s:g} s; {state}") from unavailable
            changed.wait(left)
