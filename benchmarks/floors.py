"""Lower bounds: the store's own commits without an engine, and the smallest durable write of its server."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import psycopg
import redis
from attrs import frozen

from maestro_flow.clock import Environment
from maestro_flow.model.commit import Commit, FlowWrite, Outcome
from maestro_flow.model.events import StepEnded, StepStarting, encode_events
from maestro_flow.model.flow_id import FlowId
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.model.runs import RunEntry
from maestro_flow.model.status import RunStatus, StepStatus
from maestro_flow.storage.protocol import Storage

__all__ = ["BareWrite", "CommitFloor", "bare_increment", "bare_update_on_postgres", "bare_update_on_sqlite"]

_CREATE = "CREATE TABLE t (i INTEGER PRIMARY KEY, v INTEGER)"
_INSERT = "INSERT INTO t VALUES (1, 0)"
_UPDATE = "UPDATE t SET v = v + 1 WHERE i = 1"

_LEASE_S = 600.0
_SAMPLES = 100
"""One after another, as in a chain: after a pause a commit takes twice as long."""

_WARM_UP = 1000
"""Writes before the first sample: until SQLite's log has been filled once, each write also extends the file."""

_ROWS = 500
"""Commits of a batch: about as many as a thousand flows keep waiting in the journal."""


@frozen
class BareWrite:
    """One durable write, repeated, as in a chain."""

    name: str
    once: Callable[[], object]

    def one_s(self) -> float:
        return median(self._timed() for _ in range(_SAMPLES))

    def _timed(self) -> float:
        began = perf_counter()
        self.once()
        return perf_counter() - began


class CommitFloor:
    """A flow without an engine: its own group in the same store, with records as a chain writes them."""

    def __init__(self, storage: Storage) -> None:
        environment = Environment()
        owner = Owner(environment.new_id())
        self._storage, self._clock, self._new_id = storage, environment.clock, environment.new_id
        (self._lease,) = storage.claim(owner, lease_s=_LEASE_S, limit=1)
        self._position = storage.last_position(self._lease.group_id)
        self._revision = 0
        self._entry = floor_run(owner, self._lease, self._clock.time())
        self._events = encode_events([StepEnded("s41", 1, StepStatus.SUCCEEDED, began_at=0.5), StepStarting("s42")])
        for _ in range(_WARM_UP):
            self._write(1)

    def one_s(self) -> float:
        """Seconds for one commit of one record, alone: the lower bound for a step."""
        return median(self._write(1) for _ in range(_SAMPLES))

    def row_s(self) -> float:
        """Seconds per record in a batch of 500: the lower bound for a step on a fully loaded node."""
        return self._write(_ROWS) / _ROWS

    def close(self) -> None:
        """End the floor's run, so that no node picks it up, and release the group."""
        ended = encode_events([])
        self._entry = floor_run(Owner(self._lease.owner_id), self._lease, self._clock.time(), RunStatus.SUCCEEDED)
        self._storage.commit([self._commit(ended, entry=self._entry)])
        self._storage.release([self._lease])

    def _write(self, count: int) -> float:
        batch = [self._commit(self._events, self._entry if not self._revision else None) for _ in range(count)]
        began = perf_counter()
        outcomes = self._storage.commit(batch)
        took_s = perf_counter() - began
        assert set(outcomes) == {Outcome.DONE}, outcomes
        return took_s

    def _commit(self, events: bytes, entry: RunEntry | None) -> Commit:
        self._revision += 1
        self._position += 1
        at = self._clock.time()
        write = FlowWrite(self._entry.flow_id, self._revision, self._new_id(), self._position, at, events, entry=entry)
        return Commit(self._lease, write)


def floor_run(owner: Owner, lease: Lease, now: float, status: RunStatus = RunStatus.IN_PROGRESS) -> RunEntry:
    """The entry of the floor's run, with a workflow id of its own for each measuring process."""
    workflow_id = f"benchmark-floor-{owner.id}"
    ended_at = now if status.is_terminal else None
    return RunEntry(str(FlowId(workflow_id, 1, 1)), workflow_id, 1, 1, 1, lease.group_id, status, now, now, ended_at)


@contextmanager
def bare_update_on_sqlite(folder: Path) -> Iterator[BareWrite]:
    """``UPDATE`` of one row with an fsync, in a SQLite file next to the store: the least the disk takes for a write."""
    db = sqlite3.connect(folder / "benchmark-floor.db", isolation_level=None)
    for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", _CREATE, _INSERT):
        db.execute(statement)
    yield _warm(BareWrite("a bare UPDATE", lambda: db.execute(_UPDATE)))
    db.close()


@contextmanager
def bare_update_on_postgres(connection: psycopg.Connection[Any]) -> Iterator[BareWrite]:
    """``UPDATE`` of one row in autocommit mode, prepared, on the store's own server."""
    for statement in ("CREATE SCHEMA benchmark_floor", "SET search_path = benchmark_floor", _CREATE, _INSERT):
        connection.execute(statement)
    yield _warm(BareWrite("a bare UPDATE", lambda: connection.execute(_UPDATE, prepare=True)))
    connection.execute("DROP SCHEMA benchmark_floor CASCADE")


@contextmanager
def bare_increment(client: redis.Redis) -> Iterator[BareWrite]:
    """``INCR`` of one key, on the store's own server."""
    key = f"benchmark-floor-{Environment().new_id()}"
    yield _warm(BareWrite("a bare INCR", lambda: client.incr(key)))
    client.delete(key)


def _warm(write: BareWrite) -> BareWrite:
    for _ in range(_WARM_UP):
        write.once()
    return write
