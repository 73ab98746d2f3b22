"""A look at the server's configuration: what may lose an acknowledged write is refused, unless told otherwise."""

from __future__ import annotations

import logging
import re
from typing import Any

import redis
from redis.exceptions import NoPermissionError, ResponseError

from maestro_flow.errors import SettingsError, StorageUnusable
from maestro_flow_redis.target import Target

__all__ = ["check_server"]

_OLDEST_REDIS = (6, 2)

_REQUIRED = {
    "appendonly": ("yes", "without it a restart loses everything since the last snapshot"),
    "appendfsync": ("always", "otherwise a power cut loses the last one to two seconds"),
    "maxmemory-policy": ("noeviction", "otherwise a full server drops leases and logs without a word"),
}

logger = logging.getLogger("maestro_flow.redis")


def check_server(client: redis.Redis, target: Target) -> None:
    """Raises StorageUnusable, SettingsError: what is wrong, and what to set."""
    info: dict[str, Any] = client.info("everything")
    store = f"the store {target.name} cannot be used:"
    version = str(info["redis_version"])
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < _OLDEST_REDIS:
        raise StorageUnusable(f"{store} Redis {'.'.join(map(str, _OLDEST_REDIS))} or newer is needed, not {version}")
    if info.get("role") != "master":
        raise StorageUnusable(f"{store} the server is a replica; give the URL of the primary")
    if info.get("cluster_enabled") and int(client.cluster("INFO")["cluster_size"]) > 1:
        raise SettingsError(f"{store} it is a cluster of several nodes; a store lives on one of a single node so far")
    unsafe = _unsafe(client, info)
    if unsafe and not target.allow_volatile:
        raise StorageUnusable(
            f"{store} it may lose what it has acknowledged: {'; '.join(unsafe)}. Set them in redis.conf (CONFIG SET "
            "and CONFIG REWRITE), or accept the loss with allow_volatile=true in the URL"
        )
    for line in unsafe:
        logger.warning("the store %s may lose what it has acknowledged (allow_volatile=true): %s", target.name, line)


def _unsafe(client: redis.Redis, info: dict[str, Any]) -> list[str]:
    """What must be set otherwise, and why."""
    found = _configuration(client, info)
    return [
        f"{name} must be {wanted}, not {found.get(name, 'hidden')} ({why})"
        for name, (wanted, why) in _REQUIRED.items()
        if found.get(name) != wanted
    ]


def _configuration(client: redis.Redis, info: dict[str, Any]) -> dict[str, str]:
    """The settings as CONFIG tells them, or as far as INFO does where a hosted server forbids CONFIG."""
    try:
        told: dict[Any, Any] = {}
        for name in _REQUIRED:
            told |= client.config_get(name)
    except (NoPermissionError, ResponseError):
        return {
            "appendonly": "yes" if info.get("aof_enabled") else "no",
            "maxmemory-policy": str(info.get("maxmemory_policy")),
        }
    return {str(name): str(value) for name, value in told.items()}
