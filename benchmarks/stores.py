"""The stores that are measured: new ones that are gone afterwards, or one at a URL that is given."""

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
"""Names of stores that are made for the run; the servers are found as those of the tests are (tests/servers)."""

FRESH = ("short", "long", "one", "two", "taken", "large")
"""What they are for: two with and without a history, two for one node and for two, two for flows that wait."""


@frozen
class MeasuredStore:
    """A store, another empty one beside it where it was made for the run, and what any write costs there."""

    name: str
    """As it is shown: without a password."""
    url: str
    bare_write: BareWrite | None
    fan_s: float = 0.15
    """What 500 parallel steps may take (DESIGN 8)."""
    fresh_urls: tuple[str, ...] = ()
    """As many as ``FRESH`` that nothing has been written to; none beside a store that is somebody's."""


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
