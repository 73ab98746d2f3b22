"""The connections of an open store: few, kept open, each lent to one thread at a time.

They are redis-py's, without its client and its pool, which would take as long per script as the engine does per step.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from typing import Any

from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from maestro_flow.errors import StorageUnusable
from maestro_flow_redis.target import Target

__all__ = ["Command", "Connections"]

_Connection = Any
"""A ``redis.Connection``, of which redis-py does not type what is called here."""

Command = tuple[str | bytes | int, ...]
"""A command and its arguments."""

_KEPT_MAX = 8
"""How many idle connections stay open."""


class Connections:
    """Connections to one server. A process that forks may continue: the child opens its own."""

    def __init__(self, target: Target, timeout_s: float) -> None:
        self._target = target
        self.timeout_s = timeout_s
        """How long to wait for an answer. It may be reduced: connections with a longer timeout are replaced."""
        self._idle: deque[_Connection] = deque()
        self._pid = os.getpid()
        self._is_closed = False

    def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """The replies to commands sent at once; a command that the server refused has an exception in its place.

        Raises:
            RedisError: the connection is dead, or no answer came in time; the outcome is unknown.
            StorageUnusable: the store is closed.
        """
        connection = self._lend()
        try:
            connection.send_packed_command(connection.pack_commands(commands))
            replies = [_reply(connection) for _ in commands]
        except BaseException:  # outstanding replies would be mistaken for those to the next command
            connection.disconnect()
            raise
        self._take_back(connection)
        return replies

    def apart(self) -> _Connection:
        """A connection that is never lent; the caller disconnects it."""
        connection = self._make()
        connection.connect()
        return connection

    def close(self) -> None:
        """Close idle connections now; others when they are returned."""
        self._is_closed = True
        while connection := self._idle_one():
            connection.disconnect()

    def _lend(self) -> _Connection:
        if self._is_closed:
            raise StorageUnusable(f"the store {self._target.name} is closed; open it again")
        if self._pid != os.getpid():
            self._idle, self._pid = deque(), os.getpid()
        while connection := self._idle_one():
            if connection.socket_timeout <= self.timeout_s and _is_alive(connection):
                return connection
            connection.disconnect()
        connection = self._make()
        connection.connect()
        return connection

    def _take_back(self, connection: _Connection) -> None:
        if len(self._idle) >= _KEPT_MAX:
            connection.disconnect()
            return
        self._idle.append(connection)
        if self._is_closed:  # since it was lent
            self.close()

    def _idle_one(self) -> _Connection | None:
        """The most recently used one."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _make(self) -> _Connection:
        kind = SSLConnection if self._target.is_tls else Connection
        return kind(
            **self._target.parameters,
            protocol=2,
            socket_timeout=self.timeout_s,
            socket_connect_timeout=self.timeout_s,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),  # the caller decides what is repeated and for how long (PROTOCOL 6)
            client_name="maestro-flow",
        )


def _is_alive(connection: _Connection) -> bool:
    """Nothing has arrived since the last reply; a restarted server would have closed it."""
    try:
        return not connection.can_read()
    except (RedisError, OSError):
        return False


def _reply(connection: _Connection) -> Any:
    try:
        return connection.read_response()
    except ResponseError as refusal:
        return refusal
