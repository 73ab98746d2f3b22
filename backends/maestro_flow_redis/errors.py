"""Translates errors of Redis and redis-py to those of the Storage protocol."""

from __future__ import annotations

import re

from redis.exceptions import (
    AuthenticationError,
    ConnectionError,  # noqa: A004 - its name there
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TimeoutError,  # noqa: A004 - its name there
)

from maestro_flow.errors import StorageError, StorageReset, StorageUnavailable, StorageUnusable

__all__ = ["storage_error"]

_RESET = re.compile(r"STORERESET \[(.*)\]", re.DOTALL)
"""Raised by ``head.lua``; servers wrap it in their own text."""

_IN_A_SCRIPT = re.compile(r"@user_script: ?\d+: -([A-Z]+) ")
"""How Redis 6.2 reports that a command in a script was refused; newer servers report it like any command."""

_NO_PERMISSION = "this user lacks permissions; grant all commands on the keys {namespace:*"
_NO_LOGIN = "the server refused the login; check the user and the password in the URL"

_TRANSIENT = frozenset(
    {"BUSY", "LOADING", "READONLY", "OOM", "MISCONF", "NOREPLICAS", "MASTERDOWN"}
    | {"UNKILLABLE", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK"}
)
"""Error replies that may pass. Each comes before the first write of a script."""


def storage_error(error: RedisError, store: str) -> StorageError:
    """The error of the protocol.

    A cut connection or a timeout leaves the outcome unknown, and repeating the identical call is right (PROTOCOL 6):
    redis-py itself never retries.
    """
    said = str(error)
    in_script = _IN_A_SCRIPT.search(said)
    word = in_script[1] if in_script else said.partition(" ")[0]
    if lost := _RESET.search(said):
        return StorageReset(
            f"the store {store} is not what it was: {lost[1]} is missing or was replaced. It was flushed, evicted, "
            "replaced or changed by hand; stop all nodes, check the server, then open the store again"
        )
    # For some refusals redis-py uses an exception type and removes the first word.
    if isinstance(error, NoPermissionError):
        return StorageUnusable(f"the store {store} cannot be used: {_NO_PERMISSION}")
    if isinstance(error, AuthenticationError):
        return StorageUnusable(f"the store {store} cannot be used: {_NO_LOGIN}")
    if isinstance(error, ConnectionError | TimeoutError | ReadOnlyError | OutOfMemoryError) or word in _TRANSIENT:
        return StorageUnavailable(f"the store {store} is not available, the same call may be repeated: {said}")
    return StorageError(f"the store {store} refused: {said}")
