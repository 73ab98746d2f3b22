"""From what Redis and redis-py say to what the Storage protocol says."""

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
"""Said by ``head.lua``; servers put words of their own around it."""

_IN_A_SCRIPT = re.compile(r"@user_script: ?\d+: -([A-Z]+) ")
"""How Redis 6.2 says what a command of a script was refused with; newer servers say it as of a command alone."""

_NO_PERMISSION = "this user may not do it; grant all commands on the keys {namespace:*"
_NO_LOGIN = "the server refuses the login; look at the user and the password in the URL"

_TRANSIENT = frozenset(
    {"BUSY", "LOADING", "READONLY", "OOM", "MISCONF", "NOREPLICAS", "MASTERDOWN"}
    | {"UNKILLABLE", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK"}
)
"""Replies that may be another one at the next try. Each is given before the first write of a script."""


def storage_error(error: RedisError, store: str) -> StorageError:
    """The error of the protocol.

    A cut connection or a timeout leaves the outcome unknown, and the identical call is right (PROTOCOL 6): redis-py
    itself never tries again.
    """
    said = str(error)
    in_script = _IN_A_SCRIPT.search(said)
    word = in_script[1] if in_script else said.partition(" ")[0]
    if lost := _RESET.search(said):
        return StorageReset(
            f"the store {store} is not what it was: {lost[1]} is missing or another one. It was flushed, evicted, "
            "replaced or changed by hand; stop all nodes, look at the server, then open the store again"
        )
    # Of some refusals redis-py keeps the type and takes the first word away.
    if isinstance(error, NoPermissionError):
        return StorageUnusable(f"the store {store} cannot be used: {_NO_PERMISSION}")
    if isinstance(error, AuthenticationError):
        return StorageUnusable(f"the store {store} cannot be used: {_NO_LOGIN}")
    if isinstance(error, ConnectionError | TimeoutError | ReadOnlyError | OutOfMemoryError) or word in _TRANSIENT:
        return StorageUnavailable(f"the store {store} is not available, the same call may be repeated: {said}")
    return StorageError(f"the store {store} refused: {said}")
