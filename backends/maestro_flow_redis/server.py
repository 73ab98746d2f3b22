"""Calls of the scripts, which are loaded on demand and know which store they are for."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Any

from attrs import frozen
from redis.exceptions import NoScriptError, RedisError, ResponseError

from maestro_flow.errors import StorageReset
from maestro_flow_redis.connections import Command, Connections
from maestro_flow_redis.errors import storage_error
from maestro_flow_redis.target import Target

__all__ = ["Call", "Server", "source_of"]

_TIMEOUT_S = 5.0
"""Half of the engine's default lease: a hung server is recognised before the groups are lost."""

_PARTS = re.compile(r"^-- with: (.*)$", re.MULTILINE)
_FOUNDING = frozenset({"found_catalog", "found_group"})


@cache
def source_of(name: str) -> str:
    """A file of ``scripts/``."""
    return (files("maestro_flow_redis") / "scripts" / f"{name}.lua").read_text(encoding="utf-8")


@frozen
class Call:
    """One script for one tag. ``args`` do not contain the epoch."""

    script: str
    tag: str
    args: tuple[str | bytes | int, ...] = ()


@frozen
class _Script:
    """A script as sent to the server, including its parts."""

    source: str
    digest: str

    @classmethod
    def of(cls, *parts: str) -> _Script:
        source = "\n".join(parts)
        return cls(source, sha1(source.encode(), usedforsecurity=False).hexdigest())


class Server:
    """A store on a server; safe for threads, and for a process that forks.

    ``epoch`` is set once the store was found. If the server later has another store in its place, calls are refused.
    """

    clock = source_of("clock")

    def __init__(self, target: Target) -> None:
        self.target = target
        self.epoch = b""
        self.group_count = 0
        self.timeout_s = _TIMEOUT_S
        self._lock = threading.Lock()
        self._connections = Connections(target, _TIMEOUT_S)
        self._scripts: dict[str, _Script] = {}
        self._refusal = ""

    @property
    def catalog(self) -> str:
        """Key of the catalog's head, which is also its hash tag."""
        return f"{{{self.target.namespace}:catalog}}"

    def group(self, group_id: int) -> str:
        """Key of a group's head, which is also its hash tag."""
        return f"{{{self.target.namespace}:g{group_id}}}"

    def shorten(self, lease_s: float) -> None:
        """Wait for answers less than a lease, so that an owner notices a missing answer in time."""
        with self._lock:
            if lease_s / 2 < self.timeout_s:
                self.timeout_s = self._connections.timeout_s = lease_s / 2

    def close(self) -> None:
        self._connections.close()

    def ask(self, *command: str | bytes | int) -> Any:
        """The reply to a command other than a script. Raises as ``call``."""
        return self._exchange([command])[0]

    def ask_all(self, commands: Sequence[Command]) -> list[Any]:
        """The replies to commands other than scripts, sent at once. Raises as ``call``."""
        return self._exchange(commands)

    def apart(self) -> Any:
        """A separate redis-py connection for the caller, which raises redis-py's errors."""
        return self._connections.apart()

    def call(self, script: str, tag: str, *args: str | bytes | int) -> Any:
        """The reply of one script.

        Raises:
            StorageReset: the data are not those of the opened store, or part of them is missing.
            StorageUnavailable, StorageUnusable, StorageError.
        """
        return self.call_all([Call(script, tag, args)])[0]

    def call_all(self, calls: Sequence[Call]) -> list[Any]:
        """The replies of scripts for any tags, sent at once; if some fail, the others still run."""
        if self._refusal:
            raise StorageReset(self._refusal)
        if not calls:
            return []
        try:
            return self._run(calls)
        except StorageReset as reset:
            self._refusal = str(reset)
            raise

    def arguments(self, call: Call) -> Command:
        """ARGV of a call."""
        return call.args if call.script in _FOUNDING else (self.epoch, *call.args)

    def _run(self, calls: Sequence[Call]) -> list[Any]:
        commands = [("EVALSHA", self._script(call.script).digest, 1, call.tag, *self.arguments(call)) for call in calls]
        return self._exchange(commands, calls)

    def _exchange(self, commands: Sequence[Command], calls: Sequence[Call] = ()) -> list[Any]:
        try:
            replies = self._connections.exchange(commands)
            unknown = [number for number, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
            if unknown:  # a new server, or one that was restarted, or SCRIPT FLUSH
                self._load({calls[number].script for number in unknown})
                again = self._connections.exchange([commands[number] for number in unknown])
                for number, reply in zip(unknown, again, strict=True):
                    replies[number] = reply
            for reply in replies:
                if isinstance(reply, ResponseError):
                    raise reply
        except RedisError as error:
            raise storage_error(error, self.target.name) from error
        return replies

    def _load(self, names: set[str]) -> None:
        for reply in self._connections.exchange([("SCRIPT", "LOAD", self._script(name).source) for name in names]):
            if isinstance(reply, ResponseError):
                raise reply

    def _script(self, name: str) -> _Script:
        if name not in self._scripts:
            body = source_of(name)
            parts = [source_of(part) for line in _PARTS.findall(body) for part in line.split()]
            head = [] if name in _FOUNDING else [source_of("head"), self.clock]
            self._scripts[name] = _Script.of(*head, *parts, body)
        return self._scripts[name]
