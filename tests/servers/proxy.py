"""A proxy between a store and its server: it passes everything on, or cuts the connection instead of a reply."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from typing import Self

Place = int | Path
"""A port of the loopback, or a socket in a folder."""


class Proxy:
    """Listens at a place of the kind of the server's, and forwards to that; one pair of threads per connection.

    ``at`` is where it listens; 0 is any ``port`` that is free.
    """

    def __init__(self, server: Place, at: Place = 0) -> None:
        self._server = server
        self._listener = _socket_of(at)
        self._listener.bind(_address_of(at))
        self._listener.listen()
        self.port = 0 if isinstance(at, Path) else int(self._listener.getsockname()[1])
        self.cuts = 0
        """Replies that were cut so far."""
        self._to_cut = 0
        self._flowing = threading.Event()
        self._flowing.set()
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def cut_next(self) -> None:
        """The next reply, on whatever connection, is received from the server and never delivered."""
        with self._lock:
            self._to_cut += 1

    def hold(self) -> None:
        """From now on nothing is delivered, in no direction, and no connection is cut."""
        self._flowing.clear()

    def resume(self) -> None:
        """Deliver what was held, and what comes."""
        self._flowing.set()

    def switch(self, server: Place) -> None:
        """Cut all connections; those to come go to another server, as after a failover."""
        self._server = server
        with self._lock:
            cut, self._open = self._open, []
        for end in cut:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = _socket_of(self._server)
                try:
                    server.connect(_address_of(self._server))
                except OSError:  # as the server itself would say, were it there
                    client.close()
                    server.close()
                    continue
                with self._lock:
                    self._open += [client, server]
                threading.Thread(target=self._forward, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._forward, args=(server, client, True), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, is_reply: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_reply and self._takes_a_cut():
                    break
                self._flowing.wait()
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _takes_a_cut(self) -> bool:
        with self._lock:
            if self._to_cut == 0:
                return False
            self._to_cut -= 1
            self.cuts += 1
            return True


def _socket_of(place: Place) -> socket.socket:
    return socket.socket(socket.AF_UNIX if isinstance(place, Path) else socket.AF_INET)


def _address_of(place: Place) -> str | tuple[str, int]:
    return str(place) if isinstance(place, Path) else ("127.0.0.1", place)
