"""Waiting for what other threads and processes write of a run: hints of this process, and a look every so often."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from maestro_flow.errors import StorageError, StorageUnavailable, WaitTimeout

if TYPE_CHECKING:
    from maestro_flow.client.client import Client

__all__ = ["looks"]

T = TypeVar("T")

_LOOK_EVERY_S = 0.1
"""The safety net under the hints of this process, and all there is for a run that another process owns."""


def looks(
    client: Client, flow_id: str, look: Callable[[], T], timeout_s: float | None, *, only_the_end: bool
) -> Iterator[T]:
    """What there is to see of a run now, and again whenever it is worth another look; raises WaitTimeout in the end.

    Or Closed: nobody here makes the run go on any more. That is said after a last look.
    """
    clock = client.environment.clock
    deadline = None if timeout_s is None else clock.monotonic() + timeout_s
    with client.waiting(flow_id, only_the_end=only_the_end) as changed:
        while True:
            changed.clear()
            is_closed = client.is_closed
            if not is_closed:
                client.check()
            away: StorageUnavailable | None = None
            try:
                seen = look()
            except StorageUnavailable as error:
                away = error
            except StorageError:
                client.check()  # what failed may have been closed meanwhile
                raise
            else:
                yield seen
            if is_closed:
                client.check()
            left = _LOOK_EVERY_S if deadline is None else min(_LOOK_EVERY_S, deadline - clock.monotonic())
            if left <= 0:
                goes_on = f"it is not known, because {away}" if away else "it goes on"
                raise WaitTimeout(f"run {flow_id} has not ended after {timeout_s:g} s; {goes_on}") from away
            changed.wait(left)
