"""The connections of an open store: pooled, replaced when dead, and never used across a fork."""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import psycopg
from psycopg import IsolationLevel
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8Dumper
from sqlalchemy import Connection
from sqlalchemy.exc import DisconnectionError

from maestro_flow.errors import StorageUnusable
from maestro_flow_sql.pool import Pool
from maestro_flow_sql.postgres.answer_timeout import TimedConnection
from maestro_flow_sql.postgres.errors import translated
from maestro_flow_sql.postgres.target import Target

__all__ = ["Connections", "Direct"]

Direct = TimedConnection
"""A connection in autocommit mode: transactions are explicit."""

_KEPT, _MAX = 8, 24
"""Callers' connections: how many stay open, and how many at most; the next caller waits up to ``_PATIENCE_S`` s."""

_OWNERS_KEPT, _OWNERS_MAX = 3, 8
"""The same for a node as an owner: its journal, its keeper and its loader are one thread each."""

_PATIENCE_S = 10.0
_SHORTEST_LEASE_S = 10.0
"""The assumed lease until a claim names another one: the engine's default."""

_ANSWER_LEASES = 0.6
"""We wait for an answer a little longer than the server's statement timeout, which is half a lease."""


class Connections:
    """A pool. Each connection has timeouts below the lease, so that a frozen one cannot delay a takeover."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._lease_s = _SHORTEST_LEASE_S
        self.timeout_s = 0.0
        """The longest session timeout that we cannot set ourselves: behind a pooler."""
        self._made_for: WeakKeyDictionary[Direct, float] = WeakKeyDictionary()
        self._pool = self._make_pool(kept=_KEPT, limit=_MAX)
        self._owners = self._make_pool(kept=_OWNERS_KEPT, limit=_OWNERS_MAX)

    @contextmanager
    def direct(self) -> Iterator[Direct]:
        """A plain psycopg connection, for callers' hot verbs: every statement is a transaction."""
        with self._lent(self._pool) as connection:
            yield connection

    @contextmanager
    def owning(self) -> Iterator[Direct]:
        """The same for an owner's verbs: a lease must not expire because many callers came first."""
        with self._lent(self._owners) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """An SQLAlchemy connection, for cold verbs that read: every statement sees what was committed when it began."""
        with self._reading(self._pool) as connection:
            yield connection

    @contextmanager
    def reading_as_owner(self) -> Iterator[Connection]:
        """The same for an owner's reads."""
        with self._reading(self._owners) as connection:
            yield connection

    @contextmanager
    def snapshot_as_owner(self) -> Iterator[Connection]:
        """A connection whose reads all see one snapshot of the store."""
        with self.reading_as_owner() as connection:
            connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield connection  # SQLAlchemy rolls back a returned connection that is in a transaction

    @contextmanager
    def apart(self) -> Iterator[Direct]:
        """A separate connection, closed at the end of the block; psycopg's errors are not translated."""
        connection = self._connect()
        try:
            yield connection
        finally:
            connection.close()

    def shorten(self, lease_s: float) -> None:
        """Keep timeouts below this lease from now on; connections with longer ones are replaced when next used.

        Raises:
            StorageUnusable: the timeouts are those of the role, and too long.
        """
        if self.timeout_s > lease_s / 2:
            raise StorageUnusable(
                f"the store {self._target.name} cannot be used with a lease of {lease_s} s: with prepare=off the "
                f"timeouts of the role apply, and must be at most half of the lease; the longest is {self.timeout_s} s"
            )
        self._lease_s = min(self._lease_s, lease_s)

    def close(self) -> None:
        """Close idle connections at once, others on their return. May be called twice; does nothing in a fork."""
        self._owners.close()
        self._pool.close()

    def _make_pool(self, *, kept: int, limit: int) -> Pool:
        pool = Pool(
            "postgresql+psycopg://",
            self._connect,
            store=self._target.name,
            kept=kept,
            limit=limit,
            patience_s=_PATIENCE_S,
            pool_use_lifo=True,
            pool_reset_on_return=None,  # in autocommit mode there is nothing to undo
            use_native_hstore=False,
        )
        pool.on_checkout(self._check)
        return pool

    @contextmanager
    def _reading(self, pool: Pool) -> Iterator[Connection]:
        with translated(self._target.name), pool.use() as engine, engine.connect() as connection:
            yield connection

    @contextmanager
    def _lent(self, pool: Pool) -> Iterator[Direct]:
        with translated(self._target.name), pool.use() as engine:
            proxied = engine.raw_connection()
            try:
                yield proxied.driver_connection  # type: ignore[misc]  # it is what _connect has made
            except psycopg.errors.ReadOnlySqlTransaction:
                proxied.invalidate()  # the server has become a replica: the primary is where new connections go
                self._owners.drop_idle()
                self._pool.drop_idle()
                raise
            finally:
                proxied.close()

    def _connect(self) -> Direct:
        lease_s = self._lease_s
        parameters = {**_liveness(lease_s), **self._target.parameters}
        if not self._target.behind_pooler:
            parameters["options"] = _session(self._target.namespace, lease_s)
        connection = TimedConnection.connect(**parameters, autocommit=True)
        connection.answer_s = _ANSWER_LEASES * lease_s
        connection.isolation_level = IsolationLevel.READ_COMMITTED  # for transactions of several statements
        if self._target.behind_pooler:
            connection.prepare_threshold = None
        # One type for all integers, so that a statement is prepared once, not once for each size of its values.
        connection.adapters.register_dumper(int, Int8Dumper)
        self._made_for[connection] = lease_s
        return connection

    def _check(self, connection: Direct, _entry: object, _proxy: object) -> None:
        """Raises DisconnectionError if it is dead or its timeouts are too long: then the pool opens another one.

        On an idle connection only its end can arrive, so no round trip is needed to notice.
        """
        is_idle = not connection.closed and connection.info.transaction_status is TransactionStatus.IDLE
        if not is_idle or self._made_for[connection] > self._lease_s or _has_something_to_say(connection):
            raise DisconnectionError


def _has_something_to_say(connection: Direct) -> bool:
    poll = select.poll()  # select() does not support file descriptors beyond 1023
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _liveness(lease_s: float) -> dict[str, str]:
    """libpq's options for TCP: a silently vanished server is noticed before the lease expires."""
    return {
        "keepalives_idle": f"{max(1, lease_s // 4):.0f}",
        "keepalives_interval": "1",
        "keepalives_count": "3",
        "tcp_user_timeout": f"{lease_s / 2 * 1000:.0f}",
    }


def _session(namespace: str, lease_s: float) -> str:
    """libpq's ``options``: settings for every statement of the session.

    The planner is told to prefer indexes and to plan once: by the statistics of a table that was empty a minute ago, it
    would scan the log.
    """
    settings = {
        "search_path": namespace,
        "default_transaction_isolation": "read\\ committed",
        "statement_timeout": f"{lease_s / 2 * 1000:.0f}",
        "lock_timeout": f"{lease_s / 4 * 1000:.0f}",
        "idle_in_transaction_session_timeout": f"{lease_s / 4 * 1000:.0f}",
        "plan_cache_mode": "force_generic_plan",
        "enable_seqscan": "off",
        "jit": "off",
        "timezone": "UTC",
    }
    return " ".join(f"-c {name}={value}" for name, value in settings.items())
