"""Opens a store by its URL: checks the server, finds or creates the store, migrates it."""

from __future__ import annotations

from maestro_flow.clock import Clock, Environment
from maestro_flow.errors import StorageReset
from maestro_flow.storage.open import no_store
from maestro_flow.storage.protocol import GROUP_COUNT
from maestro_flow_redis.migrations import check_reader, current, migrate
from maestro_flow_redis.server import Call, Server
from maestro_flow_redis.server_check import check_server
from maestro_flow_redis.storage import RedisStorage
from maestro_flow_redis.target import Target

__all__ = ["open_redis", "open_server"]


def open_redis(url: str, _clock: Clock, /, *, create: bool = True) -> RedisStorage:
    """Open the store of a namespace; times are by the server's clock.

    It is created if it does not exist, unless ``create`` is false, and migrated if an older maestro-flow made it.

    Raises:
        SettingsError: the URL has an unknown option.
        StorageUnusable: the store does not exist, the login is refused, or the server could lose acknowledged writes.
        SchemaMismatch: the store was written by a newer maestro-flow that excludes ours.
        StorageReset: a part of the store was lost.
        StorageUnavailable: the server cannot be reached.
    """
    return open_server(Server(Target.of(url)), create=create)


def open_server(server: Server, *, create: bool = True) -> RedisStorage:
    """The same on an existing connection to the server, which is closed if the store cannot be opened."""
    try:
        check_server(server)
        _find_or_found(server, create=create)
        migrate(server)
    except BaseException:
        server.close()
        raise
    return RedisStorage(server, known=current().version)


def _find_or_found(server: Server, *, create: bool) -> None:
    """Learn the epoch and the number of groups of the store, which afterwards exists, whichever process created it.

    The epoch is stored under each tag, because a script sees only one. It is random, which distinguishes a store that
    was flushed and created again from its predecessor. If several processes create it at once, the first epoch counts.
    """
    store = server.target.name
    ours = current()
    new = (Environment().new_id(), ours.version, ours.oldest_reader, GROUP_COUNT, int(create))
    catalog = server.call("found_catalog", server.catalog, *new)
    if catalog is None:
        raise _lost_a_part(store, "a part of its catalog is missing")
    if not catalog:
        raise no_store(store)
    epoch, version, reader, groups, is_founded = catalog
    check_reader(store, ours.version, version=int(version), oldest_reader=int(reader))
    server.epoch, server.group_count = epoch, int(groups)
    may_make = int(is_founded == b"0")
    replies = server.call_all(
        [
            Call("found_group", server.group(group_id), (epoch, group_id, server.group_count, may_make))
            for group_id in range(server.group_count)
        ]
    )
    lost = [str(group_id) for group_id, there in enumerate(replies) if there != epoch]
    if lost:
        raise _lost_a_part(store, f"its catalog and its groups {', '.join(lost)} are not of one store")
    if may_make:
        server.call("found_last", server.catalog)


def _lost_a_part(store: str, what: str) -> StorageReset:
    return StorageReset(
        f"the store {store} has lost a part of its data: {what}; restore a backup, or use another namespace"
    )
