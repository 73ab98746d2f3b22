"""From what Redis and redis-py say to what the Storage protocol says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis.exceptions

from maestro_flow.errors import StorageError, StorageReset, StorageUnavailable, StorageUnusable

__all__ = ["storage_error", "translated"]

_RESET = "STORERESET"

_REFUSED = {
    "NOAUTH": "the server wants a password; put it into the URL",
    "WRONGPASS": "the server refuses the user or the password",
    "NOPERM": "this user may not do it; grant all commands on the keys {namespace:*",
}

_TRANSIENT = frozenset(
    {"BUSY", "LOADING", "READONLY", "OOM", "MISCONF", "NOREPLICAS", "MASTERDOWN"}
    | {"UNKILLABLE", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK"}
)
"""Replies that may be another one at the next try. Each is given before the first write of a script."""


@contextmanager
def translated(store: str) -> Iterator[None]:
    """Let errors of redis-py out of the block as errors of the Storage protocol."""
    try:
        yield
    except redis.exceptions.RedisError as error:
        raise storage_error(error, store) from error


def storage_error(error: redis.exceptions.RedisError, store: str) -> StorageError:
    """The error of the protocol.

    A cut connection or a timeout leaves the outcome unknown, and the identical call is right (PROTOCOL 6): redis-py
    itself never tries again.
    """
    said = str(error)
    word = said.partition(" ")[0]
    if word == _RESET:
        return StorageReset(
            f"the store {store} was flushed or replaced: it is not the one that was opened, and nothing was "
            "written; stop all nodes, look at the server, then open the store again"
        )
    if isinstance(error, redis.exceptions.AuthenticationError | redis.exceptions.NoPermissionError):
        word = word if word in _REFUSED else "WRONGPASS"
    if word in _REFUSED:
        return StorageUnusable(f"the store {store} cannot be used: {_REFUSED[word]}")
    is_transient = isinstance(error, redis.exceptions.ConnectionError | redis.exceptions.TimeoutError | _NAMED)
    if is_transient or word in _TRANSIENT:
        return StorageUnavailable(f"the store {store} is not available, the same call may be repeated: {said}")
    return StorageError(f"the store {store} refused: {said}")


_NAMED = redis.exceptions.ReadOnlyError | redis.exceptions.OutOfMemoryError
"""Of these redis-py keeps the type and takes the first word away."""
