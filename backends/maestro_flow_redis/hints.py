"""Hints on Redis: a channel on which groups are named that have something new (``Storage.listen``).

Published hints are not stored: a node that is not listening finds the news by its scan. Nothing is published about a
group that is held through this very handle, whose user knows already.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as Silence

from maestro_flow.errors import StorageError
from maestro_flow.storage.listeners import Listeners
from maestro_flow_redis.server import Server

__all__ = ["RedisHints"]

logger = logging.getLogger("maestro_flow.storage")

_AGAIN_S = 5.0
"""How long after a connection was lost another one is tried."""


class RedisHints:
    """Tells listeners, in this process and in others. Never raises when the server is unavailable."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._channel = f"{server.target.namespace}:hints:{server.target.parameters['db']}"  # shared by all databases
        self.listeners = Listeners()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._connection: Any = None

    def listen(self, wake: Callable[[int], None]) -> Callable[[], None]:
        """See ``Storage.listen``. The first listener starts the thread with its connection."""
        remove = self.listeners.add(wake)
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="maestro-flow-hints", daemon=True)
                self._thread.start()
        return remove

    def tell(self, group_ids: Iterable[int]) -> None:
        """Something durable has happened to these groups."""
        elsewhere = self.listeners.tell_of_others(group_ids)
        if elsewhere:
            with suppress(StorageError):
                self._server.ask_all([("PUBLISH", self._channel, group_id) for group_id in elsewhere])

    def close(self) -> None:
        """End the thread. May be called twice."""
        with self._lock:
            self._stop.set()
            thread, self._thread = self._thread, None
            if self._connection is not None:
                with suppress(RedisError, OSError):  # the reply wakes the thread
                    self._connection.send_command("UNSUBSCRIBE", self._channel)
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._hear()
            except (RedisError, OSError) as error:
                logger.debug("nothing is heard from other nodes for a while: %s", type(error).__name__)
                self._stop.wait(_AGAIN_S)

    def _hear(self) -> None:
        """Listen until stopped; raises when the connection is lost."""
        connection = self._server.apart()
        try:
            connection.send_command("SUBSCRIBE", self._channel)
            with self._lock:
                self._connection = connection
            while not self._stop.is_set():
                with suppress(Silence):  # nobody has anything to say
                    kind, _, payload = connection.read_response(disconnect_on_error=False)
                    if kind == b"message":
                        self.listeners.tell([int(payload)])
        finally:
            with self._lock:
                self._connection = None
            connection.disconnect()
