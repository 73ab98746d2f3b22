"""Hints on Postgres: LISTEN and NOTIFY, apart from the statements that write (``Storage.listen``).

A transaction with a NOTIFY waits for those of all others, so a NOTIFY is never part of a commit. None is sent for a
group that is held through this very handle, whose user knows already: the usual case costs nothing.
"""

from __future__ import annotations

import logging
import select
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress

import psycopg
from psycopg import sql

from maestro_flow.storage.listeners import Listeners
from maestro_flow_sql.postgres.connections import Connections, Direct
from maestro_flow_sql.postgres.target import Target

__all__ = ["PostgresHints"]

logger = logging.getLogger("maestro_flow.storage")

_AGAIN_S = 5.0
"""How long after a connection was lost another one is tried."""


class PostgresHints:
    """Tells listeners, in this process and in others. Never raises when the server is unavailable."""

    def __init__(self, connections: Connections, target: Target) -> None:
        self._connections = connections
        self._channel = f"maestro_flow_{target.namespace}"
        self._is_local = target.behind_pooler  # a session of a pooler cannot listen
        self.listeners = Listeners()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop, self._stopped = socket.socketpair()

    def listen(self, wake: Callable[[int], None]) -> Callable[[], None]:
        """See ``Storage.listen``. The first listener starts the thread with its connection."""
        remove = self.listeners.add(wake)
        with self._lock:
            if self._thread is None and not self._is_local:
                self._thread = threading.Thread(target=self._run, name="maestro-flow-hints", daemon=True)
                self._thread.start()
        return remove

    def tell(self, db: Direct, group_ids: Iterable[int]) -> None:
        """Something durable has happened to these groups; ``db`` must not be in a transaction."""
        elsewhere = self.listeners.tell_of_others(group_ids)
        if elsewhere and not self._is_local:
            with suppress(psycopg.Error):
                db.execute(
                    "SELECT pg_notify(%s, group_id::text) FROM unnest(%s::integer[]) AS told (group_id)",
                    (self._channel, elsewhere),
                )

    def close(self) -> None:
        """End the thread. May be called twice."""
        with self._lock:
            thread, self._thread, self._is_local = self._thread, None, True
        if thread is not None:
            self._stop.close()
            thread.join()
        self._stop.close()
        self._stopped.close()

    def _run(self) -> None:
        is_stopped = False
        while not is_stopped:
            try:
                is_stopped = self._hear()
            except (psycopg.Error, OSError) as error:
                logger.debug("nothing is heard from other nodes for a while: %s", type(error).__name__)
                is_stopped = self._is_stopped(timeout_s=_AGAIN_S)

    def _hear(self) -> bool:
        """Listen until stopped, then return True; raises when the connection is lost."""
        with self._connections.apart() as db:
            db.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
            while not self._is_stopped(db.fileno()):
                self.listeners.tell(int(notify.payload) for notify in db.notifies(timeout=0))
        return True

    def _is_stopped(self, *others: int, timeout_s: float | None = None) -> bool:
        """Wait until stopped, until one of ``others`` is readable, or for the timeout; True if stopped."""
        poll = select.poll()
        for descriptor in (self._stopped.fileno(), *others):
            poll.register(descriptor, select.POLLIN)
        ready = poll.poll(None if timeout_s is None else timeout_s * 1000)
        return any(descriptor == self._stopped.fileno() for descriptor, _ in ready)
