"""The stores that are measured: temporary ones, or one at a given URL."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from benchmarks.floors import BareWrite, bare_increment, bare_update_on_postgres, bare_update_on_sqlite
from maestro_flow.storage.url import without_password
from tests.servers import postgres as postgres_servers
from tests.servers import redis as redis_servers

__all__ = ["FRESH", "NEW", "MeasuredStore", "measured_store"]

NEW = ("sqlite", "postgres", "redis")
"""Names of stores that are created for the run; the servers are found like those of the tests (tests/servers)."""

FRESH = ("short", "long", "one", "two", "taken", "large")
"""Their uses: two with and without a history, two for one node and for two, two for waiting flows."""


@frozen
class MeasuredStore:
    """A store, more empty ones if it was created for the run, and the cost of a bare write there."""

    name: str
    """The URL as it is printed: without a password."""
    url: str
    bare_write: BareWrite | None
    fan_s: float = 0.15
    """Seconds that 500 parallel steps may take."""
    fresh_urls: tuple[str, ...] = ()
    """As many as ``FRESH``, all unused; none if the store was given by its URL."""


@contextmanager
def measured_store(wanted: str, folder: Path) -> Iterator[MeasuredStore]:
    """``wanted`` is one of ``NEW``, or a URL; ``folder`` is on the disk that is measured."""
    if wanted == "sqlite":
        with bare_update_on_sqlite(folder) as bare_write:
            urls = [f"sqlite:///{folder}/{name}.db" for name in ("benchmark", *FRESH)]
            yield MeasuredStore(wanted, urls[0], bare_write, fresh_urls=tuple(urls[1:]))
    elif wanted == "postgres":
        yield from _on_postgres()
    elif wanted == "redis":
        yield from _on_redis()
    else:
        yield MeasuredStore(without_password(wanted), wanted, None)


def _on_postgres() -> Iterator[MeasuredStore]:
    server = postgres_servers.find_server()
    names = _names()
    try:
        with server.connect() as connection, bare_update_on_postgres(connection) as bare_write:
            first, *fresh = (server.url(name) for name in names)
            yield MeasuredStore("postgres", first, bare_write, 0.25, tuple(fresh))
    finally:
        for name in names:
            server.drop(name)
        server.stop()


def _on_redis() -> Iterator[MeasuredStore]:
    server = redis_servers.find_server()
    names = _names()
    try:
        with server.client() as client, bare_increment(client) as bare_write:
            first, *fresh = (server.url(name) for name in names)
            yield MeasuredStore("redis", first, bare_write, fresh_urls=tuple(fresh))
    finally:
        for name in names:
            server.drop(name)
        server.stop()


def _names() -> list[str]:
    return [f"t_benchmark_{secrets.token_hex(4)}" for _ in range(1 + len(FRESH))]
