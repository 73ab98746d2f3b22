"""Calls of the scripts: they are loaded where they are missing, and know which store they are for."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import redis
from attrs import frozen
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from maestro_flow.errors import StorageReset
from maestro_flow_redis.errors import storage_error
from maestro_flow_redis.target import Target

__all__ = ["Call", "Server", "source_of"]

_TIMEOUT_S = 5.0
"""Half of the engine's default lease: a server that hangs is told from a slow one before the groups are lost."""

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
    args: tuple[Any, ...] = ()


class Server:
    """A store on a server; safe for threads, and for a process that forks (redis-py opens connections anew there).

    ``epoch`` is set once the store was found. A store that turns out to be another one is refused from then on.
    """

    clock = source_of("clock")

    def __init__(self, target: Target) -> None:
        self.target = target
        self.epoch = b""
        self.group_count = 0
        self._lock = threading.Lock()
        self._timeout_s = _TIMEOUT_S
        self._client = self._connect()
        self._scripts: dict[str, Script] = {}
        self._refusal = ""

    @property
    def client(self) -> redis.Redis:
        return self._client

    @property
    def catalog(self) -> str:
        """Key of the catalog's head, which is its hash tag."""
        return f"{{{self.target.namespace}:catalog}}"

    def group(self, group_id: int) -> str:
        """Key of a group's head, which is its hash tag."""
        return f"{{{self.target.namespace}:g{group_id}}}"

    def shorten(self, lease_s: float) -> None:
        """Wait less than a lease for an answer, so that an owner knows in time that it has none."""
        with self._lock:
            if lease_s / 2 < self._timeout_s:
                self._timeout_s = lease_s / 2
                self._client = self._connect()  # calls under way end on the old one, which closes behind them

    def close(self) -> None:
        self._client.close()

    def call(self, script: str, tag: str, *args: Any) -> Any:
        """The reply of one script.

        Raises:
            StorageReset: the data are not those of the store that was opened.
            StorageUnavailable, StorageUnusable, StorageError.
        """
        return self.call_all([Call(script, tag, args)])[0]

    def call_all(self, calls: Sequence[Call]) -> list[Any]:
        """The replies of scripts of any tags, sent at once; if some fail, the others are run all the same."""
        if self._refusal:
            raise StorageReset(self._refusal)
        if not calls:
            return []
        try:
            return self._run(calls)
        except RedisError as error:
            problem = storage_error(error, self.target.name)
            if isinstance(problem, StorageReset):
                self._refusal = str(problem)
            raise problem from error

    def arguments(self, call: Call) -> tuple[Any, ...]:
        """ARGV of a call."""
        return call.args if call.script in _FOUNDING else (self.epoch, *call.args)

    def _run(self, calls: Sequence[Call]) -> list[Any]:
        client = self._client
        if len(calls) == 1:
            return [self._run_one(client, calls[0])]
        with client.pipeline(transaction=False) as pipeline:
            for call in calls:
                pipeline.evalsha(self._script(call.script).sha, 1, call.tag, *self.arguments(call))
            replies = pipeline.execute(raise_on_error=False)
        for number, reply in enumerate(replies):
            if isinstance(reply, NoScriptError):  # the server was restarted, or SCRIPT FLUSH
                replies[number] = self._run_one(client, calls[number])
            elif isinstance(reply, RedisError):
                raise reply
        return replies

    def _run_one(self, client: redis.Redis, call: Call) -> Any:
        return self._script(call.script)(keys=[call.tag], args=self.arguments(call), client=client)

    def _script(self, name: str) -> Script:
        if name not in self._scripts:
            body = source_of(name)
            parts = [source_of(part) for line in _PARTS.findall(body) for part in line.split()]
            head = [] if name in _FOUNDING else [source_of("head"), self.clock]
            self._scripts[name] = self._client.register_script("\n".join([*head, *parts, body]))
        return self._scripts[name]

    def _connect(self) -> redis.Redis:
        return redis.Redis(
            **self.target.parameters,
            protocol=2,
            socket_timeout=self._timeout_s,
            socket_connect_timeout=self._timeout_s,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),  # who repeats, and how long, is decided by the caller (PROTOCOL 6)
            client_name="maestro-flow",
        )
