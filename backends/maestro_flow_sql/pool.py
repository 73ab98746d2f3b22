"""The connections of an open store: SQLAlchemy's pool, permanently closed together with the store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from maestro_flow.errors import StorageUnusable

__all__ = ["Pool", "check_usable"]


def check_usable(store: str, pid: int, *, closed: bool) -> None:
    """Raises StorageUnusable: the store is closed, or was opened before a fork by the parent process.

    A forked connection to a file would lose the file's locks; one to a server would mix its bytes with the parent's.
    """
    if closed:
        raise StorageUnusable(f"the store {store} is closed; open it again")
    if pid != os.getpid():
        raise StorageUnusable(f"the store {store} was opened before a fork; open it again in the child process")


class Pool:
    """A pool in which a connection returned after ``close`` is closed; SQLAlchemy leaves that to garbage collection.

    At most ``kept`` connections stay open and at most ``limit`` are in use; the next caller waits ``patience_s``.
    """

    def __init__(
        self,
        dialect: str,
        connect: Callable[[], Any],
        *,
        store: str,
        kept: int,
        limit: int,
        patience_s: float,
        **options: Any,
    ) -> None:
        self._store = store
        self._pid = os.getpid()
        self._closed = False
        self._engine = create_engine(
            dialect,
            creator=connect,
            poolclass=QueuePool,
            pool_size=kept,
            max_overflow=limit - kept,
            pool_timeout=patience_s,
            **options,
        )

    def on_checkout(self, look: Callable[[Any, object, object], None]) -> None:
        """Call ``look`` with each connection before it is lent; it raises DisconnectionError to get another one."""
        event.listen(self._engine, "checkout", look)

    @contextmanager
    def use(self) -> Iterator[Engine]:
        """A block that may take connections, and has returned them when it ends.

        Raises:
            StorageUnusable: the store is closed, or this process is a fork.
        """
        check_usable(self._store, self._pid, closed=self._closed)
        try:
            yield self._engine
        finally:
            if self._closed:
                self.drop_idle()

    def drop_idle(self) -> None:
        """Close idle connections; the pool opens new ones on demand."""
        self._engine.pool.dispose()

    def close(self) -> None:
        """Close idle connections at once, others on their return. May be called twice; does nothing in a fork."""
        self._closed = True
        if self._pid == os.getpid():
            self.drop_idle()
