"""Checks the server's configuration: one that may lose acknowledged writes is refused, unless the URL allows it."""

from __future__ import annotations

import logging
import re

from maestro_flow.errors import SettingsError, StorageError, StorageUnavailable, StorageUnusable
from maestro_flow_redis.server import Server

__all__ = ["check_server"]

_OLDEST_REDIS = (6, 2)

_REQUIRED = {
    "appendonly": ("yes", "without it a restart loses everything since the last snapshot"),
    "appendfsync": ("always", "otherwise a power cut loses the last one to two seconds"),
    "maxmemory-policy": ("noeviction", "otherwise a full server drops leases and logs without a word"),
}

logger = logging.getLogger("maestro_flow.redis")


def check_server(server: Server) -> None:
    """Raises StorageUnusable, SettingsError: what is wrong, and what to set."""
    target = server.target
    info = _told(server.ask("INFO", "everything"))
    store = f"the store {target.name} cannot be used:"
    version = info["redis_version"]
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < _OLDEST_REDIS:
        raise StorageUnusable(f"{store} Redis {'.'.join(map(str, _OLDEST_REDIS))} or newer is needed, not {version}")
    if info.get("role") != "master":
        raise StorageUnusable(f"{store} the server is a replica; give the URL of the primary")
    if info.get("cluster_enabled") == "1" and int(_told(server.ask("CLUSTER", "INFO"))["cluster_size"]) > 1:
        raise SettingsError(f"{store} it is a cluster of several nodes; a store lives on one of a single node so far")
    unsafe = _unsafe(server, info)
    if unsafe and not target.allow_volatile:
        raise StorageUnusable(
            f"{store} it may lose what it has acknowledged: {'; '.join(unsafe)}. Set them in redis.conf (CONFIG SET "
            "and CONFIG REWRITE), or accept the loss with allow_volatile=true in the URL"
        )
    for line in unsafe:
        logger.warning("the store %s may lose what it has acknowledged (allow_volatile=true): %s", target.name, line)


def _unsafe(server: Server, info: dict[str, str]) -> list[str]:
    """The settings that must be changed, and why."""
    found = _configuration(server, info)
    return [
        f"{name} must be {wanted}, not {found.get(name, 'hidden')} ({why})"
        for name, (wanted, why) in _REQUIRED.items()
        if found.get(name) != wanted
    ]


def _configuration(server: Server, info: dict[str, str]) -> dict[str, str]:
    """The settings from CONFIG, or, on a hosted server that forbids CONFIG, as far as INFO has them."""
    try:
        return {name: server.ask("CONFIG", "GET", name)[1].decode() for name in _REQUIRED}
    except StorageUnavailable:
        raise
    except (StorageError, IndexError):
        return {
            "appendonly": "yes" if info.get("aof_enabled") == "1" else "no",
            "maxmemory-policy": info.get("maxmemory_policy", "hidden"),
        }


def _told(text: bytes) -> dict[str, str]:
    """The fields of INFO: one ``name:value`` per line."""
    lines = [line.partition(":") for line in text.decode(errors="replace").splitlines()]
    return {name: value for name, colon, value in lines if colon}
