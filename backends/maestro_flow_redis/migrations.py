"""Migrations from one version of a store's keys to the next, for stores written by an older maestro-flow.

A store is migrated when it is opened, by one process at a time: the process takes a lock in the catalog for ``LOCK_S``
and extends it with each step; if it dies, the lock expires. A script sees one tag only, so a migration is not a
transaction: it consists of steps that may be repeated, and the version is changed last.

Nodes that have the store open continue with the scripts of their own version: a migration must leave data that these
can read and write. If it cannot, it raises ``oldest_reader``: older programs can no longer open the store, and those
that have it open lose all leases before the first step and cannot claim groups any more (PROTOCOL 3, 27).

To write the next one: freeze stores written by the code before the change (``tests/storage/freezing.py``), change the
scripts, append a ``Migration``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from functools import partial

from attrs import frozen
from tenacity import Retrying, retry_if_result, wait_fixed

from maestro_flow.clock import Environment
from maestro_flow.errors import SchemaMismatch
from maestro_flow.storage.upgrades import PERMIT_FLOW_HASH
from maestro_flow_redis.server import Call, Server

__all__ = ["LOCK_S", "MIGRATIONS", "Migration", "check_reader", "current", "migrate"]

LOCK_S = 30.0
"""A step takes much less. A process that was frozen for longer leaves the migration to its successor."""

_PAUSE_S = 0.05
"""Delay between two checks of another process's progress."""

logger = logging.getLogger("maestro_flow.storage")


def _nothing_to_do(_server: Server) -> Iterator[None]:
    return iter(())


def _route_messages(server: Server) -> Iterator[None]:
    """Give messages of schema 2 their destination, which ``route_messages.lua`` derives."""
    permit_group = PERMIT_FLOW_HASH % server.group_count
    for state in ("waiting", "settled", "dead"):
        left = dict.fromkeys(range(server.group_count), b"0")
        while left:
            calls = [
                Call("route_messages", server.group(group_id), (state, cursor, group_id, permit_group))
                for group_id, cursor in left.items()
            ]
            replies = zip(left, server.call_all(calls), strict=True)
            left = {group_id: cursor for group_id, cursor in replies if cursor != b"0"}
            yield


@frozen
class Migration:
    """Turns the keys of the previous version into those of ``version``."""

    version: int
    oldest_reader: int
    """The oldest version whose programs may use a store of this one (PROTOCOL 27)."""
    steps: Callable[[Server], Iterator[None]] = _nothing_to_do
    """The migration itself, which yields at least once a second. May be repeated at any time from the beginning."""


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, oldest_reader=1),  # the original keys
    # A start has a body instead of params (runs.lua reads both), an entry may block, a lease has the owner's process.
    Migration(2, oldest_reader=2),
    # Messages have destinations, runs have parents. The index of schema 2 stays as it is: none of its runs had a
    # parent, and such runs are still listed where it put them.
    Migration(3, oldest_reader=3, steps=_route_messages),
)
"""Without gaps, from version 1."""


def current() -> Migration:
    """The version that this maestro-flow writes."""
    return MIGRATIONS[-1]


def check_reader(store: str, known: int, *, version: int, oldest_reader: int) -> None:
    """Raises SchemaMismatch: the store is too new for a program that knows the version ``known``."""
    if known < oldest_reader:
        raise SchemaMismatch(
            f"the store {store} has schema {version}, which needs a maestro-flow that knows schema {oldest_reader}; "
            f"this one knows schema {known}: upgrade it"
        )


def migrate(server: Server) -> None:
    """Migrate the store to our version, or wait until another process has; a newer store is left alone."""
    who = Environment().new_id()
    # Without a limit: the lock of a dead process expires after LOCK_S, and a migration may take long.
    again = Retrying(retry=retry_if_result(lambda done: not done), wait=wait_fixed(_PAUSE_S), sleep=time.sleep)
    again(_migrated, server, who)


def _migrated(server: Server, who: str) -> bool:
    """Migrate the store to our version; False if another process is doing so."""
    while (version := int(server.call("schema_version", server.catalog))) < current().version:
        migration = MIGRATIONS[version]
        if not _steps_done(server, migration, who):
            return False
        if server.call("migrated", server.catalog, who, migration.version, migration.oldest_reader):
            logger.info("the store %s: schema %d -> %d", server.target.name, version, migration.version)
    return True


def _steps_done(server: Server, migration: Migration, who: str) -> bool:
    """Whether all steps were done under our lock, which we still hold."""
    may_go_on = partial(server.call, "migrating", server.catalog, who, migration.version, repr(LOCK_S))
    if not may_go_on():
        return False
    if migration.oldest_reader > MIGRATIONS[migration.version - 2].oldest_reader:
        groups = map(server.group, range(server.group_count))
        server.call_all([Call("exclude", group, (migration.oldest_reader,)) for group in groups])
    return all(may_go_on() for _ in migration.steps(server)) and bool(may_go_on())
